"""Of a file in any format the records are objects, each with the texts that are kept of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest

from ndr_core.errors import UsageError
from ndr_core.flows.formats import FileFormat, HeaderKind
from ndr_core.flows.mapping import InputMapping
from ndr_core.flows.raw_record import Blank, Malformed, RawRecord
from ndr_core.flows.records import no_rows, objects_of, records_of
from ndr_core.flows.selection import Condition, Selection

JSON = InputMapping({})
CSV = InputMapping({}, format=FileFormat.DELIMITED, separator=",", header=HeaderKind.FIRST_LINE)
PARQUET = InputMapping({}, format=FileFormat.PARQUET)
ROWS: tuple[Mapping[str, Any], ...] = ({"a": 1, "b": None}, {"a": 2, "b": {"c": "x"}})


def rows(blocks: Iterable[bytes]) -> Iterator[Mapping[str, Any]]:
    assert list(blocks) == [b"file"]
    return iter(ROWS)


def test_a_line_of_json_is_an_object_with_the_line_as_its_text() -> None:
    found = list(records_of([b'{"a": 1}\n\n', b"{\n"], JSON, no_rows))

    assert found == [RawRecord({"a": 1}, '{"a": 1}'), Blank(), Malformed("{")]


def test_a_delimited_line_has_the_text_of_its_object_beside_its_own() -> None:
    found = list(records_of([b"a,b\n1,x\n", b" \n1,2,3\n"], CSV, no_rows))

    assert found == [
        RawRecord({"a": "1", "b": "x"}, "1,x", '{"a":"1","b":"x"}'),
        Blank(),
        Malformed("1,2,3"),
    ]


def test_a_row_is_an_object_whose_text_is_that_of_the_object() -> None:
    assert list(records_of([b"file"], PARQUET, rows)) == [
        RawRecord(ROWS[0], '{"a":1,"b":null}'),
        RawRecord(ROWS[1], '{"a":2,"b":{"c":"x"}}'),
    ]


def test_the_objects_of_rows_are_the_rows() -> None:
    assert tuple(objects_of([b"file"], PARQUET, rows)) == ROWS


def test_the_objects_of_lines_are_those_of_records() -> None:
    assert list(objects_of([b"a,b\n1,x\n1\n\n"], CSV, no_rows)) == [{"a": "1", "b": "x"}]


@pytest.mark.parametrize(
    ("only", "paths"),
    [
        ((), ["conn", "dns"]),
        ((Condition(("_path",), ("conn",)),), ["conn"]),
        ((Condition(("a",), ("2",)),), ["conn", "dns"]),
    ],
)
def test_for_a_first_look_logs_of_zeek_that_are_surely_not_selected_are_passed_over(
    only: tuple[Condition, ...], paths: list[str]
) -> None:
    lines = b"#path\tconn\n#fields\ta\n1\n#path\tdns\n1\n"
    mapping = InputMapping(
        {}, format=FileFormat.DELIMITED, header=HeaderKind.ZEEK, only=Selection(only)
    )

    assert [found["_path"] for found in objects_of([lines], mapping, no_rows)] == paths


def test_where_nothing_reads_rows_a_file_of_them_is_refused() -> None:
    with pytest.raises(UsageError, match="parquet is read by Polars, which is not installed"):
        list(records_of([b"file"], PARQUET, no_rows))
