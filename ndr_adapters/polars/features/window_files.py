"""The published files of which the windows of an anchor are made, and their rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.contributions import levels_of, merged_lazily, parts_by
from ndr_adapters.polars.features.frames import HistoryRows, IntervalRows, WindowFrames
from ndr_adapters.polars.features.history_files import TableDays, table_days
from ndr_adapters.polars.features.intervals import Interval, Intervals
from ndr_adapters.polars.features.prevalence import Prevalence, prevalence_of
from ndr_adapters.polars.scan import Scanner, check_format
from ndr_adapters.polars.table_files import TableFiles, delta_files
from ndr_core.deltas.roles import OUTBOUND
from ndr_core.deltas.tables import PAIR, delta_table
from ndr_core.features.networks import Networks
from ndr_core.history.masks import day_bit
from ndr_core.history.prevalence import OF_WINDOW
from ndr_core.history.tables import HOST_PEER_HISTORY, PAIR_HISTORY, VIEWS
from ndr_core.publishing.manifest import OutputFile
from ndr_core.publishing.published import PublishedFiles, SliceRange, readable_files
from ndr_core.tables.columns import Merge
from ndr_core.tables.slices import place_us
from ndr_core.times import day_of, to_datetime
from ndr_core.windows.engine import WindowInputs
from ndr_core.windows.history_source import HistorySource
from ndr_core.windows.plan import ROLE_NAMES

_HISTORY: Final = (PAIR_HISTORY, *VIEWS)


@frozen
class WindowFiles:
    """The files of which windows are made."""

    intervals: Intervals
    deltas: TableFiles
    pairs: PublishedFiles
    version: str
    """`feature_spec_version` of deltas and pairs."""
    history: Mapping[int, Sequence[TableDays]]
    """Day of the history that windows need -> its tables."""

    def frames(self) -> WindowFrames:
        """Give their rows."""
        rows = (
            IntervalRows(
                one,
                role,
                self._pairs(one, role),
                None if one.window is None else self._deltas(one, role),
            )
            for one in self.intervals.parts
            for role in ROLE_NAMES
        )
        history = (
            HistoryRows(
                day, role, {one.table.name: _rows_of(one, role) for one in self.history[day]}
            )
            for day in self.history
            for role in ROLE_NAMES
        )
        return WindowFrames(tuple(rows), tuple(history))

    def pair_rows(self, roles: Iterable[str]) -> int:
        """Count the rows of pairs of some roles."""
        chosen = [
            self._chosen(self.pairs.files, one, role)
            for one in self.intervals.parts
            for role in roles
        ]
        return sum(file.rows for files in chosen for file in files)

    def prevalence(self, source: HistorySource, networks: Networks) -> Prevalence:
        """Count the internal hosts of each peer, by the history of a window."""
        contacts = []
        if source.base is not None:
            days = OF_WINDOW >> (source.day - source.base)
            contacts += [
                _rows_of(one, OUTBOUND.name).filter((pl.col("days_mask") & days) != 0)
                for one in self.history[source.base]
                if one.table is HOST_PEER_HISTORY
            ]
        for since, until in source.slices:
            if day_bit(source.day - day_of(since)) & OF_WINDOW:
                contacts += [
                    self._pairs(one, OUTBOUND.name) for one in self.intervals.within(since, until)
                ]
        return prevalence_of(contacts, networks)

    def _pairs(self, interval: Interval, role: str) -> pl.LazyFrame:
        """Rows of pairs as they lie in the slices: what several contributions hold of a pair adds up."""
        scanner = Scanner.of_table(self.pairs.root, PAIR)
        return scanner.scan(self._chosen(self.pairs.files, interval, role))

    def _deltas(self, interval: Interval, role: str) -> pl.LazyFrame:
        """Rows of deltas, one of each key: contributions are merged, as their largest counts do not add up."""
        merging = self.deltas.merging
        scanner = Scanner.of(self.deltas.found)
        alone = scanner.scan(self._chosen(self.deltas.alone, interval, role))
        shared = parts_by(
            self._chosen(merging.files.deltas, interval, role),
            self._chosen(merging.files.pairs, interval, role),
            levels_of,
        )
        frames = [alone.select(list(merging.schema))]
        if shared:
            keys = [one.name for one in delta_table(()).columns if one.merge is Merge.KEY]
            frames.append(merged_lazily(shared, merging, keys))
        return pl.concat(frames)

    def _chosen(
        self, files: Iterable[OutputFile], interval: Interval, role: str
    ) -> Iterator[OutputFile]:
        for file in files:
            levels = file.partition
            if (levels["feature_spec_version"], levels["role"]) == (self.version, role):
                assert file.slice is not None, "files of tables lie in slices"
                if interval.since <= place_us(file.slice) < interval.until:
                    yield file


def window_files(inputs: WindowInputs, intervals: Intervals) -> WindowFiles:
    """Find the files of which windows are made. Raises as `readable_files`, and NdrError for unknown formats."""
    first, last = intervals.parts[0].since, intervals.parts[-1].until
    in_windows = min(one.since for one in intervals.parts if one.window is not None)
    pairs = readable_files(inputs.deltas, PAIR.name, _range(first, last))
    for sample in pairs.samples:
        check_format(pairs.root, sample.path)
    bases = {one.base for one in inputs.history.values() if one.is_known}
    return WindowFiles(
        intervals,
        delta_files(inputs.deltas, _range(in_windows, last)),
        pairs,
        inputs.deltas_version,
        {
            day: [
                table_days(inputs.features, table, inputs.history_version, [day])
                for table in _HISTORY
            ]
            for day in sorted(day for day in bases if day is not None)
        },
    )


def _range(since: int, until: int) -> SliceRange:
    return SliceRange(to_datetime(since), to_datetime(until))


def _rows_of(days: TableDays, role: str) -> pl.LazyFrame:
    """Rows of one role: files are chosen by their paths, which would take long to be looked at once for each row."""
    scanner = Scanner.of_table(days.root, days.table)
    return scanner.scan(file for file in days.files if file.partition["role"] == role)
