"""The baselines of segments and of the network, compiled for Polars: those of the date before and what has changed.

Changes are what the hosts of all shares use more, or less, than the date before. Where no horizon goes on, all that
they use has come.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl
from attrs import frozen

from ndr_adapters.polars.features.baseline_frames import NAMES_TOGETHER, SEGMENT
from ndr_adapters.polars.features.baseline_hosts import FIRST, covered_windows, first_bit
from ndr_adapters.polars.features.baseline_kernel import (
    CHANGES,
    USED_CHANGES,
    USED_ROWS,
    added_rows,
    baseline_rows,
    baselines,
    refuse_negative,
    used_changes,
    with_samples,
)
from ndr_adapters.polars.features.metric_cells import (
    added_up,
    changed,
    exploded,
    histograms,
)
from ndr_adapters.polars.features.metric_codes import GROUP, PLACE, Codes
from ndr_adapters.polars.features.metric_readouts import read_off
from ndr_adapters.polars.features.metric_zeros import with_zeros
from ndr_core.baselines.plan import BaselinePlan
from ndr_core.baselines.tables import NETWORK


@frozen
class Used:
    """What the hosts of some segments use, added up by segment; or those of the network, as one segment of its name."""

    rows: pl.DataFrame
    """USED_ROWS, each key once."""
    changes: pl.DataFrame
    """USED_CHANGES, each key once."""

    @classmethod
    def of(
        cls, rows: Iterable[pl.DataFrame], changes: Iterable[pl.DataFrame], plan: BaselinePlan
    ) -> Used:
        """Add up what shares of the hosts use, as `BaselineShare` gives it: each key may come several times."""
        whole = pl.concat([pl.DataFrame(schema=USED_CHANGES), *changes])
        codes = _codes(whole.get_column(SEGMENT), plan)
        all_rows = pl.concat([pl.DataFrame(schema=USED_ROWS), *rows])
        return cls(added_rows(all_rows.lazy()), used_changes(_added(whole, codes), codes))

    def network(self, plan: BaselinePlan) -> Used:
        """Add up what all segments use, as that of one segment, whose name is that of the network."""
        one = pl.lit(NETWORK).alias(SEGMENT)
        return Used.of([self.rows.with_columns(one)], [self.changes.with_columns(one)], plan)

    def where(self, is_chosen: pl.Expr) -> Used:
        """Give what some segments use. `is_chosen`: over SEGMENT."""
        return Used(self.rows.filter(is_chosen), self.changes.filter(is_chosen))


def scope_tables(
    used: Used, scope: str, plan: BaselinePlan, former: pl.LazyFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Make the rows of `baseline` and `baseline_rows` of segments, or of the network, in the order of files.

    `used`: of all their hosts; of the network as `Used.network`; `former`: FORMER_SCOPES_COLUMNS, of these segments and
    others. Raises NdrError where the former baselines do not fit what has changed.
    """
    names = pl.concat([used.rows.get_column(SEGMENT), used.changes.get_column(SEGMENT)])
    codes = _codes(names, plan)
    place = _place(codes)
    covered = covered_windows(plan).lazy()
    on = [FIRST, "horizon", "time_band", "window_label"]
    is_cold = pl.col("support_days") < pl.col("least_support")
    rows = (
        used.rows.lazy()
        .with_columns(place, first_bit())
        .join(covered.drop("windows_cnt"), on=on, how="left")
        .with_columns(codes.row(), is_cold.cast(pl.Int64).alias("is_cold"))
        .rename({SEGMENT: "name"})
        .collect()
    )
    is_wanted = (pl.col("scope") == scope) & pl.col(SEGMENT).is_in(codes.names.to_list())
    before = former.filter(is_wanted).collect(engine="streaming")
    cells = changed(_cells(before, codes, "included"), _added(used.changes, codes))
    refuse_negative(cells, scope, codes, plan)
    samples = with_samples([cells], rows, scope, codes, plan)
    zeros = with_zeros(samples, "samples_cnt", cells, codes, plan.metrics)
    read = read_off(zeros, cells)
    group = read.get_column(GROUP)
    found = read.with_columns(
        included=histograms(group, cells), excluded=histograms(group, cells.clear())
    )
    return baselines(found, codes, scope, plan), baseline_rows(rows.lazy(), scope, plan)


def _codes(names: pl.Series, plan: BaselinePlan) -> Codes:
    return Codes.of(
        names.unique().sort(),
        (label.name for label in plan.labels),
        (metric.name for metric in plan.metrics),
        (one.horizon.name for one in plan.horizons),
        names_together=NAMES_TOGETHER,
    )


def _place(codes: Codes) -> pl.Expr:
    places = pl.int_range(codes.names.len(), dtype=pl.UInt32, eager=True)
    return pl.col(SEGMENT).replace_strict(codes.names, places).alias(PLACE)


def _added(changes: pl.DataFrame, codes: Codes) -> pl.DataFrame:
    """The cells of USED_CHANGES, each once."""
    return added_up([_cells(changes, codes, CHANGES)])


def _cells(rows: pl.DataFrame, codes: Codes, column: str) -> pl.DataFrame:
    """The cells of histograms of segments, in any order."""
    return exploded(
        rows.lazy().with_columns(_place(codes)).select(codes.group(), column).collect(), column
    )
