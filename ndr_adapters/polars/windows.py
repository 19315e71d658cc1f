"""Windows: any span of slices as one row per key and window."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.contributions import Part, check_known, merged_lazily, parts_by
from ndr_adapters.polars.merge import CELL_COLUMNS, Keys, merge_deltas
from ndr_adapters.polars.scan import Scanner
from ndr_adapters.polars.write import DTYPES, schema_of
from ndr_core.deltas.meaning import measures_of
from ndr_core.deltas.measures import measures_in, select_measures
from ndr_core.deltas.tables import DELTA, PAIR
from ndr_core.errors import SpecError, UsageError, shown
from ndr_core.measures.kinds import Measure, PairDerived, of_kind
from ndr_core.publishing.manifest import OutputFile
from ndr_core.publishing.published import PublishedTables, SliceRange, readable_runs
from ndr_core.tables.columns import ColumnType
from ndr_core.times import MINUTE_US, parse_bound, parse_duration, to_us

VERSION: Final = "feature_spec_version"
START: Final = "window_start_ts"
END: Final = "window_end_ts"
SEEN_BY: Final = ("host_ip", "role")


def merge_windows(
    output: PublishedTables,
    since: datetime,
    until: datetime,
    every: str = "1h",
    by: Sequence[str] = SEEN_BY,
    measures: Sequence[str] | None = None,
) -> pl.LazyFrame:
    """Merge the slices of [since, until) to one row per key and window, as if built from all their records at once.

    `every`: the length of a window, such as `1h` or `15m`; windows are aligned to it since 1970-01-01 UTC, and so
    must be `since` and `until`. `by`: `host_ip`, `role` or both: with `role` alone a row is of all hosts together, with
    `host_ip` alone of both sides. `measures`: as in a JobSpec, None for all that the tables have. Columns: `by`,
    `window_start_ts`, `window_end_ts`, `feature_spec_version`, those of the measures. Rows come in no order.

    The frame merges some windows at a time as it is read, and makes the columns that a query asks for. Raises
    UsageError for wrong arguments; when it is collected, UsageError where a slice is no part of one window,
    OverflowingColumnError where a sum leaves int64; else as `readable_runs`.
    """
    merging = window_merging(output, since, until, every, by, measures)
    if merging is None:
        return pl.LazyFrame(schema=key_schema(by))
    window_of = partial(_window_of, length=merging.length)
    parts = parts_by(merging.files.deltas, merging.files.pairs, window_of)
    return merged_lazily([part for part in parts if part.deltas], merging, merging.keys.names)


@frozen
class WindowMerging:
    """How rows of both tables are merged to one per key and window: a `Merging`."""

    files: Part
    deltas: Scanner
    pairs: Scanner
    measures: tuple[Measure, ...]
    by: tuple[str, ...]
    every: str
    length: int
    """Of a window, us."""

    @property
    def keys(self) -> Keys:
        return Keys((VERSION, START, *sorted(self.by, reverse=True)), "window", START)

    @property
    def schema(self) -> dict[str, pl.DataType]:
        measured = [column for one in self.measures for column in one.columns()]
        return {**key_schema(self.by), **schema_of(measured)}

    @property
    def delta_columns(self) -> list[str]:
        measured = [column for one in self.measures for column in one.columns()]
        stored = (column.name for column in measured if column.merge.is_stored)
        return [*self.keys.names, *stored]

    @property
    def pair_columns(self) -> list[str]:
        return [*self.keys.names, *CELL_COLUMNS]

    @property
    def shared_by(self) -> tuple[str, ...]:
        return ("host_ip",) if "host_ip" in self.by else (START, *self.by)

    def delta_rows(self, files: Iterable[OutputFile]) -> pl.LazyFrame:
        """Give the rows of delta files with their windows. Raises UsageError for slices of several windows."""
        rows = _in_windows(self.deltas.scan(files), self.length)
        _check_slices(rows, self.length, self.every)
        return rows

    def pair_rows(self, files: Iterable[OutputFile]) -> pl.LazyFrame:
        return _in_windows(self.pairs.scan(files), self.length)

    def merged(
        self, deltas: pl.LazyFrame, pairs: pl.LazyFrame, columns: Sequence[str]
    ) -> pl.DataFrame:
        needed = {*columns, START}
        found = merge_deltas(deltas, pairs, self.keys, self.measures, needed)
        return found.with_columns((pl.col(START) + timedelta(microseconds=self.length)).alias(END))


def window_merging(
    output: PublishedTables,
    since: datetime,
    until: datetime,
    every: str,
    by: Sequence[str],
    measures: Sequence[str] | None,
) -> WindowMerging | None:
    """Find the files of windows, and how they are merged; None where there are none. As `merge_windows`."""
    length = _length(every)
    for name, bound in (("since", since), ("until", until)):
        _check_aligned(name, bound, length, every)
    if since >= until:
        raise UsageError(f"until: {until} must be later than since, {since}")
    _check_by(by)
    needs_pairs = measures is None or of_kind(measures_in(measures), PairDerived)
    tables = [DELTA, PAIR.name] if needs_pairs else [DELTA]
    runs = readable_runs(output, tables, SliceRange(since, until))
    found = runs.files(DELTA)
    if not found.by_run:
        return None
    scanner = Scanner.of(found)
    known = measures_of(scanner.columns, found.meanings)
    check_known(found, scanner.names, known)
    pairs = runs.files(PAIR.name).files if needs_pairs else ()
    return WindowMerging(
        files=Part(tuple(found.files), tuple(pairs)),
        deltas=scanner,
        pairs=Scanner.of_table(runs.root, PAIR),
        measures=_chosen(known, measures),
        by=tuple(by),
        every=every,
        length=length,
    )


def _length(every: str) -> int:
    """The length of a window, us."""
    try:
        length = parse_duration(every)
    except SpecError as error:
        raise UsageError(f"every: {error}") from error
    if not length or length % MINUTE_US:
        raise UsageError(f"every: {every} is no multiple of a slice, which lasts whole minutes")
    return length


def _check_aligned(name: str, bound: datetime, length: int, every: str) -> None:
    if bound.tzinfo is None:
        raise UsageError(f"{name}: {bound} has no time zone; give one, such as datetime.UTC")
    if to_us(bound) % length:
        raise UsageError(
            f"{name}: {bound} is no multiple of {every} since 1970-01-01 UTC, where windows begin and end"
        )


def _check_by(by: Sequence[str]) -> None:
    if isinstance(by, str) or not by or len(set(by)) < len(by) or not set(by) <= set(SEEN_BY):
        raise UsageError(
            f"by: {shown(by)} must be ('host_ip', 'role'), ('host_ip',) or ('role',): "
            "each role sees every session"
        )


def _chosen(known: Sequence[Measure], names: Sequence[str] | None) -> tuple[Measure, ...]:
    if names is None:
        return tuple(known)
    there = [measure.name for measure in known]
    unknown = [name for name in names if name not in there]
    if unknown:
        raise UsageError(
            f"measures: the delta tables have no {shown(unknown[0])}; they have {', '.join(there)}"
        )
    return select_measures(known, names)


def key_schema(by: Sequence[str]) -> dict[str, pl.DataType]:
    """Give the columns that windows have without any slice."""
    text, moment = DTYPES[ColumnType.STRING], DTYPES[ColumnType.TIMESTAMP]
    return {**dict.fromkeys(by, text), START: moment, END: moment, VERSION: text}


def _window_of(file: OutputFile, length: int) -> str:
    """Name the version and the window of a file, in the order in which windows begin."""
    levels = file.partition
    start = parse_bound(f"{levels['dt']}T{levels['hh']}:{levels['mm']}:00Z", file.path)
    return f"{start // length:020} {levels[VERSION]}"


def _in_windows(rows: pl.LazyFrame, length: int) -> pl.LazyFrame:
    start = pl.col("slice_start_ts").dt.epoch("us") // length * length
    window = pl.from_epoch(start, time_unit="us").dt.replace_time_zone("UTC")
    return rows.with_columns(window.alias(START))


def _check_slices(deltas: pl.LazyFrame, length: int, every: str) -> None:
    """Raise UsageError for a slice that does not divide a window, or lies in two."""
    ends = deltas.select("slice_start_ts", "slice_end_ts").unique().collect()
    for start, end in ends.iter_rows():
        lasts = to_us(end) - to_us(start)
        if length % lasts or to_us(start) % lasts:
            raise UsageError(
                f"every: {every} is no multiple of the slices, of which that from {start} "
                f"lasts {lasts / MINUTE_US:g} minutes"
            )
