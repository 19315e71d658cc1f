"""Lines that are cut into pieces mean what the core says, or they do not fit."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ndr_adapters.polars.fields import columns_of
from ndr_adapters.polars.pieces import FITS, PieceReader
from ndr_adapters.polars.plain import read_plain
from ndr_adapters.polars.plain_pattern import column_tokens
from ndr_adapters.polars.template import Template
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.json_line import LineReader
from ndr_core.flows.outcome import READ, UNFIT, key_column
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
}
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


def spelt(tokens: dict[str, str], comma: str = ",", colon: str = ":") -> str:
    return "{" + comma.join(f'"{key}"{colon}{token}' for key, token in tokens.items()) + "}"


def tokens_of(record: dict[str, Any]) -> dict[str, str]:
    return {key: json.dumps(value) for key, value in record.items()}


def by_pieces(lines: list[str], plan: DeltaPlan) -> pl.DataFrame:
    """What is read of lines by the template of the first of them."""
    tokens = column_tokens(plan.input, plan.key_columns)
    template = Template.of(lines[0])
    assert tokens is not None
    assert template is not None
    return PieceReader.of(plan, tokens, template).read(pl.Series("line", lines))


def assert_read_as_the_core_reads(read: pl.DataFrame, lines: list[str], plan: DeltaPlan) -> None:
    reader = LineReader(plan.input, plan.key_columns)
    for line, row in zip(lines, read.iter_rows(named=True), strict=True):
        found = reader.read(line)
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
    if "event_start" not in usual or Template.of(spelt(usual | {"event_start": token})) is None:
        return
    lines = [spelt(usual | {"event_start": token})]
    lines += [spelt(usual | {"event_start": other}) for other in TOKENS]

    read = by_pieces(lines, plan)

    fitting = [line for line, fits in zip(lines, read[FITS], strict=True) if fits]
    assert_read_as_the_core_reads(read.filter(FITS), fitting, plan)


@pytest.mark.parametrize("case", CASES)
def test_lines_of_uneven_spelling_are_read_as_the_core_reads_them_or_left_to_it(case: str) -> None:
    record, plan = CASES[case]
    usual = tokens_of(record)
    even = [spelt(usual | {key: token}) for key in usual for token in TOKENS]
    uneven = [line.replace(',"', ', "', 1) for line in even]

    lines = pl.LazyFrame({"line": uneven, "undecodable": [False] * len(uneven)})
    read = read_plain(lines, plan, (tuple(usual),)).collect().filter(outcome=READ)

    assert len(read) > len(usual)
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
        pl.LazyFrame({"line": lines, "undecodable": [False] * len(lines)}),
        plan,
        (tuple(usual), tuple(few)),
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
        '{"a":{}}',
        "",
    ]:
        assert Template.of(line) is None
