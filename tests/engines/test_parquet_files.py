"""Files of Parquet are read as the objects of their rows, whatever wrote them."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ndr_adapters.parquet_files import ROWS, read_rows, row_frames
from ndr_adapters.polars.row_texts import row_texts
from ndr_core.errors import UnreadableFileError
from ndr_core.flows.raw_record import object_text

NOON = datetime(2025, 3, 1, 10, 0, 0, 123456, UTC)


def file_of(table: pa.Table | pl.DataFrame, **options: Any) -> bytes:
    target = io.BytesIO()
    if isinstance(table, pl.DataFrame):
        table.write_parquet(target, **options)
    else:
        pq.write_table(table, target, **options)
    return target.getvalue()


def objects(table: pa.Table | pl.DataFrame, **options: Any) -> list[dict[str, Any]]:
    return list(read_rows([file_of(table, **options)]))


@pytest.mark.parametrize(
    ("values", "kind", "read"),
    [
        (["é", None, ""], pa.string(), ["é", None, ""]),
        (["a", "b", "a"], pa.dictionary(pa.int32(), pa.string()), ["a", "b", "a"]),
        (["a"], pa.large_string(), ["a"]),
        ([True, None], pa.bool_(), [True, None]),
        ([2**64 - 1, 0], pa.uint64(), [2**64 - 1, 0]),
        ([-128], pa.int8(), [-128]),
        ([None, None], pa.null(), [None, None]),
        ([0.1, float("nan"), float("-inf"), None], pa.float64(), [0.1, None, None, None]),
        ([0.5, 1.25], pa.float32(), [0.5, 1.25]),
        ([NOON, None], pa.timestamp("us", "UTC"), ["2025-03-01T10:00:00.123456Z", None]),
        ([NOON], pa.timestamp("us", "Europe/Berlin"), ["2025-03-01T10:00:00.123456Z"]),
        (
            [1999, -1],
            pa.timestamp("ns", "UTC"),
            ["1970-01-01T00:00:00.000001Z", "1969-12-31T23:59:59.999999Z"],
        ),
        ([1], pa.timestamp("ms"), ["1970-01-01T00:00:00.001000"]),
        ([Decimal("1.50"), Decimal("0.00")], pa.decimal128(10, 2), ["1.50", "0.00"]),
        ([b"\x00\xff"], pa.binary(), ["00ff"]),
        ([b"\x00\xff"], pa.binary(2), ["00ff"]),
        ([[1, None], None], pa.list_(pa.int64()), [[1, None], None]),
        (
            [{"ip": "x", "at": NOON, "in": [{"at": NOON}]}, None],
            pa.struct(
                [
                    ("ip", pa.string()),
                    ("at", pa.timestamp("ns", "UTC")),
                    ("in", pa.list_(pa.struct([("at", pa.timestamp("us"))]))),
                ]
            ),
            [
                {
                    "ip": "x",
                    "at": "2025-03-01T10:00:00.123456Z",
                    "in": [{"at": "2025-03-01T10:00:00.123456"}],
                },
                None,
            ],
        ),
        ([[("a", "1")]], pa.map_(pa.string(), pa.string()), [{"a": "1"}]),
        (
            [[("a", NOON)], None],
            pa.map_(pa.string(), pa.timestamp("us", "UTC")),
            [{"a": "2025-03-01T10:00:00.123456Z"}, None],
        ),
    ],
)
def test_a_column_is_read_by_its_type(values: list[Any], kind: Any, read: list[Any]) -> None:
    if kind == pa.timestamp("us"):
        values = [value.replace(tzinfo=None) for value in values]
    table = pa.table({"column": pa.array(values, kind)})

    assert [row["column"] for row in objects(table)] == read


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (date(2025, 3, 1), pa.date32()),
        (time(10), pa.time64("us")),
        (timedelta(1), pa.duration("us")),
        ([date(2025, 3, 1)], pa.list_(pa.date32())),
        ([(1, "a")], pa.map_(pa.int32(), pa.string())),
        ({"day": date(2025, 3, 1)}, pa.struct([("day", pa.date32())])),
    ],
)
def test_a_column_of_another_type_makes_the_file_unreadable_and_is_named(
    value: Any, kind: Any
) -> None:
    table = pa.table({"fine": [1], "when": pa.array([value], kind)})

    with pytest.raises(UnreadableFileError, match="its column 'when' is of the type"):
        objects(table)


def test_times_of_old_writers_are_read() -> None:
    table = pa.table({"at": pa.array([NOON.replace(tzinfo=None)])})

    rows = objects(table, use_deprecated_int96_timestamps=True)

    assert rows == [{"at": "2025-03-01T10:00:00.123456"}]


def test_columns_keep_their_order_in_the_text() -> None:
    frame = pl.DataFrame({"z": [1], "a": ["x"], "m": [{"y": 1.0, "b": None}]})

    assert object_text(objects(frame)[0]) == '{"z":1,"a":"x","m":{"y":1.0,"b":null}}'


@pytest.mark.parametrize("name", ["*", "^.*$", "", 'quo"te', "a.b", "é"])
def test_a_column_may_have_any_name(name: str) -> None:
    frame = pl.DataFrame({"a": [NOON], name: [1.5]})

    assert objects(frame) == [{"a": "2025-03-01T10:00:00.123456Z", name: 1.5}]
    assert row_texts(pl.concat([frame] * 200))[0] == object_text(objects(frame)[0])


def test_a_large_file_is_read_in_parts() -> None:
    frame = pl.DataFrame({"n": pl.int_range(2 * ROWS + 3, eager=True)})

    parts = list(row_frames([file_of(frame, row_group_size=50_000)]))

    assert [part.height for part in parts] == [ROWS, ROWS, 3]
    assert pl.concat(parts).equals(frame)


def test_the_bytes_may_come_in_pieces_and_none_are_no_rows() -> None:
    data = file_of(pl.DataFrame({"n": [1, 2]}))

    assert list(read_rows([data[:7], b"", data[7:]])) == [{"n": 1}, {"n": 2}]
    assert list(read_rows([])) == []
    assert list(read_rows([file_of(pl.DataFrame({"n": []}))])) == []


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (
            b'{"a": 1}\n',
            "is JSON Lines, no Parquet; set input.format to what it is, or leave it out",
        ),
        (b"hello", "is data, no Parquet"),
        (b"PAR1" + bytes(100), "can't be read as Parquet: "),
        (b"PAR1", "can't be read as Parquet: "),
    ],
)
def test_what_is_no_parquet_is_named(data: bytes, problem: str) -> None:
    with pytest.raises(UnreadableFileError, match=problem):
        list(read_rows([data]))


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_a_file_that_ends_too_early_is_unreadable(cut: int) -> None:
    data = file_of(pl.DataFrame({"n": list(range(1000))}))

    with pytest.raises(UnreadableFileError):
        list(read_rows([data[:-cut]]))


def test_pages_that_are_broken_are_unreadable() -> None:
    data = bytearray(file_of(pl.DataFrame({"n": [str(n) for n in range(5000)]})))
    data[100:400] = bytes(300)

    with pytest.raises(UnreadableFileError):
        list(read_rows([bytes(data)]))
