"""The records of a file are objects with their texts, in whatever format the file is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from ndr_core.errors import UsageError
from ndr_core.flows.formats import FileFormat, HeaderKind
from ndr_core.flows.mapping import InputMapping
from ndr_core.flows.raw_record import Blank, Malformed, RawRecord
from ndr_core.flows.records import no_rows, objects_of, records_of
from ndr_core.flows.selection import Condition, Selection

JSON = InputMapping({})
PARQUET = InputMapping({}, format=FileFormat.PARQUET)
CSV = InputMapping({}, format=FileFormat.DELIMITED, header=HeaderKind.FIRST_LINE)
CONN = Selection((Condition(("_path",), ("conn",)), Condition(("a",), ("1",))))
ZEEK = InputMapping({}, only=CONN, format=FileFormat.DELIMITED, header=HeaderKind.ZEEK)


def rows(pieces: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Stands in for what reads Parquet: a row for each piece."""
    return ({"size": len(piece)} for piece in pieces)


def test_each_format_has_records_of_objects_and_texts() -> None:
    assert list(records_of([b'{"a": 1}\n\nx\n'], JSON, no_rows)) == [
        RawRecord({"a": 1}, '{"a": 1}'),
        Blank(),
        Malformed("x"),
    ]
    assert list(records_of([b"a,b\n1,2\n", b"3\n"], CSV, no_rows)) == [
        RawRecord({"a": "1", "b": "2"}, "1,2", '{"a":"1","b":"2"}'),
        Malformed("3"),
    ]
    assert list(records_of([b"abc"], PARQUET, rows)) == [RawRecord({"size": 3}, '{"size":3}')]


def test_a_first_look_sees_the_objects_alone() -> None:
    assert list(objects_of([b"abc"], PARQUET, rows)) == [{"size": 3}]
    assert list(objects_of([b"a,b\n1,2\n\n3\n"], CSV, no_rows)) == [{"a": "1", "b": "2"}]


def test_a_first_look_passes_over_logs_of_other_kinds_than_those_to_read() -> None:
    lines = b"#path\tdns\n#fields\ta\n1\n#path\tconn\n2\n"

    assert list(objects_of([lines], ZEEK, no_rows)) == [{"_path": "conn", "a": "2"}]


def test_where_nothing_reads_parquet_the_format_is_named() -> None:
    with pytest.raises(
        UsageError, match=r"^input\.format: parquet is read by Polars, which is not"
    ):
        list(records_of([b"PAR1"], PARQUET, no_rows))
