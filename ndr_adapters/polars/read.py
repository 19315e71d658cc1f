"""Published tables as Polars frames."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from ndr_adapters.local.sink import read_manifests
from ndr_adapters.polars.write import schema_of
from ndr_core.delta import DELTA_TABLE, PAIR_COLUMNS, PAIR_TABLE
from ndr_core.manifest import OutputFile, live_files


def read_deltas(output: Path | str) -> pl.LazyFrame:
    """The published delta table of an output, partition keys included as text.

    Only what a published run has made live: no file of a run that died or was replaced. Runs whose
    JobSpecs differ in measures or port sets make differing columns; a column that a row's run did not
    make is null. An output without any rows gives a frame without columns.
    """
    return scan_files(Path(output), _live(Path(output), DELTA_TABLE))


def read_pairs(output: Path | str) -> pl.LazyFrame:
    """The published pair table of an output, partition keys included as text."""
    files = _live(Path(output), PAIR_TABLE)
    return (
        scan_files(Path(output), files) if files else pl.LazyFrame(schema=schema_of(PAIR_COLUMNS))
    )


def scan_files(output: Path, files: Iterable[OutputFile]) -> pl.LazyFrame:
    """Published files of one table."""
    frames = [
        pl.scan_parquet(output / file.path, hive_partitioning=False, glob=False).with_columns(
            pl.lit(value).alias(key) for key, value in file.partition.items()
        )
        for file in files
    ]
    return pl.concat(frames, how="diagonal") if frames else pl.LazyFrame()


def _live(output: Path, table: str) -> list[OutputFile]:
    return [file for file in live_files(read_manifests(output)) if file.table == table]
