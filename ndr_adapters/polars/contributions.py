"""Contributions of several runs to one slice, merged as they are read: a part of a table at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol

import polars as pl
from attrs import evolve, frozen
from polars.io.plugins import register_io_source

from ndr_core.deltas.tables import delta_table
from ndr_core.errors import NdrError
from ndr_core.measures.kinds import Measure
from ndr_core.publishing.manifest import OutputFile
from ndr_core.publishing.published import PublishedFiles

ROWS_AT_ONCE: Final = 1 << 20
"""Rows of delta files, or four times as many of pair files, that are in memory at once: up to 1 GB or so."""

Schema = Mapping[str, pl.DataType]


@frozen
class Part:
    """Files whose rows merge among themselves alone."""

    deltas: tuple[OutputFile, ...] = ()
    pairs: tuple[OutputFile, ...] = ()

    @property
    def weight(self) -> int:
        """Rows, pairs counted as a quarter."""
        rows = [sum(file.rows for file in files) for files in (self.deltas, self.pairs)]
        return rows[0] + rows[1] // 4

    def __add__(self, other: Part) -> Part:
        return Part(self.deltas + other.deltas, self.pairs + other.pairs)


class Merging(Protocol):
    """How rows of a table are merged: a value, of which other processes can have a copy."""

    @property
    def files(self) -> Part:
        """All files whose rows are merged."""
        ...

    @property
    def schema(self) -> Schema:
        """The columns of merged rows."""
        ...

    @property
    def delta_columns(self) -> Sequence[str]:
        """The columns of `delta_rows` that merging looks at."""
        ...

    @property
    def pair_columns(self) -> Sequence[str]:
        """The columns of `pair_rows` that merging looks at."""
        ...

    @property
    def shared_by(self) -> tuple[str, ...]:
        """Columns of all rows by which these may be shared out: those that merge are equal in them."""
        ...

    def delta_rows(self, files: Iterable[OutputFile]) -> pl.LazyFrame:
        """Give the rows of delta files."""
        ...

    def pair_rows(self, files: Iterable[OutputFile]) -> pl.LazyFrame:
        """Give the rows of pair files."""
        ...

    def merged(
        self, deltas: pl.LazyFrame, pairs: pl.LazyFrame, columns: Sequence[str]
    ) -> pl.DataFrame:
        """Merge rows to one per key, with at least these columns. Raises OverflowingColumnError."""
        ...


def levels_of(file: OutputFile) -> str:
    """Give the folders of a file below its table's."""
    return file.path.partition("/")[2].rpartition("/")[0]


def apart(found: PublishedFiles) -> tuple[PublishedFiles, PublishedFiles]:
    """Part files into those of folders in which one run has files, and those of folders in which several have."""
    runs_in: dict[str, set[int]] = defaultdict(set)
    for number, run in enumerate(found.by_run):
        for file in run:
            runs_in[levels_of(file)].add(number)

    def chosen(shared: bool) -> PublishedFiles:
        runs = (
            tuple(file for file in run if (len(runs_in[levels_of(file)]) > 1) is shared)
            for run in found.by_run
        )
        return evolve(found, by_run=tuple(filter(None, runs)))

    return chosen(shared=False), chosen(shared=True)


def parts_by(
    deltas: Iterable[OutputFile],
    pairs: Iterable[OutputFile],
    key: Callable[[OutputFile], str],
) -> list[Part]:
    """Put files of one key together, in the order of the keys."""
    files_of: dict[str, tuple[list[OutputFile], list[OutputFile]]] = defaultdict(lambda: ([], []))
    for place, files in enumerate((deltas, pairs)):
        for file in files:
            files_of[key(file)][place].append(file)
    return [Part(*(tuple(files) for files in files_of[name])) for name in sorted(files_of)]


def few(parts: Iterable[Part], weight: int = ROWS_AT_ONCE) -> Iterator[Part]:
    """Put parts together while they are small, up to a weight: what is done with each has a cost of its own."""
    waiting = Part()
    for part in parts:
        if waiting.weight and waiting.weight + part.weight > weight:
            yield waiting
            waiting = Part()
        waiting += part
    if waiting != Part():
        yield waiting


def merged_lazily(parts: Sequence[Part], merging: Merging, keys: Iterable[str]) -> pl.LazyFrame:
    """Give the merged rows of parts as a lazy frame, which merges some at a time as it is read.

    Only the columns that a query asks for are made. A condition on keys alone is met before merging. A part that is
    too large is shared out by host, where rows of several hosts are not merged.
    """
    schema = merging.schema
    shared_by = "host_ip" if "host_ip" in merging.shared_by else None
    key_names = frozenset(keys)

    def read(
        columns: list[str] | None,
        condition: pl.Expr | None,
        rows: int | None,
        _batch: int | None,
    ) -> Iterator[pl.DataFrame]:
        asked = list(schema) if columns is None else columns
        before, after = None, condition
        needed = list(asked)
        if condition is not None:
            roots = condition.meta.root_names()
            if key_names.issuperset(roots):
                before, after = condition, None
            else:
                needed += [name for name in dict.fromkeys(roots) if name not in asked]
        left = rows
        for part in few(parts):
            for share in _shares(part, shared_by):
                found = _merged(part, merging, needed, _both(before, share))
                found = (found if after is None else found.filter(after)).select(asked)
                if left is not None:
                    found = found.head(left)
                    left -= found.height
                yield found
                if left == 0:
                    return

    return register_io_source(read, schema=dict(schema), validate_schema=True)


def _merged(
    part: Part, merging: Merging, columns: Sequence[str], condition: pl.Expr | None
) -> pl.DataFrame:
    """Merge the rows of a part for which a condition on their keys holds (None: all)."""
    deltas, pairs = merging.delta_rows(part.deltas), merging.pair_rows(part.pairs)
    return merging.merged(_where(deltas, condition), _where(pairs, condition), columns)


def _where(rows: pl.LazyFrame, condition: pl.Expr | None) -> pl.LazyFrame:
    return rows if condition is None else rows.filter(condition)


def check_known(found: PublishedFiles, columns: Iterable[str], measures: Sequence[Measure]) -> None:
    """Raise NdrError for columns of delta files that this version can't merge."""
    known = {column.name for column in delta_table(measures).columns}
    unknown = [name for name in columns if name not in known]
    if unknown:
        raise NdrError(
            f"{found.root}: this version can't merge the delta columns {', '.join(unknown)}, which it does "
            "not know; read the output with the version that wrote it"
        )


def _shares(part: Part, key: str | None) -> Iterator[pl.Expr | None]:
    """Conditions, each of which holds for so many rows of a part as may be in memory at once."""
    shares = -(-part.weight // ROWS_AT_ONCE)
    if shares < 2 or key is None:
        yield None
        return
    for share in range(shares):
        yield pl.col(key).hash() % shares == share


def _both(one: pl.Expr | None, other: pl.Expr | None) -> pl.Expr | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other
