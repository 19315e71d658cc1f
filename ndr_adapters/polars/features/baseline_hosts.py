"""What the baselines of hosts are made of, but for their histograms: rows, windows, samples and dates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.expr import compile_expr
from ndr_adapters.polars.features.baseline_frames import (
    DATE,
    NAMES_TOGETHER,
    BaselineFrames,
    HorizonDates,
)
from ndr_adapters.polars.features.metric_codes import HOST_NUMBER, PLACE, ROW, Codes, Hosts
from ndr_core.baselines.plan import BaselinePlan, HorizonPlan
from ndr_core.baselines.samples import SAMPLES, SHIFT
from ndr_core.baselines.tables import HOST

FIRST: Final = "first"
"""Column: the highest bit of `dates_mask`."""
_KINDS: Final = ("rows_included", "rows_excluded")
_WHO: Final = ("role", PLACE)


@frozen
class HostRows:
    """Rows of `baseline_rows` of the hosts of a share."""

    hosts: Hosts
    codes: Codes
    rows: pl.DataFrame
    """ROW, each once, PLACE and the columns that are counts."""
    shifted_before: pl.DataFrame
    """ROW, each once, of those whose regime had changed already in the baselines of the date before."""


def host_rows(
    frames: BaselineFrames, plan: BaselinePlan, horizons: Sequence[HorizonDates]
) -> HostRows:
    """Add up the rows of the hosts of a share.

    Raises NdrError where the former baselines and the summary of the leaving date do not fit together, and where a
    host has more windows than were summed up.
    """
    number = frames.addresses.number(pl.col("host_ip")).alias(HOST_NUMBER)
    rows, former = (
        frame.with_columns(number).drop("host_ip").collect(engine="streaming")
        for frame in (frames.rows, frames.former_rows)
    )
    hosts = Hosts.of(frames.addresses, [rows[HOST_NUMBER], former[HOST_NUMBER]])
    names = [one.horizon.name for one in plan.horizons]
    codes = Codes.of(
        hosts.texts,
        (label.name for label in plan.labels),
        (metric.name for metric in plan.metrics),
        names,
        names_together=NAMES_TOGETHER,
    )
    rows, former = (frame.with_columns(hosts.place()).drop(HOST_NUMBER) for frame in (rows, former))
    covered = covered_windows(plan)
    parts = [
        _Horizon(hosts, codes, horizon, dates)
        for horizon, dates in zip(plan.horizons, horizons, strict=True)
    ]
    return HostRows(
        hosts,
        codes,
        pl.concat(one.rows(rows, former, covered, plan) for one in parts),
        pl.concat(one.shifted_before(former) for one in parts),
    )


def covered_windows(plan: BaselinePlan) -> pl.DataFrame:
    """Count the windows that were summed up since each first date of each horizon.

    Gives `horizon`, FIRST, `time_band`, `window_label`, `windows_cnt`, `support_days` and `least_support`, the days
    below which a baseline is cold. What has no windows is left out.
    """
    found = []
    for horizon in plan.horizons:
        for bit in range(horizon.horizon.days):
            first = horizon.dates[-1] - bit
            support = horizon.support_since(first)
            found += [
                (
                    horizon.horizon.name,
                    bit,
                    *key,
                    windows,
                    support[key],
                    horizon.least_support(key[0]),
                )
                for key, windows in horizon.windows_since(first).items()
                if windows
            ]
    return pl.DataFrame(found, schema=_COVERED, orient="row")


_COVERED: Final = {
    "horizon": pl.String(),
    FIRST: pl.Int64(),
    "time_band": pl.String(),
    "window_label": pl.String(),
    "windows_cnt": pl.Int64(),
    "support_days": pl.Int64(),
    "least_support": pl.Int64(),
}


def first_bit() -> pl.Expr:
    """Give FIRST, over `dates_mask` above 0."""
    return (63 - pl.col("dates_mask").bitwise_leading_zeros().cast(pl.Int64)).alias(FIRST)


@frozen
class _Horizon:
    """One horizon of the hosts of a share."""

    hosts: Hosts
    codes: Codes
    plan: HorizonPlan
    dates: HorizonDates

    @property
    def name(self) -> str:
        return self.plan.horizon.name

    def rows(
        self, rows: pl.DataFrame, former: pl.DataFrame, covered: pl.DataFrame, plan: BaselinePlan
    ) -> pl.DataFrame:
        """ROW, PLACE and the columns of `baseline_rows` that are counts."""
        added, removed = (
            rows.filter(pl.col(DATE).is_in(dates))
            for dates in (self.dates.added, self.dates.removed)
        )
        before = self._before(former)
        sums = self._sums(added, before, removed)
        masks = self._masks(added, before)
        if self.dates.goes_on:
            self._refuse_misfits(sums, masks, before, removed)
        found = (
            masks.lazy()
            .with_columns(first_bit())
            .join(covered.lazy().filter(pl.col("horizon") == self.name), on=FIRST)
            .with_columns(self.codes.row())
            .join(sums.lazy().select(ROW, *_KINDS), on=ROW, how="left")
            .with_columns(pl.col(_KINDS).fill_null(0))
            .collect()
        )
        self._refuse_more(sums, found)
        is_fleeting = pl.lit(self.hosts.texts.is_in(sorted(plan.fleeting))).gather(PLACE)
        is_cold = (pl.col("support_days") < pl.col("least_support")) | is_fleeting
        return found.select(
            ROW,
            PLACE,
            *_KINDS,
            "windows_cnt",
            compile_expr(SAMPLES).alias("samples_cnt"),
            pl.lit(1, dtype=pl.Int64).alias("hosts_cnt"),
            "support_days",
            is_cold.cast(pl.Int64).alias("is_cold"),
            compile_expr(SHIFT).alias("baseline_shift_flag"),
            "dates_mask",
        )

    def shifted_before(self, former: pl.DataFrame) -> pl.DataFrame:
        """ROW, each once, of those whose regime had changed in the baselines of the date before."""
        is_shifted = compile_expr(SHIFT) == 1
        return self._before(former).filter(is_shifted).select(self.codes.row())

    def _before(self, former: pl.DataFrame) -> pl.DataFrame:
        """The rows of the date before that are gone on from."""
        of_horizon = former.filter(pl.col("horizon") == self.name)
        return of_horizon if self.dates.goes_on else of_horizon.clear()

    def _sums(
        self, added: pl.DataFrame, before: pl.DataFrame, removed: pl.DataFrame
    ) -> pl.DataFrame:
        """ROW, _WHO and the rows of each kind, of those with any."""
        parts = (
            part.select(
                *_WHO,
                "time_band",
                "window_label",
                pl.lit(self.name).alias("horizon"),
                *(pl.col(kind) * sign for kind in _KINDS),
            )
            for part, sign in ((added, 1), (before, 1), (removed, -1))
        )
        return (
            pl.concat(parts)
            .lazy()
            .select(self.codes.row(), *_WHO, *_KINDS)
            .group_by(ROW, *_WHO)
            .agg(pl.sum(*_KINDS))
            .filter(pl.any_horizontal(pl.col(_KINDS) != 0))
            .collect()
        )

    def _masks(self, added: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
        """_WHO and `dates_mask`, of those with any date."""
        dates = sorted(self.dates.added)
        bits = pl.Series([self.plan.date_bit(date) for date in dates], dtype=pl.Int64)
        today = added.select(
            *_WHO,
            pl.col(DATE).replace_strict(pl.Series(dates, dtype=pl.Int64), bits).alias("dates_mask"),
        )
        shifted = before.select(*_WHO, pl.col("dates_mask") * 2 % self._past)
        masks = pl.concat([today, shifted]).lazy().group_by(*_WHO)
        return (
            masks.agg(pl.col("dates_mask").bitwise_or()).filter(pl.col("dates_mask") != 0).collect()
        )

    @property
    def _past(self) -> int:
        """The bit of the date before the first one."""
        return 1 << self.plan.horizon.days

    def _refuse_misfits(
        self, sums: pl.DataFrame, masks: pl.DataFrame, before: pl.DataFrame, removed: pl.DataFrame
    ) -> None:
        """Raise NdrError where not all that is taken away was there, or where more of it was there."""
        left = before.filter(pl.col("dates_mask") * 2 >= self._past).select(_WHO).unique()
        taken = removed.select(_WHO).unique()
        misfits = pl.concat(
            [
                left.join(taken, on=_WHO, how="anti"),
                taken.join(left, on=_WHO, how="anti"),
                sums.filter(pl.any_horizontal(pl.col(_KINDS) < 0)).select(_WHO),
                sums.join(masks, on=_WHO, how="anti").select(_WHO),
            ]
        )
        if misfits.height:
            raise self.plan.misfit(HOST, self._first_host(misfits))

    def _refuse_more(self, sums: pl.DataFrame, found: pl.DataFrame) -> None:
        """Raise NdrError where a host has more windows than were summed up."""
        windows = found.select(ROW, "windows_cnt")
        known = sums.join(windows, on=ROW, how="left")
        rows = pl.sum_horizontal(_KINDS)
        too_many = known.filter((rows > pl.col("windows_cnt")).fill_null(True))
        if too_many.height:
            raise self.plan.too_many(self._first_host(too_many))

    def _first_host(self, rows: pl.DataFrame) -> str:
        first = rows.get_column(PLACE).min()
        assert isinstance(first, int)
        return str(self.hosts.texts[first])
