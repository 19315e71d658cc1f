"""What there is to read of both tables: files as they are, and files whose rows are merged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.contributions import Merging, Part, apart, check_known, levels_of
from ndr_adapters.polars.merge import CELL_COLUMNS, SLICE_KEYS, Keys, merge_deltas, merge_pairs
from ndr_adapters.polars.scan import Scanner
from ndr_core.deltas.meaning import measures_of
from ndr_core.deltas.tables import DELTA, PAIR, delta_table
from ndr_core.measures.kinds import Measure
from ndr_core.publishing.manifest import OutputFile
from ndr_core.publishing.published import (
    PublishedFiles,
    PublishedTables,
    SliceRange,
    readable_files,
    readable_runs,
)

BATCH: Final = "mini_batch_id"
"""Tells contributions apart: a merged row is of several."""


@frozen
class DeltaMerging:
    """How rows of the delta table are merged to one per key: a `Merging`."""

    files: Part
    deltas: Scanner
    pairs: Scanner
    measures: tuple[Measure, ...]
    shared_by: ClassVar[tuple[str, ...]] = ("host_ip",)
    pair_columns: ClassVar[Sequence[str]] = (*SLICE_KEYS, *CELL_COLUMNS)

    @property
    def schema(self) -> dict[str, pl.DataType]:
        return _without_batch(self.deltas)

    @property
    def delta_columns(self) -> list[str]:
        stored = (column for column in delta_table(self.measures).columns if column.merge.is_stored)
        return [column.name for column in stored if column.name in self.schema]

    def delta_rows(self, files: Iterable[OutputFile]) -> pl.LazyFrame:
        return self.deltas.scan(files)

    def pair_rows(self, files: Iterable[OutputFile]) -> pl.LazyFrame:
        return self.pairs.scan(files)

    def merged(
        self, deltas: pl.LazyFrame, pairs: pl.LazyFrame, columns: Sequence[str]
    ) -> pl.DataFrame:
        return merge_deltas(deltas, pairs, Keys(SLICE_KEYS), self.measures, columns)


@frozen
class PairMerging:
    """How rows of the pair table are merged to one per key: a `Merging`."""

    files: Part
    pairs: Scanner
    shared_by: ClassVar[tuple[str, ...]] = ("host_ip", "peer_ip")
    delta_columns: ClassVar[Sequence[str]] = ()

    @property
    def schema(self) -> dict[str, pl.DataType]:
        return _without_batch(self.pairs)

    @property
    def pair_columns(self) -> list[str]:
        return list(self.schema)

    def delta_rows(self, files: Iterable[OutputFile]) -> pl.LazyFrame:
        del files  # no column of a pair is made of them
        return pl.LazyFrame()

    def pair_rows(self, files: Iterable[OutputFile]) -> pl.LazyFrame:
        return self.pairs.scan(files)

    def merged(
        self, deltas: pl.LazyFrame, pairs: pl.LazyFrame, columns: Sequence[str]
    ) -> pl.DataFrame:
        del deltas
        return merge_pairs(pairs, columns)


@frozen
class TableFiles:
    """What there is to read of a table."""

    found: PublishedFiles
    """All of its files."""
    alone: tuple[OutputFile, ...]
    """Those of folders with one contribution, whose rows are read as they are."""
    merging: Merging
    """How the rows of the others are merged."""


def delta_files(published: PublishedTables, slices: SliceRange) -> TableFiles:
    """Find the files of the delta table, and the pairs of those that are to be merged. Raises as `read_deltas`."""
    found = readable_files(published, DELTA, slices)
    alone, shared = apart(found)
    pairs: Sequence[OutputFile] = ()
    if shared.by_run:
        # As of one moment: the pairs of these deltas.
        runs = readable_runs(published, [DELTA, PAIR.name], slices)
        found, pairs = runs.files(DELTA), runs.files(PAIR.name).files
        alone, shared = apart(found)
    scanner = Scanner.of(found)
    measures = measures_of(scanner.columns, found.meanings)
    if shared.by_run:
        check_known(found, scanner.names, measures)
    folders = {levels_of(file) for file in shared.files}
    of_shared = tuple(file for file in pairs if levels_of(file) in folders)
    part = Part(tuple(shared.files), of_shared)
    merging = DeltaMerging(part, scanner, Scanner.of_table(found.root, PAIR), measures)
    return TableFiles(found, tuple(alone.files), merging)


def pair_files(published: PublishedTables, slices: SliceRange) -> TableFiles:
    """Find the files of the pair table. Raises as `read_pairs`."""
    found = readable_files(published, PAIR.name, slices)
    alone, shared = apart(found)
    merging = PairMerging(Part(pairs=tuple(shared.files)), Scanner.of(found))
    return TableFiles(found, tuple(alone.files), merging)


def _without_batch(scanner: Scanner) -> dict[str, pl.DataType]:
    return {name: dtype for name, dtype in scanner.schema.items() if name != BATCH}
