"""Lines that are cut into pieces mean what the core says, or they do not fit."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ndr_adapters.polars.fields import columns_of
from ndr_adapters.polars.pieces import FITS, PieceReader, times_of
from ndr_adapters.polars.plain import read_plain
from ndr_adapters.polars.template import Template
from ndr_adapters.polars.token import column_tokens
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.json_line import LineReader
from ndr_core.flows.key_order import key_order
from ndr_core.flows.leaf import Leaf, leaves_of, value_at
from ndr_core.flows.object_reader import Skipped
from ndr_core.flows.outcome import READ, SKIPPED, UNFIT, key_column
from ndr_core.flows.record_reader import ReadFlow
from tests.makers import flow, make_plan, make_spec
from tests.soak import examples

ZEEK = {
    "ts": 1740823200.123456,
    "uid": "CAbc12",
    "id.orig_h": "10.0.0.1",
    "id.orig_p": 50000,
    "id.resp_h": "192.0.2.7",
    "id.resp_p": 443,
    "proto": "tcp",
    "duration": 1.5,
    "orig_bytes": 100,
    "resp_bytes": 1000,
    "conn_state": "SF",
    "local_orig": True,
    "tunnel_parents": [],
}
KEYS = {"deduplicate_on": ["source_ip", "uid", "event_reason", "extra"]}
SURICATA = {
    "timestamp": "2025-03-01T10:00:02.123456+0000",
    "event_type": "flow",
    "src_ip": "10.0.0.1",
    "proto": "TCP",
    "src": {"port": 50000, "deep": {"name": "x"}},
    "dest_ip": "192.0.2.7",
    "flow": {
        "bytes_toserver": 100,
        "bytes_toclient": "1000",
        "start": "2025-03-01T10:00:00.123456+0000",
        "state": "new",
        "x": {},
    },
    "flags": [],
}
EVE = {
    "source_ip": {"any_of": ["src_ip", "proto"]},
    "destination_ip": "dest_ip",
    "source_port": {"path": ["src", "port"]},
    "source_bytes": {"path": ["flow", "bytes_toserver"]},
    "destination_bytes": {"path": ["flow", "bytes_toclient"]},
    "event_start": {"path": ["flow", "start"], "format": "iso8601"},
    "event_end": {"column": "timestamp", "format": "iso8601"},
    "event_action": {
        "map": {
            "columns": ["proto", ["flow", "state"]],
            "values": [["TCP", "new", "Drop"], ["*", "closed", "allow"], ["10", "*", None]],
            "default": "other",
        }
    },
    "event_reason": {"any_of": [["flow", "state"], "proto"], "map": {"new": "aged-out"}},
    "network_transport": {"column": "proto", "map": {"values": {"TCP": "tcp"}, "default": None}},
}
FORTIGATE = {
    "date": "2025/03/01 10:00:02",
    "eventtime": "1740823202123456789",
    "duration": 2,
    "srcip": "10.0.0.1",
    "dstip": "192.0.2.7",
    "sentbyte": "100",
    "mixed": "2025/03/01 10:00:02",
    "proto": 6,
}
FORTI = {
    "source_ip": "srcip",
    "destination_ip": "dstip",
    "source_bytes": "sentbyte",
    "event_start": {"column": "duration", "format": "duration_s"},
    "event_end": {"column": "eventtime", "format": "epoch_ns"},
    "network_transport": {"column": "proto", "map": {6: "TCP"}},
}


def mapped(fields: dict[str, Any], **more: Any) -> DeltaPlan:
    return make_plan(make_spec(input={"fields": fields, **more}))


CASES: dict[str, tuple[dict[str, Any], DeltaPlan]] = {
    "times as text": (flow(extra="x"), make_plan(make_spec(quality=KEYS))),
    "times as numbers": (ZEEK, make_plan(make_spec("zeek", quality=KEYS))),
    "texts for no value": (
        flow(),
        make_plan(
            make_spec(
                input={
                    "preset": "paloalto",
                    "null_values": ["-", "", "10", "ALLOW", "10.0.0.2", "1970-01-01T00:00:00Z"],
                }
            )
        ),
    ),
    "a column for two fields": (
        flow(),
        make_plan(
            make_spec(
                input={
                    "preset": "paloalto",
                    "fields": {
                        "event_reason": {"column": "event_action", "map": {"allow": "aged-out"}},
                        "event_end": {"column": "event_start", "format": "iso8601"},
                    },
                }
            )
        ),
    ),
    "inner objects": (SURICATA, mapped(EVE)),
    "inner objects and texts for no value": (
        SURICATA,
        mapped(EVE, null_values=["-", "10", "", "new", "2025-03-01T10:00:00.123456+0000"]),
    ),
    "selected records": (
        SURICATA,
        mapped(EVE, only={"event_type": ["flow", 10], "src_ip": {"present": True}}),
    ),
    "records that have no more than others": (
        SURICATA,
        mapped(EVE, only=[{"path": ["src", "deep", "name"], "present": False}]),
    ),
    "a start by the end in nanoseconds": (FORTIGATE, mapped(FORTI)),
    "times of a pattern": (
        FORTIGATE,
        mapped(FORTI | {"event_start": {"column": "date", "format": "%Y/%m/%d %H:%M:%S"}}),
    ),
    "times of several formats": (
        FORTIGATE,
        mapped(
            FORTI
            | {
                "event_start": {
                    "column": "mixed",
                    "format": ["epoch_s", "iso8601", "%Y/%m/%d %H:%M:%S", "%S:%M:%H %d.%m.%Y"],
                }
            },
            null_values=["-", "10"],
        ),
    ),
    "numbers of several units": (
        ZEEK,
        mapped(
            {
                "source_ip": "id.orig_h",
                "destination_ip": "id.resp_h",
                "event_start": {"column": "ts", "format": ["epoch_s", "epoch_ms", "iso8601"]},
            },
            null_values=["10"],
        ),
    ),
    "a start that is a duration or a time": (
        FORTIGATE,
        mapped(
            FORTI
            | {
                "event_start": {
                    "any_of": ["duration", "eventtime"],
                    "format": ["duration_s", "epoch_ms", "epoch_ns"],
                },
                "event_end": {"column": "eventtime", "format": ["epoch_s", "epoch_ns"]},
            },
            null_values=["-", ""],
        ),
    ),
    "an end that is a time or a duration": (
        FORTIGATE | {"took": "12"},
        mapped(
            FORTI
            | {
                "event_start": {"column": "mixed", "format": "%Y/%m/%d %H:%M:%S"},
                "event_end": {
                    "any_of": ["eventtime", "took", "date"],
                    "format": ["iso8601", "%Y/%m/%d %H:%M:%S", "duration_s", "epoch_ns"],
                },
            }
        ),
    ),
    "a start and an end that may both be durations": (
        FORTIGATE,
        mapped(
            FORTI
            | {
                "event_start": {"column": "duration", "format": ["duration_s", "epoch_ns"]},
                "event_end": {"column": "eventtime", "format": ["duration_s", "epoch_ns"]},
            }
        ),
    ),
    "a map of columns that no record has": (
        FORTIGATE,
        mapped(
            FORTI
            | {
                "event_action": {
                    "map": {"columns": ["x", ["y", "z"]], "values": [["*", "1", "drop"]]},
                    "optional": True,
                }
            }
        ),
    ),
    "times whose seconds come first": (
        FORTIGATE | {"date": "02:00:10 01.03.2025"},
        mapped(FORTI | {"event_start": {"column": "date", "format": "%S:%M:%H %d.%m.%Y"}}),
    ),
}
if find_spec("tzdata") is not None:
    CASES["times of a zone"] = (
        FORTIGATE,
        mapped(
            FORTI | {"event_start": {"column": "date", "format": ["%Y/%m/%d %H:%M:%S", "iso8601"]}},
            timezone="Europe/Berlin",
        ),
    )
TOKENS = [
    '"allow"',
    '"ALLOW"',
    '""',
    '"-"',
    '"10"',
    '"a\\"b"',
    '"a\\\\"',
    '"\\u0041"',
    '"\\ud800"',
    '"\t"',
    '"\0"',
    '"é"',
    '"İ"',
    '"a,b"',
    '"a}"',
    "'x'",
    '"a":1',
    "null",
    "true",
    "false",
    "nul",
    "NULL",
    "10",
    "0",
    "-0",
    "-5",
    "+5",
    "05",
    "00",
    "5.",
    ".5",
    "5.0",
    "1e3",
    "1E+2",
    "1e400",
    "-1.5",
    "1_0",
    "0x1",
    "５",
    "5\t",
    " 5",
    "NaN",
    "inf",
    "9223372036854775807",
    "9223372036854775808",
    "999999999999999999",
    "-9223372036854775808",
    "[]",
    "[1]",
    '[1,"b"]',
    "{}",
    '{"a":1}',
    '"10.0.0.1"',
    '"10.0.0.256"',
    '"010.0.0.1"',
    '"2001:DB8::1"',
    '"::ffff:192.0.2.1"',
    '"fe80::1%eth0"',
    '"1:2"',
    '"10.0.0.1 "',
    "10.0.0.1",
    '"TCP"',
    '"closed"',
    '"flow"',
    "6",
    "1740823202123456789",
    '"1740823202123456789"',
    '"9223372036854775807"',
    "-1740823202123456789",
    '"1740823202.5"',
    '"2025/03/01 10:00:00"',
    '"2025/03/01 10:00:59"',
    '"2025/03/30 02:30:00"',
    '"2025/10/26 02:30:00"',
    '"2025/02/29 10:00:00"',
    '"10:00:02 01.03.2025"',
    '"61:00:02 01.03.2025"',
    '"2025-03-01T10:00:00.123456+0100"',
    '"2025-03-01T10:00:00.123456+01"',
    '"2025-03-01 10:00:00.123456 UTC"',
    '"2025-03-01t10:00:00.123456z"',
    '"2025-03-01T10:00:00.1234567891Z"',
    '"2025-03-01T10:00:00Z"',
    '"2025-03-01T10:00:00.123456Z"',
    '"2025-03-01T10:00:00.+12345Z"',
    '"2025-03-01T10:00:00.12345 Z"',
    '"2025-03-01T10:00:00.-12345Z"',
    '"2025-03-01T10:00:60.123456Z"',
    '"2025-03-01T10:00:0５.123456Z"',
    '"2025-02-29T10:00:00Z"',
    '"2024-02-29T10:00:00Z"',
    '"2025-03-01T24:00:00Z"',
    '"2025-03-01 10:00:00"',
    '"1969-12-31T23:59:59Z"',
    '"2025-03-01T10:00:00,123456Z"',
    '"2025-03-01T10:00:00.123Z"',
    '"2025-03-01T10:00:00.123456789Z"',
    '"2200-01-01T00:00:00Z"',
    '"2025-03-01T10:00:00+01:00"',
    '"2025-03-01T10:00:00.5-05:30"',
    '"2025-03-01T10:00:00+15:00"',
    '"2025-03-01T10:00:00+0a:00"',
    '"1970-01-01T00:00:00Z"',
    '"1970-01-01T00:30:00+01:00"',
    '"2025-03-01T10:00:00.123456z"',
    '"2025-03-01T10:00:00.123456Z',
    "2025-03-01T10:00:00Z",
    "1740823200",
    "1740823200.5",
    "-1",
    "-0.5",
    "1e9",
    "4503599627.370496",
    "99999999999999999999",
]
STYLES = [(",", ":"), (", ", ": "), (",", ": "), (", ", ":")]


Tokens = dict[Leaf, str]


def spelt(tokens: Tokens, comma: str = ",", colon: str = ":") -> str:
    """A line with these values, those of inner objects beside each other."""
    members: dict[str, Tokens] = {}
    for leaf, token in tokens.items():
        members.setdefault(leaf[0], {})[leaf[1:]] = token
    spellings = (
        f'"{key}"{colon}{inner[()] if () in inner else spelt(inner, comma, colon)}'
        for key, inner in members.items()
    )
    return "{" + comma.join(spellings) + "}"


def tokens_of(record: dict[str, Any]) -> Tokens:
    return {leaf: json.dumps(value_at(record, leaf)) for leaf in leaves_of(record, 1000)}


def by_pieces(lines: list[str], plan: DeltaPlan) -> pl.DataFrame:
    """What is read of lines by the template of the first of them."""
    template = Template.of(lines[0], times_of(plan))
    assert template is not None
    return PieceReader.of(plan, template).read(pl.Series("line", lines))


def assert_read_as_the_core_reads(read: pl.DataFrame, lines: list[str], plan: DeltaPlan) -> None:
    reader = LineReader(plan.input, plan.key_columns)
    for line, row in zip(lines, read.iter_rows(named=True), strict=True):
        found = reader.read(line)
        if found == Skipped():
            assert row["outcome"] == SKIPPED, line
            continue
        assert isinstance(found, ReadFlow), line
        keys = dict(zip(map(key_column, plan.key_columns), found.flow.keys, strict=True))
        expected = {
            name: keys[name] if name in keys else getattr(found.flow, name, None)
            for name in columns_of(plan)
        } | {"outcome": READ}
        assert {name: row[name] for name in expected} == expected, line


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("case", CASES)
def test_every_value_of_every_key_is_read_as_the_core_reads_it_or_does_not_fit(
    case: str, style: tuple[str, str]
) -> None:
    record, plan = CASES[case]
    usual = tokens_of(record)
    lines = [spelt(usual, *style)]
    lines += [spelt(usual | {key: token}, *style) for key in usual for token in TOKENS]

    read = by_pieces(lines, plan)

    fitting = [line for line, fits in zip(lines, read[FITS], strict=True) if fits]
    assert read[FITS][0]
    assert_read_as_the_core_reads(read.filter(FITS), fitting, plan)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("token", [token for token in TOKENS if token.startswith('"2')])
def test_lines_with_times_of_every_spelling_are_read_as_the_core_reads_them_or_do_not_fit(
    case: str, token: str
) -> None:
    record, plan = CASES[case]
    usual = tokens_of(record)
    start = plan.input.fields["event_start"].value_leaves[0]
    if Template.of(spelt(usual | {start: token}), times_of(plan)) is None:
        return
    lines = [spelt(usual | {start: token})]
    lines += [spelt(usual | {start: other}) for other in TOKENS]

    read = by_pieces(lines, plan)

    fitting = [line for line, fits in zip(lines, read[FITS], strict=True) if fits]
    assert_read_as_the_core_reads(read.filter(FITS), fitting, plan)


@pytest.mark.parametrize("case", CASES)
def test_lines_of_uneven_spelling_are_read_as_the_core_reads_them_or_left_to_it(case: str) -> None:
    record, plan = CASES[case]
    usual = tokens_of(record)
    even = [spelt(usual | {key: token}) for key in usual for token in TOKENS]
    uneven = [line.replace(',"', ', "', 1) for line in even]

    lines = pl.LazyFrame({"line": uneven, "void": [False] * len(uneven)})
    read = read_plain(lines, plan, (key_order(record),)).collect()
    read = read.filter(pl.col("outcome").is_in([READ, SKIPPED]))

    is_decoded = column_tokens(plan.input, plan.key_columns) is not None
    assert len(read) > len(usual) if is_decoded else read.is_empty()
    assert_read_as_the_core_reads(read, read["line"].to_list(), plan)


@given(st.data())
def test_a_line_that_is_cut_or_changed_anywhere_is_read_as_the_core_reads_it_or_does_not_fit(
    data: st.DataObject,
) -> None:
    record, plan = CASES[data.draw(st.sampled_from(sorted(CASES)))]
    whole = spelt(tokens_of(record), *data.draw(st.sampled_from(STYLES)))
    lines = [whole]
    for _ in range(examples(20)):
        start = data.draw(st.integers(0, len(whole)))
        end = data.draw(st.integers(start, min(len(whole), start + 3)))
        new = data.draw(st.text('",:{}[] \\01-+.eTZn\t\0é', max_size=3))
        lines.append(whole[:start] + new + whole[end:])

    read = by_pieces(lines, plan)

    fitting = [line for line, fits in zip(lines, read[FITS], strict=True) if fits]
    assert_read_as_the_core_reads(read.filter(FITS), fitting, plan)


@pytest.mark.parametrize("case", CASES)
def test_the_lines_of_several_writers_are_read_in_their_order(case: str) -> None:
    record, plan = CASES[case]
    usual = tokens_of(record)
    few = dict(list(usual.items())[:-1])
    lines = [spelt(usual), spelt(usual, ", ", ": "), "", spelt(few), "{}", spelt(few)] * 50

    read = read_plain(
        pl.LazyFrame({"line": lines, "void": [False] * len(lines)}),
        plan,
        (key_order(record), tuple(record)[:-1]),
    ).collect()

    assert read["line"].to_list() == lines
    unfit = read.filter(outcome=UNFIT)
    assert unfit["line"].to_list() == ["", "{}"] * 50
    fitting = read.filter(pl.col("outcome") == READ)
    assert_read_as_the_core_reads(fitting, fitting["line"].to_list(), plan)


def test_a_line_of_keys_that_repeat_or_of_uneven_spelling_has_no_template() -> None:
    for line in [
        '{"a":1,"a":2}',
        '{"a":1, "b":2,"c":3}',
        '{"a":1',
        '{"a\\n":1}',
        "{}",
        '{"a":{"b":1,"b":2}}',
        '{"a":{"b":1},"a":{"c":2}}',
        '{"a":{"b":1}}}',
        '{"a":{"b":1},"c":2',
        '{"a":{"b":1}',
        '{"a":[{"b":1}]}',
        "",
    ]:
        assert Template.of(line, {}) is None


@pytest.mark.parametrize("number", ["1740824066716941000", "-1740824066716941000", "12345678.5e9"])
def test_lines_with_numbers_have_a_template(number: str) -> None:
    assert Template.of(f'{{"at":{number},"other":1}}', {}) is not None


@pytest.mark.parametrize("number", ["9740824066716941000", "17408240667169410001", "1.2.3"])
def test_lines_with_numbers_that_64_bits_may_not_hold_have_none(number: str) -> None:
    assert Template.of(f'{{"at":{number},"other":1}}', {}) is None


def test_a_time_that_two_fields_read_by_different_formats_has_no_spelling_of_its_own() -> None:
    fields = {
        "event_start": {"column": "at", "format": "iso8601"},
        "event_end": {"column": "at", "format": ["epoch_s", "iso8601"]},
    }
    plan = make_plan(make_spec(input={"preset": "paloalto", "fields": fields}))
    line = json.dumps(flow(at="2025-03-01T10:00:00Z"))
    template = Template.of(line, times_of(plan))
    assert template is not None

    read = PieceReader.of(plan, template).read(pl.Series("line", [line]))

    assert read[FITS].to_list() == [True]
    assert read["event_start"].to_list() == read["event_end"].to_list()
