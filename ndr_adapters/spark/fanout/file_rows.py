"""Rows of published files, cut into the work of tasks that read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Final, TypeAlias

import polars as pl
from attrs import define, evolve, field, frozen

from ndr_adapters.polars.addresses import Addresses
from ndr_adapters.polars.features.folder_rows import FolderRows
from ndr_adapters.polars.features.networks import sides
from ndr_adapters.polars.scan import Scanner
from ndr_core.features.networks import Hosts, Networks, Side
from ndr_core.publishing.manifest import OutputFile

ADDRESSES: Final = frozenset(("host_ip", "peer_ip"))
"""Columns of addresses, which go from task to task as numbers."""

_LEAST_READ: Final = 1 << 15
_MOST_READ: Final = 1 << 19
"""Rows that one task reads, where there are so many: a task has all of them in memory."""
_TASKS_PER_CORE: Final = 2


@frozen
class FileRows:
    """Some rows of a file, which go into a frame of this name."""

    frame: str
    file: OutputFile
    first: int
    count: int

    @property
    def is_whole(self) -> bool:
        """Whether these are all rows of the file."""
        return self.count == self.file.rows


Rows: TypeAlias = tuple[FileRows, ...]
"""What one task reads."""


def spread(files: Iterable[tuple[str, OutputFile]], cores: int) -> tuple[Rows, ...]:
    """Cut the rows of files, each with the name of a frame, into the work of tasks on some cores.

    Many rows of one file are read by several tasks, few rows of many files by one.
    """
    rows = [FileRows(name, file, 0, file.rows) for name, file in files if file.rows]
    total = sum(one.count for one in rows)
    each = min(max(-(-total // (_TASKS_PER_CORE * cores)), _LEAST_READ), _MOST_READ)
    return tuple(_bins(rows, each))


def read(rows: Rows, scanners: Mapping[str, Scanner]) -> Iterator[tuple[str, str, pl.LazyFrame]]:
    """Give the rows of a task, frame by frame: its name, the role of its rows, and the rows.

    `scanners`: name of a frame -> what reads its files.
    """
    for (name, role, is_whole), some in groupby(rows, key=_kind):
        scanner = scanners[name]
        if is_whole:
            yield name, role, scanner.scan(one.file for one in some)
        else:
            for one in some:
                yield name, role, scanner.scan([one.file]).slice(one.first, one.count)


def read_folders(rows: Rows, sources: Mapping[str, FolderRows]) -> Iterator[tuple[str, FolderRows]]:
    """Give the rows of a task of tables that lie in folders: the name of a frame, and some of its rows.

    `sources`: name of a frame -> what reads its files.
    """
    for (name, is_whole), some in groupby(rows, key=lambda one: (one.frame, one.is_whole)):
        source = sources[name]
        if is_whole:
            yield name, evolve(source, files=tuple(one.file for one in some))
        else:
            yield from ((name, source.rows_of(one.file, one.first, one.count)) for one in some)


@define
class BuiltHosts:
    """The hosts of which features are built, as one task meets them: each is looked at once."""

    hosts: Hosts
    networks: Networks
    addresses: Addresses
    _known: pl.DataFrame = field(
        factory=lambda: pl.DataFrame(schema={"host_ip": pl.UInt32(), "is_built": pl.Boolean()}),
        init=False,
    )

    def rows(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Give the rows of these hosts. `rows`: `host_ip`, as numbers, and more."""
        if self.hosts is Hosts.ALL:
            return rows
        met = rows.select(pl.col("host_ip").unique())
        new = met.join(self._known, on="host_ip", how="anti")
        if new.height:
            texts = new.select(self.addresses.text(pl.col("host_ip"))).to_series()
            is_internal = sides(texts, self.networks) == Side.INTERNAL.value
            told = new.with_columns(is_internal.alias("is_built"))
            self._known = pl.concat([self._known, told])
        built = self._known.filter("is_built").get_column("host_ip")
        # A join would take a hundred times as long where rows have histograms.
        return rows.filter(pl.col("host_ip").is_in(built.implode()))


def _kind(rows: FileRows) -> tuple[str, str, bool]:
    return rows.frame, rows.file.partition["role"], rows.is_whole


def _bins(rows: Iterable[FileRows], each: int) -> Iterator[Rows]:
    """Rows in bins of so many each; the last one may have less."""
    held: list[FileRows] = []
    room = each
    for one in rows:
        left = one
        while left.count:
            taken = min(left.count, room)
            held.append(evolve(left, count=taken))
            left = evolve(left, first=left.first + taken, count=left.count - taken)
            room -= taken
            if not room:
                yield tuple(held)
                held, room = [], each
    if held:
        yield tuple(held)
