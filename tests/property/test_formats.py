"""Every engine gives of delimited lines and of Parquet exactly what the reference gives, whatever they hold."""

from __future__ import annotations

import gzip
import tempfile
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from importlib.util import find_spec
from itertools import cycle
from pathlib import Path
from typing import Any
from unittest.mock import patch

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from attrs import asdict, frozen
from backports import zstd
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ndr_adapters.parquet_files import read_rows, row_frames, row_objects
from ndr_adapters.polars import row_texts
from ndr_adapters.polars.delimited import read_delimited
from ndr_adapters.polars.engine import PolarsEngine
from ndr_adapters.polars.fields import columns_of
from ndr_adapters.polars.headed import headed_blocks, joined
from ndr_adapters.polars.lines import lines_frame
from ndr_adapters.polars.parquet import RowReader
from ndr_adapters.spark.fanout.engine import FanoutEngine
from ndr_adapters.spark.fanout.exchange import SparkRunner
from ndr_core.deltas.engine import Engine
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.deltas.spec import JobSpec
from ndr_core.flows.formats import FileFormat
from ndr_core.flows.json_text import MAX_LINE_BYTES
from ndr_core.flows.line_blocks import line_blocks
from ndr_core.flows.object_reader import ObjectReader, Skipped
from ndr_core.flows.outcome import BAD_VALUE, BLANK, MALFORMED, READ, SKIPPED, key_column
from ndr_core.flows.raw_record import Blank, Malformed, object_text
from ndr_core.flows.record_reader import BadRecord, RecordReader
from ndr_core.flows.records import records_of
from tests.chains import RunnerHere
from tests.makers import differences, make_plan, make_spec, outcome_of
from tests.property.test_equivalence import CUTS, SLICE
from tests.soak import examples
from tests.support import run_engine, run_reference, spark_session

PACKINGS: list[Callable[[bytes], bytes]] = [bytes, gzip.compress, zlib.compress, zstd.compress]
NAMES = [
    "source_ip",
    "destination_ip",
    "source_port",
    "destination_port",
    "source_bytes",
    "destination_bytes",
    "event_start",
    "event_end",
    "event_action",
    "event_reason",
    "event_name",
    "network_transport",
    "state",
]
DEDUPLICATE = {"deduplicate_on": ["source_ip", "event_start", "state"]}
MAP = {
    "columns": ["network_transport", "state"],
    "values": [["tcp", "S0", "drop"], ["*", "SF", "allow"], ["6", "1", "deny"]],
    "default": "alert",
}
INPUTS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "with null texts": {"null_values": ["-", "", "0", "2025-03-01T10:00:00Z"]},
    "epoch times": {
        "fields": {
            "event_start": {"column": "event_start", "format": ["epoch_s", "iso8601"]},
            "event_end": {"column": "source_bytes", "format": "duration_ms"},
        }
    },
    "numbers in several units": {
        "fields": {
            "event_start": {"column": "event_start", "format": ["epoch_s", "epoch_ms", "iso8601"]},
            "event_end": {"column": "event_end", "format": ["duration_s", "epoch_ms", "epoch_ns"]},
        }
    },
    "nanoseconds": {
        "fields": {
            "event_start": {"column": "event_start", "format": "epoch_ns"},
            "event_end": {"column": "event_end", "format": ["epoch_us", "iso8601"]},
        }
    },
    "starts by durations": {
        "fields": {
            "event_start": {"column": "source_port", "format": "duration_us"},
            "event_end": {"column": "event_end", "format": "iso8601"},
        }
    },
    "patterns": {
        "fields": {
            "event_start": {
                "column": "event_start",
                "format": ["%Y-%m-%dT%H:%M:%S.%fZ", "iso8601", "epoch_ms"],
            }
        }
    },
    **({"in a time zone": {"timezone": "Europe/Berlin"}} if find_spec("tzdata") else {}),
    "by maps": {
        "fields": {
            "event_action": {"map": MAP},
            "event_reason": {"column": "event_reason", "map": {"SF": "tcp-fin", "1": None}},
            "destination_port": {"any_of": ["state", "destination_port"]},
            "event_name": {"any_of": ["nothing", "event_name", "event_action"]},
            "source_bytes": {"path": ["state", "bytes"]},
        }
    },
    "a part of it": {
        "only": {"state": ["SF", "S0", "1"], "event_name": {"present": True}},
        "null_values": ["-"],
    },
    "times or durations": {
        "fields": {"event_end": {"column": "event_end", "format": ["iso8601", "duration_s"]}}
    },
    "what is there": {
        "only": {name: {"present": True} for name in ("state", "source_bytes")},
        "null_values": ["-", "0", "0.0", "true"],
    },
    "one kind of log": {"only": {"_path": ["conn"], "missing": {"present": False}}},
}

_TIMES = st.one_of(
    st.integers(0, 899_999_999).map(
        lambda us: (
            f"2025-03-01T10:{us // 60_000_000:02}:{us // 1_000_000 % 60:02}.{us % 1_000_000:06}Z"
        )
    ),
    st.integers(0, 899_999_999).map(lambda us: f"{1740823200 + us / 1e6:.6f}"),
    st.sampled_from(
        [
            "2025-03-01T10:00:00Z",
            "2025-03-01 10:03:00",
            "2025-03-01t10:14:59.999999999z",
            "2025-03-01T10:03:00.5+01",
            "2025-03-01T10:03:00 UTC",
            "2025-03-30T02:30:00",
            "2025-10-26T02:30:00.000",
            "2025-03-01T10:00:60Z",
            "2025-02-29T10:00:00Z",
            "2025-03-01T10:00",
            "1740823200",
            "1740823200000",
            "1740823200000000000",
            "1e9",
            "01740823200",
            "+1740823200",
            "1740823200.",
            "inf",
            "NaN",
            "-1",
            "9" * 25,
            "",
            "-",
        ]
    ),
)
_NUMBERS = st.one_of(
    st.integers(0, 65535).map(str),
    st.integers(-5, 1 << 62).map(str),
    st.sampled_from(
        [
            "",
            "-",
            "0",
            "-0",
            "00",
            "0443",
            "+443",
            " 443",
            "443 ",
            "443.0",
            "4.43e2",
            "1e3",
            "0.5",
            "1_000",
            "٤٤٣",
            "9223372036854775807",
            "9223372036854775808",
            "9" * 30,
            "65536",
            "0x10",
            "9007199254740992.0",
            "9007199254740993.0",
            "true",
            "(empty)",
        ]
    ),
)
_ADDRESSES = st.sampled_from(
    [
        *("10.0.0.1", "10.0.0.2", "192.0.2.7", "2001:DB8::1", "::ffff:192.0.2.1", "fe80::1%eth0"),
        *("010.0.0.1", "10.0.0", "", "-", "(empty)", "host.example", "10.0.0.1 ", "1:2:3"),
    ]
)
_TEXTS = st.one_of(
    st.sampled_from(
        [
            "allow",
            "DENY",
            "drop_icmp",
            "reset both",
            "TRAFFIC",
            "THREAT",
            "tcp",
            "UDP",
            "6",
            "1",
            "icmp6",
            "",
            "-",
            "(empty)",
            "SF",
            "S0",
            "İ",
            'quo"te',
            "back\\slash",
            "#x",
            "\x00",
            "{}",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=5),
)
VALUES = {
    "source_ip": _ADDRESSES,
    "destination_ip": _ADDRESSES,
    "source_port": _NUMBERS,
    "destination_port": _NUMBERS,
    "source_bytes": _NUMBERS,
    "destination_bytes": _NUMBERS,
    "event_start": _TIMES,
    "event_end": _TIMES,
}
ROWS = st.tuples(*(VALUES.get(name, _TEXTS) for name in NAMES))
PLAIN_ROWS = st.builds(
    lambda host, port, sent, us, action, state: (
        *(host, "192.0.2.7", "50000", str(port), str(sent), "10"),
        *(f"2025-03-01T10:03:{us:02}.000001Z", f"2025-03-01T10:03:{us:02}.500000Z"),
        *(action, "aged-out", "TRAFFIC", "tcp", state),
    ),
    st.sampled_from(["10.0.0.1", "10.0.0.2", "2001:db8::1"]),
    st.integers(1, 65535),
    st.integers(0, 100_000),
    st.integers(0, 59),
    st.sampled_from(["allow", "deny"]),
    st.sampled_from(["SF", "S0"]),
)


@frozen
class Layout:
    """How a file is laid out: the keys of `input`, and the bytes of its lines."""

    keys: dict[str, Any]
    separator: str
    is_zeek: bool = False


LAYOUTS = [
    Layout({"header": "zeek"}, "\t", is_zeek=True),
    Layout({"header": "first_line"}, ","),
    Layout({"header": "first_line", "separator": " "}, " "),
    Layout({"header": NAMES, "separator": "||"}, "||"),
]
SPOILT = [
    b"",
    b"\t \r",
    b"x",
    b"\xff\xfe",
    b"\t" * 12,
    b"," * 12,
    b"#close\t1",
    b"\r",
    b"#fields\tx",
]
BENT: list[Callable[[bytes], bytes]] = [
    lambda line: line + b"\r",
    lambda line: line + b"\r\r",
    lambda line: line + b"\xff",
    lambda line: line.ljust(MAX_LINE_BYTES, b"x"),
    lambda line: line.ljust(MAX_LINE_BYTES, b"x") + b"\r",
    lambda line: line.ljust(MAX_LINE_BYTES + 1, b"x"),
]
"""What may become of a line that keeps its number of parts."""


@st.composite
def delimited_files(draw: st.DrawFn, layout: Layout) -> bytes:
    """The bytes of one file: lines in the layout, the odd one spoilt, headers that change."""
    names = NAMES
    lines: list[bytes] = []

    def head() -> None:
        if layout.is_zeek:
            lines.append(b"#separator \\x09")
            lines.extend([b"#unset_field\t-", b"#empty_field\t(empty)"] * draw(st.booleans()))
            lines.append(f"#path\t{draw(st.sampled_from(['conn', 'dns']))}".encode())
            lines.append(("#fields\t" + "\t".join(names)).encode())
        elif layout.keys["header"] == "first_line":
            lines.append(layout.separator.join(names).encode())

    head()
    for row in draw(st.lists(st.one_of(PLAIN_ROWS, ROWS), max_size=30)):
        if layout.is_zeek and draw(st.integers(0, 15)) == 0:
            names = draw(st.permutations(NAMES))
            head()
        by_name = dict(zip(NAMES, row, strict=True))
        line = layout.separator.join(by_name[name] for name in names).encode()
        lines.append(draw(st.sampled_from(BENT))(line) if draw(st.integers(0, 9)) == 0 else line)
        if draw(st.integers(0, 9)) == 0:
            lines.append(draw(st.sampled_from(SPOILT)))
    end = draw(st.sampled_from([b"\n", b"\r\n"]))
    mark = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    return mark + end.join(lines) + draw(st.sampled_from([b"", end]))


_INSTANTS = st.one_of(
    st.integers(1_740_823_200_000_000, 1_740_824_099_999_999),
    st.sampled_from(
        [0, -1, 1 << 52, (1 << 52) - 1, 253_402_300_800_000_000, 1_743_298_200_000_000]
    ),
)

_ANY_INTEGERS = st.one_of(
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.sampled_from([1 << 54, -1, 0, 1_740_823_200_000, 1_740_823_200_000_000]),
)


def _column(name: str, size: int) -> st.SearchStrategy[pa.Array]:
    """A column of any type, mostly of the one that suits it."""

    def of(values: st.SearchStrategy[Any], kind: pa.DataType) -> st.SearchStrategy[pa.Array]:
        some = st.lists(st.one_of(st.none(), values), min_size=size, max_size=size)
        return some.map(lambda found: pa.array(found, kind))

    texts = VALUES.get(name, _TEXTS)
    small = st.integers(0, 65535)
    kinds = [
        *[of(texts, pa.string())] * 3,
        of(texts, pa.dictionary(pa.int32(), pa.string())),
        *[of(small, pa.int32())] * 2,
        of(st.integers(-(1 << 63), (1 << 63) - 1), pa.int64()),
        of(st.integers(0, (1 << 64) - 1), pa.uint64()),
        of(st.one_of(small.map(float), st.floats(), st.just(2.0**53)), pa.float64()),
        of(st.floats(width=32), pa.float32()),
        of(st.booleans(), pa.bool_()),
        of(st.just(None), pa.null()),
        *[of(_INSTANTS, pa.timestamp("us", "UTC"))] * 2,
        of(_INSTANTS, pa.timestamp("us")),
        of(st.integers(0, 1 << 62), pa.timestamp("ns", "UTC")),
        of(_ANY_INTEGERS, pa.timestamp("ms", "UTC")),
        of(_ANY_INTEGERS, pa.timestamp("ms")),
        of(_ANY_INTEGERS, pa.timestamp("us", "UTC")),
        of(_ANY_INTEGERS, pa.timestamp("ns")),
        of(small.map(Decimal), pa.decimal128(10, 2)),
        of(st.binary(max_size=4), pa.binary()),
        of(st.lists(small, max_size=2), pa.list_(pa.int64())),
        of(st.fixed_dictionaries({"bytes": small}), pa.struct([("bytes", pa.int64())])),
        of(
            st.dictionaries(st.sampled_from(["bytes", "x"]), small, max_size=2).map(
                lambda found: list(found.items())
            ),
            pa.map_(pa.string(), pa.int64()),
        ),
    ]
    if name == "event_start":
        kinds += [of(_INSTANTS, pa.timestamp("us", "UTC"))] * 10
    return st.one_of(kinds)


@st.composite
def parquet_files(draw: st.DrawFn) -> bytes:
    """The bytes of one file: columns of any types, some of them missing."""
    names = [name for name in NAMES if name == "event_start" or draw(st.integers(0, 9))]
    if draw(st.booleans()):
        rows = draw(st.lists(PLAIN_ROWS, max_size=30))
        columns = {
            name: pa.array([row[NAMES.index(name)] for row in rows], pa.string()) for name in names
        }
        if draw(st.booleans()):
            columns["event_start"] = pa.array(
                [datetime(2025, 3, 1, 10, 3, row, tzinfo=UTC) for row in range(len(rows))],
                pa.timestamp("us", "UTC"),
            )
    else:
        size = draw(st.integers(0, 12))
        columns = {name: draw(_column(name, size)) for name in draw(st.permutations(names))}
    target = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), target, row_group_size=draw(st.sampled_from([1, 7, 100])))
    return bytes(target.getvalue().to_pybytes())


@frozen
class Case:
    """A mini-batch, and how it is read."""

    files: list[bytes]
    keys: dict[str, Any]
    deduplicates: bool
    in_slice: bool

    @property
    def spec(self) -> JobSpec:
        return make_spec(
            input={"preset": "paloalto", **self.keys},
            quality=DEDUPLICATE if self.deduplicates else {},
        )


def cases(
    files: st.SearchStrategy[bytes], keys: dict[str, Any], most: int = 3
) -> st.SearchStrategy[Case]:
    return st.builds(
        lambda found, name, deduplicates, in_slice: Case(
            found, {**INPUTS[name], **keys}, deduplicates, in_slice
        ),
        st.lists(files, min_size=1, max_size=most),
        st.sampled_from(list(INPUTS)),
        st.booleans(),
        st.booleans(),
    )


DELIMITED = st.sampled_from(LAYOUTS).flatmap(
    lambda layout: cases(delimited_files(layout), {"format": "delimited", **layout.keys})
)
PARQUET = cases(parquet_files(), {"format": "parquet"})


def read_by_polars(data: bytes, plan: DeltaPlan) -> list[dict[str, Any]]:
    """The records of a file, unpacked, as Polars reads them."""
    if plan.input.format is FileFormat.PARQUET:
        reader = RowReader(plan)
        frames = [reader.read(rows) for rows in row_frames([data])]
    else:
        blocks = joined(headed_blocks(line_blocks([data]), plan.input), 1 << 20)
        lines = [lines_frame(some).lazy() for some in blocks]
        frames = [read_delimited(some, plan).drop("line", "head").collect() for some in lines]
    return [row for frame in frames for row in frame.iter_rows(named=True)]


def read_by_the_core(data: bytes, plan: DeltaPlan) -> list[dict[str, Any]]:
    """The records of a file, unpacked, as the core reads them."""
    reader = RecordReader(plan.input, plan.key_columns)
    records = records_of(line_blocks([data]), plan.input, read_rows)
    if plan.input.format is FileFormat.PARQUET:
        records = records_of([data], plan.input, read_rows)
    return [_row(reader.read(record), plan) for record in records]


def _row(found: Any, plan: DeltaPlan) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(columns_of(plan))
    match found:
        case Blank():
            return row | {"outcome": BLANK}
        case Malformed():
            return row | {"outcome": MALFORMED}
        case Skipped():
            return row | {"outcome": SKIPPED}
        case BadRecord():
            return row | {"outcome": BAD_VALUE, "fault": found.field}
    keys = dict(zip(map(key_column, plan.key_columns), found.flow.keys, strict=True))
    fields = {name: value for name, value in asdict(found.flow).items() if name != "keys"}
    return row | fields | keys | {"outcome": READ}


def meaning(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What rows say: the fields of a record that is not read say nothing."""
    return [
        row
        if row["outcome"] == READ
        else {"outcome": row["outcome"], "fault": row["outcome"] == BAD_VALUE and row["fault"]}
        for row in rows
    ]


def check_reading(case: Case) -> None:
    plan = make_plan(case.spec)
    for data in case.files:
        assert meaning(read_by_polars(data, plan)) == meaning(read_by_the_core(data, plan))


def check(engine: Engine, case: Case) -> None:
    plan = make_plan(case.spec, SLICE if case.in_slice else None)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "in").mkdir()
        for number, (data, pack) in enumerate(zip(case.files, cycle(PACKINGS), strict=False)):
            (root / "in" / f"part-{number}").write_bytes(pack(data))
        expected = outcome_of(lambda: run_reference(plan, root / "in"))
        actual = outcome_of(lambda: run_engine(engine, plan, root / "in", root / "out"))
    if isinstance(expected, Exception) or isinstance(actual, Exception):
        assert str(expected) == str(actual)
    else:
        assert differences(expected, actual) == []


@settings(max_examples=examples(200), deadline=None)
@given(DELIMITED)
def test_delimited_lines_are_read_as_the_core_reads_them(case: Case) -> None:
    check_reading(case)


@settings(max_examples=examples(200), deadline=None)
@given(PARQUET)
def test_rows_of_parquet_are_read_as_the_core_reads_them(case: Case) -> None:
    check_reading(case)


@settings(max_examples=examples(100), deadline=None)
@given(parquet_files(), st.lists(st.floats(), min_size=1))
def test_the_texts_of_rows_are_those_of_the_core(data: bytes, floats: list[float]) -> None:
    frames = [
        *row_frames([data]),
        pl.DataFrame({"é": floats, 'quo"te': pl.Series(floats, dtype=pl.Float32)}),
    ]
    with patch.object(row_texts, "_FEW", 0):
        for rows in frames:
            expected = [object_text(value) for value in row_objects(rows)]
            assert row_texts.row_texts(rows).to_list() == expected


@settings(max_examples=examples(30), deadline=None)
@given(st.one_of(DELIMITED, PARQUET))
def test_polars_equals_the_reference_whatever_the_format(case: Case) -> None:
    check(PolarsEngine(), case)


@settings(max_examples=examples(30), deadline=None)
@given(st.one_of(DELIMITED, PARQUET), CUTS, st.integers(0, 99))
def test_kernels_in_any_tasks_equal_the_reference_whatever_the_format(
    case: Case, odd: Any, seed: int
) -> None:
    check(FanoutEngine(RunnerHere(seed=seed), cut=odd), case)


@settings(
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    max_examples=examples(4),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.one_of(DELIMITED, PARQUET), CUTS)
def test_spark_equals_the_reference_whatever_the_format(case: Case, odd: Any) -> None:
    check(FanoutEngine(SparkRunner(spark_session()), cut=odd), case)


@settings(max_examples=examples(20), deadline=None)
@given(
    st.lists(PLAIN_ROWS, min_size=1, max_size=30),
    st.sampled_from(LAYOUTS[1:]),
    st.sampled_from([["iso8601"], ["epoch_s", "epoch_ms", "iso8601"]]),
)
def test_plain_lines_are_read_without_the_core(
    rows: list[tuple[str, ...]], layout: Layout, formats: list[str]
) -> None:
    times = {name: {"column": name, "format": formats} for name in ("event_start", "event_end")}
    keys = {"format": "delimited", **layout.keys, "header": NAMES, "fields": times}
    plan = make_plan(make_spec(input={"preset": "paloalto", **keys}))
    lines = "".join(layout.separator.join(row) + "\n" for row in rows)

    with patch.object(ObjectReader, "read", side_effect=AssertionError):
        read = read_by_polars(lines.encode(), plan)

    assert [row["outcome"] for row in read] == [READ] * len(rows)
