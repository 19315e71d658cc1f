"""Rows of published files with what their folders spell: the folders are read once for all rows of one."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final

import polars as pl
from attrs import evolve, frozen

from ndr_adapters.polars.scan import Scanner, check_format
from ndr_core.baselines.tables import HOST
from ndr_core.publishing.manifest import OutputFile
from ndr_core.publishing.published import PublishedTables, readable_files
from ndr_core.tables.slices import place_us
from ndr_core.tables.table import Table
from ndr_core.windows.plan import ROLE_NAMES

HOST_FOLDERS: Final = ("role", "time_band")
"""Levels below the date of the tables of baselines."""


@frozen
class FolderRows:
    """Files of one table, which lies in folders of roles."""

    scanner: Scanner
    files: tuple[OutputFile, ...]
    piece: tuple[int, int] | None = None
    """The first row and the number of rows of the only file; None: all rows of all files."""

    @classmethod
    def of_table(cls, published: PublishedTables | None, table: Table) -> FolderRows:
        """Find the files of a table that is the same in all runs. Raises as `readable_files`, and as `check_format`."""
        if published is None:
            return cls(Scanner.of_table("", table), ())
        found = readable_files(published, table.name)
        for sample in found.samples:
            check_format(found.root, sample.path)
        return cls(Scanner.of_table(found.root, table), _of_roles(found.files))

    @classmethod
    def of_runs(cls, published: PublishedTables, name: str) -> FolderRows:
        """Find the files of a table whose columns differ from run to run, likewise."""
        found = readable_files(published, name)
        return cls(Scanner.of(found), _of_roles(found.files))

    @property
    def rows(self) -> int:
        """How many rows they have."""
        return sum(file.rows for file in self.files)

    @property
    def bytes(self) -> int:
        """How many bytes they have."""
        return sum(file.bytes for file in self.files)

    def none(self) -> FolderRows:
        """Give no rows, of the same columns."""
        return evolve(self, files=())

    def rows_of(self, file: OutputFile, first: int, count: int) -> FolderRows:
        """Give some rows of a file."""
        return evolve(self, files=(file,), piece=(first, count))

    def chosen(self, wanted: Mapping[str, Iterable[str]]) -> FolderRows:
        """Choose files. `wanted`: level of their folders -> what it may spell."""
        texts = {level: frozenset(values) for level, values in wanted.items()}
        files = (
            file
            for file in self.files
            if all(file.partition[level] in known for level, known in texts.items())
        )
        return evolve(self, files=tuple(files))

    def ending(self, ends: Container[int]) -> FolderRows:
        """Choose the files of the windows that end at some moments, us."""
        files = (
            file for file in self.files if file.slice is not None and place_us(file.slice) in ends
        )
        return evolve(self, files=tuple(files))

    def folders(self, levels: Sequence[str]) -> dict[tuple[str, ...], FolderRows]:
        """Part the files by what some levels of their folders spell, in the order of the texts."""

        def spelt(file: OutputFile) -> tuple[str, ...]:
            return tuple(file.partition[level] for level in levels)

        parts = groupby(sorted(self.files, key=spelt), spelt)
        return {folder: evolve(self, files=tuple(files)) for folder, files in parts}

    def frame(self, columns: Sequence[str]) -> pl.LazyFrame:
        """Give some columns of all rows. One that no file has is null."""
        levels = [name for name in columns if name in self.scanner.partition]
        held = [name for name in columns if name in self.scanner.columns]
        absent = [
            pl.lit(None, dtype=pl.Int64).alias(name)
            for name in columns
            if name not in self.scanner.schema
        ]
        found = [
            part._scanned()
            .select(held)
            .with_columns(
                *(pl.lit(text).alias(level) for level, text in zip(levels, folder, strict=True)),
                *absent,
            )
            .select(columns)
            for folder, part in self.folders(levels).items()
        ]
        return pl.concat(found or [self.scanner.no_rows().with_columns(absent).select(columns)])

    def of_hosts(self, columns: Sequence[str], horizons: Iterable[str]) -> pl.LazyFrame:
        """Give some columns of rows of baselines, those of hosts and of some horizons: `name` as `host_ip`."""
        return self.of_scopes(columns, [HOST], horizons, "host_ip")

    def of_scopes(
        self, columns: Sequence[str], scopes: Iterable[str], horizons: Iterable[str], named: str
    ) -> pl.LazyFrame:
        """Give some columns of rows of baselines, those of some scopes and horizons: `name` as `named`."""
        wanted = {"scope": list(scopes), "horizon": list(horizons)}
        held = ("name" if name == named else name for name in columns)
        rows = self.frame([*dict.fromkeys((*held, *wanted))])
        is_wanted = (pl.col(name).is_in(values) for name, values in wanted.items())
        return rows.filter(*is_wanted).rename({"name": named}).select(columns)

    def _scanned(self) -> pl.LazyFrame:
        rows = self.scanner.scan(self.files)
        return rows if self.piece is None else rows.slice(*self.piece)


def _of_roles(files: Iterable[OutputFile]) -> tuple[OutputFile, ...]:
    return tuple(file for file in files if file.partition["role"] in ROLE_NAMES)
