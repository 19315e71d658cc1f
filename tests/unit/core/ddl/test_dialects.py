"""A page of SQL says what whoever runs it must know; folders with files that do not count are refused."""

from __future__ import annotations

import pytest
from attrs import evolve

from ndr_core.ddl.dialects import DIALECTS, looked_at, page, refuse_uncounted
from ndr_core.errors import NdrError
from tests.unit.core.ddl.makers import S3, file_of, table_of

FOLDERS = ["athena", "spark"]
FILES = ["clickhouse", "duckdb"]


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_a_page_has_notes_and_a_statement_for_each_table(name: str) -> None:
    tables = [table_of(file_of()), evolve(table_of(file_of()), name="pair")]

    text = page(name, S3, tables)

    notes, *statements = text.split("\n\n")
    assert all(line.startswith("-- ") for line in notes.splitlines())
    assert notes.startswith(f"-- Tables of '{S3}' for {name}\n")
    assert "\n\n".join(statements) == (
        "\n\n".join(DIALECTS[name].statement(table) for table in tables) + "\n"
    )


def test_an_address_with_a_line_break_does_not_end_the_comment() -> None:
    root = "/a\nDROP TABLE x;"

    notes = page("duckdb", root, []).splitlines()

    assert all(line.startswith("-- ") for line in notes)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_page_for_folders_says_what_has_to_hold(name: str) -> None:
    assert "Reads whole folders, of which all files counted when" in page(name, S3, [])


@pytest.mark.parametrize("name", FILES)
def test_a_page_that_names_files_says_when_to_print_it_again(name: str) -> None:
    assert "print it again when a run has published" in page(name, S3, [])


@pytest.mark.parametrize("name", FOLDERS)
def test_files_that_do_not_count_are_refused_where_folders_are_read(name: str) -> None:
    paths = [f"delta/{number}.parquet" for number in range(7)]

    with pytest.raises(
        NdrError, match=rf"OUT: {name} would read .*/4.parquet and 2 more files; try"
    ):
        refuse_uncounted(name, S3, paths)
    with pytest.raises(NdrError, match=r"what does not count: delta/0\.parquet; try again"):
        refuse_uncounted(name, S3, paths[:1])
    refuse_uncounted(name, S3, [])


@pytest.mark.parametrize("name", FILES)
def test_files_that_do_not_count_are_no_matter_where_files_are_named(name: str) -> None:
    refuse_uncounted(name, S3, ["delta/any.parquet"])


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("delta/dt=x/part.parquet", True),
        ("delta/part.txt", True),
        ("delta/dt=x/_SUCCESS", False),
        ("delta/dt=x/.crc", False),
        ("quality/dt=x/report.json", False),
    ],
)
def test_files_of_tables_are_looked_at_that_are_not_hidden(path: str, read: bool) -> None:
    assert looked_at(path, ["delta"]) == read
