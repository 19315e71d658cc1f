"""Published tables as Polars frames."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from ndr_adapters.polars.write import empty_frame
from ndr_adapters.published import Published, SliceRange, readable
from ndr_core.deltas.tables import DELTA, PAIR
from ndr_core.publishing.manifest import OutputFile


def read_deltas(
    output: Path | str, *, since: datetime | None = None, until: datetime | None = None
) -> pl.LazyFrame:
    """The published delta table of an output (a folder or `s3://..`), partition keys included as text.

    `since`, `until`: slices that start in [since, until). Only what a published run has made live: no file
    of a run that died or was replaced. Runs whose JobSpecs differ in measures or port sets make differing
    columns; a column that a row's run did not make is null. Without any rows the frame has no columns.
    A frame that is collected after a later run replaced its files fails; read it anew then.
    """
    found = readable(output, [DELTA], SliceRange(since, until))
    return scan_files(found, found.files(DELTA))


def read_pairs(
    output: Path | str, *, since: datetime | None = None, until: datetime | None = None
) -> pl.LazyFrame:
    """The published pair table of an output, as `read_deltas` reads the other; never without columns."""
    found = readable(output, [PAIR.name], SliceRange(since, until))
    files = found.files(PAIR.name)
    return scan_files(found, files) if files else empty_frame(PAIR.columns).lazy()


def scan_files(found: Published, files: Sequence[OutputFile]) -> pl.LazyFrame:
    """Published files of one table."""
    frames = [
        pl.scan_parquet(
            f"{found.root}/{file.path}",
            hive_partitioning=False,
            glob=False,
            storage_options=found.polars_options,
        ).with_columns(pl.lit(value).alias(key) for key, value in file.partition.items())
        for file in files
    ]
    return pl.concat(frames, how="diagonal") if frames else pl.LazyFrame()
