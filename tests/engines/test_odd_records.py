"""Records that engines once read otherwise than the reference does."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ndr_adapters.polars.engine import PolarsEngine
from ndr_core.deltas.engine import Engine
from ndr_core.deltas.reference import Tables
from ndr_core.flows.json_text import MAX_LINE_BYTES
from tests.makers import differences, make_plan, make_spec, write_batch
from tests.support import run_engine, run_reference

FIELDS: dict[str, Any] = {
    "source_ip": "a",
    "destination_ip": "b",
    "source_bytes": "n",
    "destination_port": "p",
    "event_start": {"column": "t", "format": "epoch_s"},
    "event_action": "act",
}
HEAD = b"a,b,n,p,t,act\n"
LINE = b"10.0.0.1,10.0.0.2,5,443,1740823200,allow"


def read_alike(
    data: bytes,
    folder: Path,
    fields: dict[str, Any] | None = None,
    quality: dict[str, Any] | None = None,
    **keys: Any,
) -> Tables:
    """What the reference gives of a file; Polars must give the same."""
    plan = make_plan(
        make_spec(input={"fields": FIELDS | (fields or {}), **keys}, quality=quality or {})
    )
    (folder / "in").mkdir()
    (folder / "in" / "part").write_bytes(data)
    expected = run_reference(plan, folder / "in")
    actual = run_engine(PolarsEngine(), plan, folder / "in", folder / "out")
    assert differences(expected, actual) == []
    return expected


def read_column_alike(folder: Path, column: pl.Series, **keys: Any) -> Tables:
    """The same of rows of Parquet that are alike but for the column `x`."""
    times = pl.repeat(1740823200, len(column), eager=True)
    fixed = dict(zip("abnp", ("10.0.0.1", "10.0.0.2", 5, 443), strict=True))
    rows = pl.DataFrame({"t": times, "x": column}).with_columns(
        pl.lit(value).alias(name) for name, value in fixed.items()
    )
    target = io.BytesIO()
    rows.write_parquet(target)
    return read_alike(target.getvalue(), folder, format="parquet", **keys)


def read_lines_alike(folder: Path, *lines: bytes) -> Tables:
    data = HEAD + b"\n".join(lines) + b"\n"
    return read_alike(data, folder, format="delimited", header="first_line")


@pytest.mark.parametrize("others", [(), (b"\xff",)])
def test_of_a_delimited_line_one_carriage_return_is_cut_whatever_its_neighbours(
    others: tuple[bytes, ...], tmp_path: Path
) -> None:
    found = read_lines_alike(tmp_path, LINE[:-5] + b"odd\r\r", *others)

    assert found.report.kept == 1
    assert found.report.unknown["event_action"] == {"odd\r": 1}


@pytest.mark.parametrize(
    "line",
    [
        LINE + b"\xff",
        LINE.ljust(MAX_LINE_BYTES + 1, b"x"),
        LINE.ljust(MAX_LINE_BYTES, b"x") + b"\r",
    ],
    ids=["undecodable", "too long", "too long by its carriage return"],
)
def test_the_quarantine_has_no_object_of_a_malformed_line_that_has_all_its_parts(
    line: bytes, tmp_path: Path
) -> None:
    (found,) = read_lines_alike(tmp_path, LINE, line).quarantine

    assert (found.rule, found.object) == ("malformed_record", None)


def test_a_line_of_json_that_is_too_long_by_its_carriage_return_is_malformed(
    tmp_path: Path,
) -> None:
    line = b'{"a":"10.0.0.1","b":"10.0.0.2","n":5,"p":443,"t":1740823200,"act":"allow","x":"'
    line = line.ljust(MAX_LINE_BYTES - 2, b"x") + b'"}'

    found = read_alike(line + b"\n" + line + b"\r\n", tmp_path)

    assert (found.report.kept, found.report.rejected["malformed_record"]) == (1, 1)


INFINITIES = [float("inf"), float("-inf"), float("nan"), None, 1.0]


@pytest.mark.parametrize("dtype", [pl.Float32(), pl.Float64()])
@pytest.mark.parametrize("leaf", [("x",), ("x", "c")])
def test_an_infinity_of_parquet_is_no_value(
    leaf: tuple[str, ...], dtype: pl.DataType, tmp_path: Path
) -> None:
    column = pl.Series("c", INFINITIES, dtype)
    if len(leaf) > 1:
        column = column.to_frame().to_struct("x")

    found = read_column_alike(tmp_path, column, only=[{"path": list(leaf), "present": True}])

    assert (found.report.kept, found.report.skipped) == (1, 4)


FAR = [2**54, -(2**54), 2**63 - 1, -(2**63), None]


@pytest.mark.parametrize("copies", [1, 40])
@pytest.mark.parametrize("zone", [None, "UTC"])
@pytest.mark.parametrize("in_list", [False, True])
def test_a_timestamp_beyond_all_years_ends_no_run(
    in_list: bool, zone: str | None, copies: int, tmp_path: Path
) -> None:
    column = pl.Series("x", FAR * copies, pl.Int64).cast(pl.Datetime("ms", zone))
    if in_list:
        column = column.reshape((-1, 1)).arr.to_list()

    found = read_column_alike(tmp_path, column, quality={"deduplicate_on": ["t"]})

    assert (found.report.kept, found.report.rejected["duplicate"]) == (1, len(column) - 1)


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_a_timestamp_out_of_range_is_a_bad_value_of_its_field(unit: Any, tmp_path: Path) -> None:
    column = pl.Series("x", [*FAR, -1], pl.Int64).cast(pl.Datetime(unit))

    fields = {"event_end": {"column": "x", "format": "iso8601"}}
    found = read_column_alike(tmp_path, column, fields=fields)

    in_range = 1 + (unit == "ns")
    assert found.report.rejected_by_detail["bad_value: event_end"] == len(column) - in_range


@pytest.mark.parametrize("copies", [1, 40])
@pytest.mark.parametrize("formats", [["iso8601", "duration_s"], ["duration_s", "iso8601"]])
@pytest.mark.parametrize(
    "values",
    [
        pl.Series([1740823210000, -1, None], dtype=pl.Int64).cast(pl.Datetime("ms", "UTC")),
        pl.Series([10, -10, None]),
        pl.Series(["2025-03-01T10:00:10Z", "10", "-10", "x", None]),
        pl.Series(["2025-03-01T10:00:10", "10", "1" * 19, "-10", "x", None]),
    ],
)
def test_a_column_of_times_and_durations_is_read_value_by_value(
    values: pl.Series, formats: Sequence[str], copies: int, tmp_path: Path
) -> None:
    fields = {"event_end": {"column": "x", "format": formats}}

    found = read_column_alike(tmp_path, pl.concat([values] * copies), fields=fields)

    assert found.deltas[0]["duration_us_sum"] == copies * 10_000_000 * (1 + (len(values) > 3))


RECORD = {"a": "10.0.0.1", "b": "10.0.0.2", "n": 5, "p": 443, "t": 1740823200, "act": "allow"}


def read_records_alike(folder: Path, records: Sequence[dict[str, Any]], **keys: Any) -> Tables:
    """The same of records of JSON whose keys come in ever another order, so that no template reads them."""
    turned = ({**dict(list(one.items())[n % 6 :]), **one} for n, one in enumerate(records))
    return read_alike("".join(json.dumps(one) + "\n" for one in turned).encode(), folder, **keys)


@pytest.mark.parametrize(
    ("name", "value", "null"),
    [("n", 0, "0"), ("t", 1740823200.5, "1740823200.5"), ("x", 0, "0"), ("x", True, "true")],
)
def test_a_number_is_there_though_its_text_would_mean_no_value(
    name: str, value: Any, null: str, tmp_path: Path
) -> None:
    records = [RECORD | {name: value}] * 20 + [RECORD | {name: null}] * 20

    keys = {"null_values": ["-", null], "only": {name: {"present": True}}}
    found = read_records_alike(tmp_path, records, **keys)

    assert (found.report.kept, found.report.skipped) == (20, 20)


@pytest.mark.parametrize("formats", [["epoch_s", "iso8601"], ["iso8601", "epoch_s"]])
def test_a_number_of_time_is_one_though_its_text_would_mean_no_value(
    formats: list[str], tmp_path: Path
) -> None:
    fields = {"event_start": {"column": "t", "format": formats}}
    records = [RECORD | {"t": time} for time in (1740823200.5, "1740823200.5")] * 20

    found = read_records_alike(tmp_path, records, fields=fields, null_values=["1740823200.5"])

    assert (found.report.kept, found.report.rejected["missing_time"]) == (20, 20)


@pytest.mark.parametrize("time", [1740823200.5, "1740823200.5", "1740823200.0"])
def test_a_number_is_read_by_the_first_format_of_numbers_whatever_the_order_of_keys(
    time: Any, tmp_path: Path
) -> None:
    fields = {"event_start": {"column": "t", "format": ["epoch_ns", "epoch_s"]}}

    found = read_records_alike(tmp_path, [RECORD | {"t": time}] * 20, fields=fields)

    assert found.deltas[0]["slice_start_ts"] == 0


@pytest.mark.parametrize("rows", [[["*", "drop"]], [["alert", "allow"], ["*", "drop"]]])
@pytest.mark.parametrize("default", [{}, {"default": None}, {"default": "allow"}])
def test_a_star_fits_any_value_of_the_one_column_of_a_map(
    rows: list[list[str]], default: dict[str, Any], tmp_path: Path
) -> None:
    fields = {"event_action": {"map": {"columns": ["act"], "values": rows, **default}}}
    records = [RECORD | {"act": text} for text in ("alert", "x", "*", None)] * 5

    found = read_records_alike(tmp_path, records, fields=fields)

    assert found.deltas[0]["drop_cnt"] == 5 * (4 - len(rows))


def test_a_bare_value_is_one_on_every_engine_though_its_text_would_mean_no_value(
    engine: Engine, tmp_path: Path
) -> None:
    fields = {
        **FIELDS,
        "network_transport": {"map": {"columns": ["tr"], "values": [["6", "tcp"], ["*", "udp"]]}},
    }
    nulls = ["0.0", "true", "1e5", "100000.0", "-"]
    keys = {"null_values": nulls, "only": {"x": {"present": True}}}
    plan = make_plan(make_spec(input={"fields": fields, **keys}))
    values = [0.0, True, False, 1e5, "0.0", "true", "-", "x", 0, 6, 6.5, None]
    records = [RECORD | {"x": 1, "act": value, "tr": value} for value in values]
    records += [RECORD | {"x": value} for value in values]
    batch = write_batch(tmp_path / "in", [records])

    found = run_engine(engine, plan, batch, tmp_path / "out")

    assert differences(run_reference(plan, batch), found) == []
    assert found.report.skipped == 4


@pytest.mark.parametrize("formats", ["duration_s", ["iso8601", "duration_s"]])
def test_an_end_by_a_duration_that_is_no_time_is_a_bad_value_on_every_engine(
    formats: Any, engine: Engine, tmp_path: Path
) -> None:
    fields = {**FIELDS, "event_end": {"column": "d", "format": formats}}
    plan = make_plan(make_spec(input={"fields": fields}))
    took = [5, 0, -5, 4_503_599_627, -1_740_823_201, -1_740_823_200, "4503599627", None]
    batch = write_batch(tmp_path / "in", [[RECORD | {"d": seconds} for seconds in took]])

    found = run_engine(engine, plan, batch, tmp_path / "out")

    assert differences(run_reference(plan, batch), found) == []
    assert found.report.rejected_by_detail["bad_value: event_end"] == 3
