"""A table in SQL is what manifests say of its columns, and its live files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from attrs import evolve

from ndr_core.ddl.query_table import query_table
from ndr_core.errors import NdrError
from ndr_core.publishing.manifest import OutputFile
from ndr_core.publishing.published import PublishedFiles
from ndr_core.tables.columns import ColumnType
from ndr_core.tables.slices import SLICE_MINUTES_KEY
from tests.unit.core.ddl.makers import LEVELS, S3, TODAY, file_of, table_of


def found(*files: OutputFile, meanings: tuple[Mapping[str, Any], ...] = ()) -> PublishedFiles:
    columns = {"dt": "string", "sessions_cnt": "int64", "host_ip": "string", "role": "string"}
    return PublishedFiles(S3, "delta", (files,) if files else (), columns, meanings=meanings)


def test_columns_of_files_come_first_and_those_of_paths_last() -> None:
    table = query_table(found(file_of("outbound"), file_of("inbound")), TODAY)

    assert list(table.columns.items()) == [
        ("sessions_cnt", ColumnType.INT64),
        ("host_ip", ColumnType.STRING),
        ("feature_spec_version", ColumnType.STRING),
        ("dt", ColumnType.STRING),
        ("role", ColumnType.STRING),
    ]
    assert table.levels == LEVELS
    assert list(table.file_columns) == ["sessions_cnt", "host_ip"]
    assert table.values("role") == ["inbound", "outbound"]
    assert next(iter(table.addresses)) == f"{S3}/{file_of('inbound').path}"


def test_a_table_without_files_has_all_columns_and_no_levels() -> None:
    table = query_table(found(), TODAY)

    assert table.levels == ()
    assert list(table.file_columns) == ["dt", "sessions_cnt", "host_ip", "role"]


def test_the_place_of_a_level_is_counted_from_the_end_of_paths() -> None:
    table = table_of(file_of())
    parts = file_of().path.split("/")

    for level in LEVELS:
        assert parts[table.place(level)].startswith(f"{level}=")


@pytest.mark.parametrize(
    ("minutes", "step"), [((), 1), ((15,), 15), ((15, 10), 5), ((None, 15), 1), (("15",), 1)]
)
def test_slices_begin_at_minutes_that_all_runs_agree_in(
    minutes: tuple[Any, ...], step: int
) -> None:
    meanings = tuple({} if one is None else {SLICE_MINUTES_KEY: one} for one in minutes)

    assert query_table(found(file_of(), meanings=meanings), TODAY).slice_minutes == step


def test_a_type_that_is_unknown_is_named_with_its_column() -> None:
    odd = evolve(found(), columns={"host_ip": "uuid"})

    with pytest.raises(NdrError, match=r"delta\.host_ip has the type 'uuid', .* does not know"):
        query_table(odd, TODAY)


def test_files_in_folders_of_other_levels_are_named() -> None:
    other = OutputFile("delta/feature_spec_version=v1/dt=2025-03-01/part.parquet", 1, 1, "")

    with pytest.raises(NdrError, match=r"dt=2025-03-01/role=inbound/part.* lie in folders of"):
        query_table(found(other, file_of("inbound", "2025-03-01")), TODAY)
