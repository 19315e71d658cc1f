"""The baselines of a date, compiled for Polars: counts of hosts add and subtract, and percentiles are read off them.

Rows may be shared out by host: the hosts of each share are built by themselves. What they use, added up by segment,
makes the baselines of segments and of the network, once all shares are there: see `baseline_scopes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.features.baseline_frames import (
    DATE,
    BaselineFrames,
    CellFrames,
    HorizonDates,
)
from ndr_adapters.polars.features.baseline_hosts import HostRows, host_rows
from ndr_adapters.polars.features.metric_cells import added_up, exploded, groups_of, histograms
from ndr_adapters.polars.features.metric_codes import GROUP, HOST_NUMBER, PLACE, ROW, Codes
from ndr_adapters.polars.features.metric_readouts import read_off
from ndr_adapters.polars.features.metric_zeros import with_zeros
from ndr_adapters.polars.features.networks import segments
from ndr_adapters.polars.features.summary_kernel import finished
from ndr_adapters.polars.write import DTYPES
from ndr_core.baselines.plan import BaselinePlan, HorizonPlan
from ndr_core.baselines.tables import BASELINE, BASELINE_ROWS, HOST
from ndr_core.tables.columns import ColumnType

CHUNK: Final = 256
"""Names whose histograms lie together in a file: who compares windows of some hosts, reads few others."""
SEGMENT: Final = "segment"
"""Column: the name of a segment."""
USED: Final = "used"
"""Column: the histogram that is read off."""
KEY: Final = ("role", "time_band", "window_label", "horizon")
"""Columns of the key of a baseline, beside its name and its metric."""
ADDED: Final = ("rows_included", "rows_excluded", "windows_cnt", "samples_cnt", "hosts_cnt")
"""Columns of `baseline_rows` that are sums of those of the hosts."""
_KINDS: Final = ("included", "excluded")


_KEY_TYPES: Final = dict.fromkeys((SEGMENT, *KEY), pl.String())
USED_ROWS: Final = {
    **_KEY_TYPES,
    **dict.fromkeys((*ADDED, "baseline_shift_flag", "dates_mask"), pl.Int64()),
}
"""Columns of what the rows of hosts add up to, by segment."""
USED_CELLS: Final = {**_KEY_TYPES, "metric": pl.String(), USED: DTYPES[ColumnType.HISTOGRAM]}
"""Columns of what the histograms of hosts add up to, by segment."""


@frozen
class BaselineShare:
    """The baselines of the hosts of a share."""

    plan: BaselinePlan
    dates: Sequence[HorizonDates]
    frames: BaselineFrames
    hosts: HostRows
    segments: pl.Series
    """The segment of each host, by PLACE."""

    @classmethod
    def of(
        cls, frames: BaselineFrames, plan: BaselinePlan, dates: Sequence[HorizonDates]
    ) -> BaselineShare:
        """Read the rows of a share, but no histograms.

        `dates`: of each horizon of the plan, in its order. Raises as `host_rows`.
        """
        hosts = host_rows(frames, plan, dates)
        of_hosts = segments(hosts.hosts.texts, plan.networks).alias(SEGMENT)
        return cls(plan, dates, frames, hosts, of_hosts)

    def rows(self) -> pl.DataFrame:
        """Make the rows of `baseline_rows`, sorted by role, band and key."""
        rows = self.hosts.rows.lazy().with_columns(self.hosts.codes.key("name"))
        return baseline_rows(rows, HOST, self.plan)

    def used_rows(self) -> pl.DataFrame:
        """Add up the rows by segment: gives USED_ROWS."""
        segment = pl.lit(self.segments).gather(PLACE).alias(SEGMENT)
        rows = self.hosts.rows.lazy().with_columns(*self.hosts.codes.key("name"), segment)
        return added_rows(rows)

    def baselines(self, cells: CellFrames) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Make the rows of `baseline` of some histograms, in the order in which files have them, and USED_CELLS.

        `cells`: one of the `frames`. Raises NdrError where the former baselines and the summary of the leaving date
        do not fit together.
        """
        kinds = self._kinds(cells)
        used = self._used(kinds)
        groups = groups_of(kinds).to_frame().lazy().with_columns(self.hosts.codes.row_of())
        rows = self.hosts.rows.lazy().select(ROW, "samples_cnt")
        with_samples = groups.join(rows, on=ROW, how="left", maintain_order="left")
        metrics = self.plan.metrics
        codes = self.hosts.codes
        zeros = with_zeros(with_samples, "samples_cnt", used, codes, metrics)
        read = read_off(zeros, used.filter(pl.col("bucket") >= 0))
        included, excluded = (histograms(read.get_column(GROUP), kind) for kind in kinds)
        of_segments = self._by_segment(used)
        del kinds, used
        whole = read.with_columns(included=included, excluded=excluded)
        return baselines(whole, codes, HOST, self.plan), of_segments

    def _kinds(self, cells: CellFrames) -> list[pl.DataFrame]:
        """The cells of windows that are included, and of those that are excluded, of all horizons."""
        number = self.frames.addresses.number(pl.col("host_ip")).alias(HOST_NUMBER)
        summaries, former = (
            frame.with_columns(number).drop("host_ip").collect(engine="streaming")
            for frame in (cells.summaries, cells.former)
        )
        added: list[list[pl.DataFrame]] = [[], []]
        removed: list[list[pl.DataFrame]] = [[], []]
        for horizon, dates in zip(self.plan.horizons, self.dates, strict=True):
            before = former.lazy().filter(pl.col("horizon") == horizon.horizon.name)
            of_dates = pl.col(DATE)
            come = self._groups(summaries.lazy().filter(of_dates.is_in(dates.added)), horizon)
            stay = self._groups(before if dates.goes_on else before.clear(), horizon)
            go = self._groups(summaries.lazy().filter(of_dates.is_in(dates.removed)), horizon)
            for place, kind in enumerate(_KINDS):
                added[place] += [exploded(come, kind), exploded(stay, kind)]
                removed[place].append(exploded(go, kind))
        del summaries, former, come, stay, go
        # All horizons at once: their groups differ, and each cell is sorted once.
        found = []
        for of_kind, gone in zip(added, removed, strict=True):
            found.append(added_up(of_kind, gone))
            of_kind.clear()
            self._refuse_misfits(found[-1])
        return found

    def _groups(self, rows: pl.LazyFrame, horizon: HorizonPlan) -> pl.DataFrame:
        """GROUP and the histograms of rows of a horizon."""
        named = rows.with_columns(
            self.hosts.hosts.place(), pl.lit(horizon.horizon.name).alias("horizon")
        )
        return named.select(self.hosts.codes.group(), *_KINDS).collect()

    def _refuse_misfits(self, cells: pl.DataFrame) -> None:
        """Raise NdrError where more is taken away than there was."""
        codes = self.hosts.codes
        negative = cells.lazy().filter(pl.col("count") < 0).select(codes.row_of())
        found = negative.select(*codes.key("name"), codes.place_of()).collect()
        for horizon in self.plan.horizons:
            of_horizon = found.filter(pl.col("horizon") == horizon.horizon.name)
            first = of_horizon.get_column(PLACE).min()
            if isinstance(first, int):
                raise horizon.misfit(str(self.hosts.hosts.texts[first]))

    def _used(self, kinds: Sequence[pl.DataFrame]) -> pl.DataFrame:
        """The cells that are read off: those of excluded windows, too, where a regime has changed."""
        included, excluded = kinds
        shifted = self.hosts.rows.lazy().filter(pl.col("baseline_shift_flag") == 1).select(ROW)
        more = excluded.lazy().with_columns(self.hosts.codes.row_of())
        of_shifted = more.join(shifted, on=ROW, how="semi").drop(ROW).collect()
        return added_up([included, of_shifted]) if of_shifted.height else included

    def _by_segment(self, used: pl.DataFrame) -> pl.DataFrame:
        """USED_CELLS of cells that are read off."""
        names = self.segments.unique().sort()
        codes = self.hosts.codes
        of_segments = Codes(names, codes.labels, codes.metrics, codes.horizons)
        # What is the same in all cells of a group is worked out once.
        runs = used.get_column(GROUP).rle().struct.field("value").alias(GROUP).to_frame()
        places = self.segments.replace_strict(
            names, pl.int_range(names.len(), dtype=pl.UInt32, eager=True)
        )
        group = codes.renamed(of_segments, places)
        of_run = runs.select(group).to_series()
        run = used.get_column(GROUP).rle_id()
        cells = used.with_columns(of_run.gather(run).alias(GROUP))
        return used_cells(added_up([cells]), of_segments)


def used_cells(cells: pl.DataFrame, codes: Codes) -> pl.DataFrame:
    """Give USED_CELLS of cells in order. `codes`: their names are those of segments."""
    groups = groups_of([cells])
    found = (
        groups.to_frame()
        .lazy()
        .with_columns(codes.row_of(), codes.metric_of())
        .with_columns(*codes.key(SEGMENT), pl.lit(histograms(groups, cells)).alias(USED))
    )
    return found.select(USED_CELLS.keys()).collect()


def added_rows(rows: pl.LazyFrame) -> pl.DataFrame:
    """Add up USED_ROWS of one key."""
    sums = (pl.sum(*ADDED), pl.max("baseline_shift_flag"), pl.col("dates_mask").bitwise_or())
    return rows.group_by(_KEY_TYPES.keys()).agg(*sums).select(USED_ROWS.keys()).collect()


def baselines(rows: pl.DataFrame, codes: Codes, scope: str, plan: BaselinePlan) -> pl.DataFrame:
    """Give rows in the columns of `baseline`. `rows`: GROUP, READOUT and both histograms, sorted by GROUP."""
    named = (
        codes.in_chunks(rows, CHUNK)
        .lazy()
        .with_columns(codes.row_of(), codes.metric_of())
        .with_columns(*codes.key("name"), pl.lit(scope).alias("scope"))
    )
    return finished(named, BASELINE, plan.constants())


def baseline_rows(rows: pl.LazyFrame, scope: str, plan: BaselinePlan) -> pl.DataFrame:
    """Give rows in the columns of `baseline_rows`. `rows`: KEY, `name` and the columns that are counts."""
    names = [one.horizon.name for one in plan.horizons]

    def moment(of_horizon: Iterable[int]) -> pl.Expr:
        values = pl.Series(of_horizon, dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
        return pl.col("horizon").replace_strict(pl.Series(names), values)

    named = rows.sort("role", "time_band", "name", "window_label", "horizon").with_columns(
        pl.lit(scope).alias("scope"),
        baseline_start_ts=moment(one.start for one in plan.horizons),
        baseline_end_ts=moment(one.end for one in plan.horizons),
    )
    return finished(named, BASELINE_ROWS, plan.constants())
