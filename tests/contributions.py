"""Outputs to which several runs contributed, for readers: files of the reference's rows, and who wrote them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, field, frozen

from ndr_adapters.polars import published, table_files, windows
from ndr_adapters.polars.write import StagingRoot, write_named
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.deltas.reference import Tables
from ndr_core.publishing.manifest import OutputFile
from ndr_core.publishing.published import PublishedFiles, SliceRange
from tests.property.frames import frame_of


@frozen
class Contributed:
    """What `readable_runs` gives of an output in a folder."""

    root: str
    runs: tuple[tuple[OutputFile, ...], ...]
    columns: Mapping[str, Mapping[str, str]]
    """Table -> column -> type."""
    slices: SliceRange = field(factory=SliceRange)
    meanings: tuple[Mapping[str, Any], ...] = ()
    """`meaning_of` the specs of the runs."""

    def files(self, table: str) -> PublishedFiles:
        runs = (
            tuple(
                file for file in run if file.table == table and self.slices.holds(file.slice or "")
            )
            for run in self.runs
        )
        found = tuple(filter(None, runs))
        columns = self.columns.get(table, {})
        return PublishedFiles(self.root, table, found, columns, meanings=self.meanings)


def contribute(root: Path, parts: Iterable[tuple[Tables, DeltaPlan]]) -> Contributed:
    """Write the tables of each part to files of its own."""
    runs = []
    columns: dict[str, dict[str, str]] = {}
    for number, (tables, plan) in enumerate(parts):
        run: list[OutputFile] = []
        for table, rows in zip(plan.tables, (tables.deltas, tables.pairs), strict=True):
            known = {column.name: column.type.value for column in table.columns}
            columns.setdefault(table.name, {}).update(known)
            frame = frame_of(rows, table.columns)
            files = write_named(frame, table, StagingRoot(str(root)), f"part-{number}")
            for path, count in files.items():
                size = (root / path).stat().st_size
                run.append(OutputFile(path, count, size, ""))
        runs.append(tuple(run))
    return Contributed(str(root), tuple(runs), columns)


def published_as(output: Contributed, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let readers find this output, whichever they are asked to read."""

    def runs(_published: object, _tables: Sequence[str], slices: SliceRange) -> Contributed:
        return evolve(output, slices=slices)

    for module in (table_files, windows):
        monkeypatch.setattr(module, "readable_runs", runs)
    for module in (table_files, published):
        monkeypatch.setattr(
            module,
            "readable_files",
            lambda _published, table, slices: runs(None, [table], slices).files(table),
        )
    return object()


def zeroed_but(path: Path, columns: Iterable[str]) -> None:
    """Overwrite the bytes of all columns of a Parquet file but these: reading another one fails."""
    import pyarrow.parquet as pq

    kept = set(columns)
    metadata = pq.ParquetFile(path).metadata
    content = bytearray(path.read_bytes())
    for group in range(metadata.num_row_groups):
        for place in range(metadata.num_columns):
            column = metadata.row_group(group).column(place)
            if column.path_in_schema.partition(".")[0] not in kept:
                start = column.dictionary_page_offset or column.data_page_offset
                size = column.total_compressed_size
                content[start : start + size] = bytes(size)
    path.write_bytes(content)
