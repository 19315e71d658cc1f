"""Parquet files say of which format they are, and another one is refused by name."""

from __future__ import annotations

import json

import pytest

from ndr_core.tables.parquet import FORMAT_METADATA, format_problem

SPARK = "org.apache.spark.sql.parquet.row.metadata"


def spark(*metadata: dict[str, str]) -> dict[str, str]:
    return {SPARK: json.dumps({"fields": [{"metadata": one} for one in metadata]})}


@pytest.mark.parametrize(
    "metadata",
    [
        FORMAT_METADATA,
        spark(dict(FORMAT_METADATA), {}),
        {},
        spark({}),
        {SPARK: "{"},
        {SPARK: "3"},
        {SPARK: "{}"},
    ],
)
def test_files_of_this_format_or_of_none_are_read(metadata: dict[str, str]) -> None:
    assert format_problem(metadata) is None


@pytest.mark.parametrize("metadata", [{"ndr.format": "2"}, spark({}, {"ndr.format": "2"})])
def test_another_format_is_named(metadata: dict[str, str]) -> None:
    assert format_problem(metadata) == (
        "the Parquet format is '2', and this version reads 1; use a version that reads it"
    )
