"""Files that tasks write, and how the driver learns of them: by results, which only a task that won has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from ndr_adapters.full_disk import full_disk_named
from ndr_adapters.polars.write import DEFAULT_LAYOUT, FileLayout, StagingRoot, write_named
from ndr_core.tables.table import Table

FILES: Final = "files"
"""Result: `name` of a staged file of a table, and its `rows`."""


def written(
    rows: pl.DataFrame,
    table: Table,
    staging: StagingRoot,
    name: str,
    layout: FileLayout = DEFAULT_LAYOUT,
) -> tuple[str, pl.DataFrame]:
    """Write rows, in the columns of a table, to files of this name, which has the token of its task.

    `layout`: as for `write_named`. Gives the files as a result, FILES.
    """
    with full_disk_named(staging.address):
        return FILES, files_frame(write_named(rows, table, staging, name, layout))


def files_frame(rows: Mapping[str, int]) -> pl.DataFrame:
    """Give staged files and their rows as a frame."""
    return pl.DataFrame(
        {"name": list(rows), "rows": list(rows.values())},
        schema={"name": pl.String(), "rows": pl.Int64()},
    )


def files_of(results: Mapping[str, pl.DataFrame], name: str = FILES) -> dict[str, int]:
    """Give the staged files that a result names, and their rows."""
    return dict(results[name].iter_rows()) if name in results else {}
