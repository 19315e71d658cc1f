"""The format version of the tables' Parquet files, in the key-value metadata of each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from ndr_core.errors import shown

PARQUET_FORMAT: Final = 1
"""Of the files that this version writes and reads. Files without any are of this one, too."""

FORMAT_KEY: Final = "ndr.format"
FORMAT_METADATA: Final[Mapping[str, str]] = {FORMAT_KEY: str(PARQUET_FORMAT)}
"""What a file's metadata says."""

_SPARK_SCHEMA: Final = "org.apache.spark.sql.parquet.row.metadata"
"""Spark SQL writes no keys of others: there the first column has the format, in the schema that Spark adds."""


def format_problem(metadata: Mapping[str, str]) -> str | None:
    """Say, by its key-value metadata, why this version can't read a file; None where it can."""
    found = metadata.get(FORMAT_KEY) or _in_schema(metadata.get(_SPARK_SCHEMA, ""))
    return None if found is None else number_problem(found)


def number_problem(found: object) -> str | None:
    """Say why this version can't read files of a format; None where it can."""
    if str(found) == str(PARQUET_FORMAT):
        return None
    return (
        f"the Parquet format is {shown(found)}, and this version reads {PARQUET_FORMAT}; "
        "use a version that reads it"
    )


def _in_schema(schema: str) -> object:
    try:
        fields = json.loads(schema)["fields"]
        return next(
            (one["metadata"][FORMAT_KEY] for one in fields if FORMAT_KEY in one["metadata"]), None
        )
    except (ValueError, LookupError, TypeError):
        return None
