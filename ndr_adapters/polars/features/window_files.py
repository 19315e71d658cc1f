"""The published files of which the windows of an anchor are made, and their rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import polars as pl
from attrs import evolve, frozen

from ndr_adapters.polars.features.frames import HistoryRows, IntervalRows, WindowFrames
from ndr_adapters.polars.features.history_files import TableDays, table_days
from ndr_adapters.polars.features.intervals import Interval, Intervals
from ndr_adapters.polars.features.prevalence import Prevalence, prevalence_of
from ndr_adapters.polars.scan import Scanner, check_format
from ndr_core.deltas.roles import OUTBOUND
from ndr_core.deltas.tables import DELTA, PAIR, delta_table
from ndr_core.features.networks import Networks
from ndr_core.history.masks import day_bit
from ndr_core.history.prevalence import OF_WINDOW
from ndr_core.history.tables import HOST_PEER_HISTORY, PAIR_HISTORY, VIEWS
from ndr_core.publishing.manifest import OutputFile
from ndr_core.publishing.published import PublishedFiles, SliceRange, readable_runs
from ndr_core.tables.slices import TIME_LEVELS, place_us
from ndr_core.times import day_of, to_datetime
from ndr_core.windows.engine import WindowInputs
from ndr_core.windows.history_source import HistorySource
from ndr_core.windows.plan import ROLE_NAMES

HISTORY: Final = (PAIR_HISTORY, *VIEWS)


@frozen
class SliceFiles:
    """Published files of the delta or the pair table, by what they hold."""

    scanner: Scanner
    by_place: Mapping[tuple[int, str], Sequence[OutputFile]]
    """Bit of an interval, and role -> files."""

    @classmethod
    def of(
        cls, files: PublishedFiles, scanner: Scanner, version: str, intervals: Intervals
    ) -> SliceFiles:
        """Sort the files of one feature_spec_version; those outside of the intervals are left out."""
        found: dict[tuple[int, str], list[OutputFile]] = defaultdict(list)
        for file in files.files:
            levels = file.partition
            if levels["feature_spec_version"] == version:
                start = place_us("/".join(f"{level}={levels[level]}" for level in TIME_LEVELS))
                for one in intervals.parts:
                    if one.since <= start < one.until:
                        found[one.bit, levels["role"]].append(file)
        return cls(scanner, found)

    def files(self, interval: Interval, role: str) -> Sequence[OutputFile]:
        """Give the files of an interval and a role."""
        return self.by_place.get((interval.bit, role), ())

    def rows(self, interval: Interval, role: str) -> pl.LazyFrame:
        """Give rows as they lie in the slices: several contributions may hold a row of one key."""
        return self.scanner.scan(self.files(interval, role))

    def count(self, roles: Iterable[str]) -> int:
        """Count the rows of some roles."""
        wanted = set(roles)
        files = (files for (_, role), files in self.by_place.items() if role in wanted)
        return sum(file.rows for of_place in files for file in of_place)


@frozen
class ContactFiles:
    """Files of those who contacted peers in the days that count for prevalence."""

    history: TableDays | None
    """Peers of outbound hosts; None where the history of a window starts with slices."""
    days: int
    """The days that count, in masks of `history`."""
    pairs: tuple[OutputFile, ...]
    """Outbound pairs of slices: all of them count."""

    def active(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Give the rows of `history` with one of the days."""
        return rows.filter((pl.col("days_mask") & self.days) != 0)


@frozen
class WindowFiles:
    """The files of which windows are made."""

    intervals: Intervals
    deltas: SliceFiles
    pairs: SliceFiles
    history: Mapping[int, Sequence[TableDays]]
    """Day of the history that windows need -> its tables."""

    def frames(self) -> WindowFrames:
        """Give their rows."""
        rows = (
            IntervalRows(
                one,
                role,
                self.pairs.rows(one, role),
                None if one.window is None else self.deltas.rows(one, role),
            )
            for one in self.intervals.parts
            for role in ROLE_NAMES
        )
        history = (
            HistoryRows(day, role, {one.table.name: _rows_of(one, role) for one in tables})
            for day, tables in self.history.items()
            for role in ROLE_NAMES
        )
        return WindowFrames(tuple(rows), tuple(history))

    def contacts(self, source: HistorySource) -> ContactFiles:
        """Give the files by which the internal hosts of each peer are counted for the history of a window."""
        history, days = None, 0
        if source.base is not None:
            days = OF_WINDOW >> (source.day - source.base)
            tables = self.history[source.base]
            (peers,) = (one for one in tables if one.table is HOST_PEER_HISTORY)
            history = evolve(peers, files=_of_role(peers, OUTBOUND.name))
        intervals = (
            interval
            for since, until in source.slices
            if day_bit(source.day - day_of(since)) & OF_WINDOW
            for interval in self.intervals.within(since, until)
        )
        pairs = (file for one in intervals for file in self.pairs.files(one, OUTBOUND.name))
        return ContactFiles(history, days, tuple(pairs))

    def prevalence(self, source: HistorySource, networks: Networks) -> Prevalence:
        """Count the internal hosts of each peer, by the history of a window."""
        found = self.contacts(source)
        contacts = [self.pairs.scanner.scan(found.pairs)]
        if found.history is not None:
            contacts.append(found.active(_scanned(found.history, found.history.files)))
        return prevalence_of(contacts, networks)


def window_files(inputs: WindowInputs, intervals: Intervals) -> WindowFiles:
    """Find the files of which windows are made. Raises as `readable_runs`, and NdrError for unknown formats."""
    span = SliceRange(to_datetime(intervals.parts[0].since), to_datetime(intervals.parts[-1].until))
    runs = readable_runs(inputs.deltas, [DELTA, PAIR.name], span)
    deltas, pairs = runs.files(DELTA), runs.files(PAIR.name)
    for sample in pairs.samples:
        check_format(pairs.root, sample.path)
    of_pairs = Scanner.of_table(pairs.root, PAIR)
    bases = {one.base for one in inputs.history.values() if one.is_known}
    return WindowFiles(
        intervals,
        SliceFiles.of(deltas, _delta_scanner(deltas), inputs.deltas_version, intervals),
        SliceFiles.of(pairs, of_pairs, inputs.deltas_version, intervals),
        {
            day: [
                table_days(inputs.features, table, inputs.history_version, [day])
                for table in HISTORY
            ]
            for day in sorted(day for day in bases if day is not None)
        },
    )


def _delta_scanner(deltas: PublishedFiles) -> Scanner:
    """Read the columns that runs published: without any run, the keys."""
    if deltas.by_run:
        return Scanner.of(deltas)
    return Scanner.of_table(deltas.root, delta_table(()))


def _rows_of(days: TableDays, role: str) -> pl.LazyFrame:
    return _scanned(days, _of_role(days, role))


def _of_role(days: TableDays, role: str) -> tuple[OutputFile, ...]:
    """Files of one role, by their paths: to look at the path once for each row would take long."""
    return tuple(file for file in days.files if file.partition["role"] == role)


def _scanned(days: TableDays, files: Iterable[OutputFile]) -> pl.LazyFrame:
    return Scanner.of_table(days.root, days.table).scan(files)
