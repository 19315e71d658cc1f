"""The baselines of a date, compiled for Polars: counts of hosts add and subtract, and percentiles are read off them.

Rows may be shared out by host: the hosts of each share are built by themselves. What has changed in what they use,
added up by segment, makes the baselines of segments and of the network, once all shares are there: see
`baseline_scopes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.features.baseline_frames import (
    DATE,
    SEGMENT,
    BaselineFrames,
    CellFrames,
    HorizonDates,
)
from ndr_adapters.polars.features.baseline_hosts import HostRows, host_rows
from ndr_adapters.polars.features.metric_cells import (
    added_up,
    changed,
    exploded,
    groups_of,
    histograms,
)
from ndr_adapters.polars.features.metric_codes import GROUP, HOST_NUMBER, PLACE, ROW, Codes
from ndr_adapters.polars.features.metric_readouts import read_off
from ndr_adapters.polars.features.metric_zeros import with_zeros
from ndr_adapters.polars.features.networks import segments
from ndr_adapters.polars.features.summary_kernel import finished
from ndr_adapters.polars.write import DTYPES
from ndr_core.baselines.plan import BaselinePlan
from ndr_core.baselines.tables import BASELINE, BASELINE_ROWS, HOST
from ndr_core.tables.columns import ColumnType

CHANGES: Final = "changes"
"""Column: what has come to a histogram that is read off, since the date before; counts below 0 have gone."""
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
USED_CHANGES: Final = {
    **_KEY_TYPES,
    "metric": pl.String(),
    CHANGES: DTYPES[ColumnType.HISTOGRAM],
}
"""Columns of what the changes of hosts add up to, by segment."""


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
        """Make the rows of `baseline` of some histograms, in the order in which files have them, and USED_CHANGES.

        `cells`: one of the `frames`. Raises NdrError where the former baselines and the summary of the leaving date
        do not fit together.
        """
        kinds = self._kinds(cells)
        used = self._used([one.cells for one in kinds])
        codes = self.hosts.codes
        groups = with_samples([one.cells for one in kinds], self.hosts.rows, HOST, codes, self.plan)
        zeros = with_zeros(groups, "samples_cnt", used, codes, self.plan.metrics)
        read = read_off(zeros, used)
        included, excluded = (histograms(read.get_column(GROUP), one.cells) for one in kinds)
        of_segments = self._by_segment(self._used_changes(kinds))
        del kinds, used
        whole = read.with_columns(included=included, excluded=excluded)
        return baselines(whole, codes, HOST, self.plan), of_segments

    def _kinds(self, cells: CellFrames) -> list[_Kind]:
        """The cells of windows that are included, and of those that are excluded, of all horizons."""
        number = self.frames.addresses.number(pl.col("host_ip")).alias(HOST_NUMBER)
        summaries, former = (
            frame.with_columns(number).drop("host_ip").collect(engine="streaming")
            for frame in (cells.summaries, cells.former)
        )
        before = former.lazy().filter(pl.col("horizon").is_in(self._going_on))
        stay = self._groups(before)
        added: list[list[pl.DataFrame]] = [[], []]
        removed: list[list[pl.DataFrame]] = [[], []]
        for horizon, dates in zip(self.plan.horizons, self.dates, strict=True):
            named = summaries.lazy().with_columns(pl.lit(horizon.horizon.name).alias("horizon"))
            come, go = (
                self._groups(named.filter(pl.col(DATE).is_in(of_dates)))
                for of_dates in (dates.added, dates.removed)
            )
            for place, kind in enumerate(_KINDS):
                added[place].append(exploded(come, kind))
                removed[place].append(exploded(go, kind))
        del summaries, former, before, named, come, go
        # All horizons at once: their groups differ.
        found = []
        for kind, of_kind, gone in zip(_KINDS, added, removed, strict=True):
            found.append(_Kind.of(exploded(stay, kind), added_up(of_kind, gone)))
            refuse_negative(found[-1].cells, HOST, self.hosts.codes, self.plan)
        return found

    @property
    def _going_on(self) -> list[str]:
        """Names of the horizons that go on from the baselines of the date before."""
        horizons = zip(self.plan.horizons, self.dates, strict=True)
        return [one.horizon.name for one, dates in horizons if dates.goes_on]

    def _groups(self, rows: pl.LazyFrame) -> pl.DataFrame:
        """GROUP and the histograms of rows with their `horizon`."""
        placed = rows.with_columns(self.hosts.hosts.place())
        return placed.select(self.hosts.codes.group(), *_KINDS).collect()

    def _used(self, kinds: Sequence[pl.DataFrame]) -> pl.DataFrame:
        """The cells that are read off: those of excluded windows, too, where a regime has changed."""
        included, excluded = kinds
        taken_in = self._of(self._shifted, excluded)
        return changed(included, taken_in) if taken_in.height else included

    def _used_changes(self, kinds: Sequence[_Kind]) -> pl.DataFrame:
        """What has changed in the cells that are read off, since the date before."""
        included, excluded = kinds
        taken_in = self._of(self._shifted, excluded.cells)
        were = added_up([self._of(self.hosts.shifted_before, excluded.before)])
        gone = were.with_columns(-pl.col("count"))
        return changed(changed(included.changes, taken_in), gone)

    @property
    def _shifted(self) -> pl.DataFrame:
        """ROW of those whose regime has changed."""
        return self.hosts.rows.filter(pl.col("baseline_shift_flag") == 1).select(ROW)

    def _of(self, rows: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
        """The cells of some ROWs."""
        of_rows = cells.lazy().with_columns(self.hosts.codes.row_of())
        chosen = of_rows.join(rows.lazy(), on=ROW, how="semi", maintain_order="left")
        return chosen.drop(ROW).collect()

    def _by_segment(self, used: pl.DataFrame) -> pl.DataFrame:
        """USED_CHANGES of changes."""
        names = self.segments.unique().sort()
        codes = self.hosts.codes
        of_segments = Codes.of(
            names, codes.labels, codes.metrics, codes.horizons, names_together=len(names)
        )
        # What is the same in all cells of a group is worked out once.
        runs = used.get_column(GROUP).rle().struct.field("value").alias(GROUP).to_frame()
        places = self.segments.replace_strict(
            names, pl.int_range(names.len(), dtype=pl.UInt32, eager=True)
        )
        group = codes.renamed(of_segments, places)
        of_run = runs.select(group).to_series()
        run = used.get_column(GROUP).rle_id()
        cells = used.with_columns(of_run.gather(run).alias(GROUP))
        return used_changes(added_up([cells]), of_segments)


@frozen
class _Kind:
    """The cells of windows that are included, or of those that are excluded: of the date before, and now."""

    before: pl.DataFrame
    """In any order."""
    changes: pl.DataFrame
    cells: pl.DataFrame

    @classmethod
    def of(cls, before: pl.DataFrame, changes: pl.DataFrame) -> _Kind:
        return cls(before, changes, changed(before, changes))


def used_changes(cells: pl.DataFrame, codes: Codes) -> pl.DataFrame:
    """Give USED_CHANGES of cells in order. `codes`: their names are those of segments."""
    groups = groups_of([cells])
    found = (
        groups.to_frame()
        .lazy()
        .with_columns(codes.row_of(), codes.metric_of())
        .with_columns(*codes.key(SEGMENT), pl.lit(histograms(groups, cells)).alias(CHANGES))
    )
    return found.select(USED_CHANGES.keys()).collect()


def with_samples(
    parts: Sequence[pl.DataFrame], rows: pl.DataFrame, scope: str, codes: Codes, plan: BaselinePlan
) -> pl.DataFrame:
    """Give the GROUPs of cells, in order, with their `samples_cnt`. `rows`: ROW and `samples_cnt`.

    Raises NdrError for cells that have no row.
    """
    groups = groups_of(parts).to_frame().lazy().with_columns(codes.row_of())
    samples = rows.lazy().select(ROW, "samples_cnt")
    found = groups.join(samples, on=ROW, how="left", maintain_order="left").collect()
    refuse_misfits(found.filter(pl.col("samples_cnt").is_null()), scope, codes, plan)
    return found


def refuse_negative(cells: pl.DataFrame, scope: str, codes: Codes, plan: BaselinePlan) -> None:
    """Raise NdrError where more is taken away than there was."""
    refuse_misfits(cells.filter(pl.col("count") < 0), scope, codes, plan)


def refuse_misfits(cells: pl.DataFrame, scope: str, codes: Codes, plan: BaselinePlan) -> None:
    """Raise NdrError where there are cells that must not be. It names the first of a horizon that has any."""
    found = cells.lazy().select(codes.row_of()).select(*codes.key("name")).collect()
    for horizon in plan.horizons:
        name = found.filter(pl.col("horizon") == horizon.horizon.name).get_column("name").min()
        if isinstance(name, str):
            raise horizon.misfit(scope, name)


def added_rows(rows: pl.LazyFrame) -> pl.DataFrame:
    """Add up USED_ROWS of one key."""
    sums = (pl.sum(*ADDED), pl.max("baseline_shift_flag"), pl.col("dates_mask").bitwise_or())
    return rows.group_by(_KEY_TYPES.keys()).agg(*sums).select(USED_ROWS.keys()).collect()


def baselines(rows: pl.DataFrame, codes: Codes, scope: str, plan: BaselinePlan) -> pl.DataFrame:
    """Give rows in the columns of `baseline`. `rows`: GROUP, READOUT and both histograms, sorted by GROUP."""
    named = (
        rows.lazy()
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
