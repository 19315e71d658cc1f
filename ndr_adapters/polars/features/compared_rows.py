"""The rows of correlations that are to be made, and where each of them finds its baselines."""

from __future__ import annotations

import polars as pl
from attrs import frozen

from ndr_adapters.polars.expr import compile_expr
from ndr_adapters.polars.features.grid import Grid, numbered
from ndr_adapters.polars.features.networks import segments
from ndr_core.baselines.metrics import Metric
from ndr_core.correlations.formulas import X_BUCKET
from ndr_core.correlations.plan import CorrelationPlan
from ndr_core.windows.labels import WindowLabel


@frozen
class ComparedRows:
    """For each window one row of each horizon, one behind the other."""

    windows: pl.DataFrame
    """Sorted by host and label."""
    labels: tuple[WindowLabel, ...]
    grid: Grid
    """All baselines that there can be for these windows."""
    window: pl.Series
    horizon: pl.Series
    label: pl.Series
    """Where the window, the horizon and the label of each row stand."""
    baselines: tuple[pl.Series, ...]
    """Scope by scope, the narrowest first: the number of the baseline of each row, whether there is one or not."""

    @classmethod
    def of(cls, plan: CorrelationPlan, windows: pl.DataFrame) -> ComparedRows:
        """Make the rows of windows. `windows`: rows of `fg_a` of one role, each label one of the plan."""
        ordered = windows.sort("host_ip", "window_label")
        hosts = ordered.get_column("host_ip").unique(maintain_order=True)
        its_segment = segments(hosts, plan.networks)
        all_segments = its_segment.unique().sort()
        labels = [label.name for label in plan.labels]
        grid = Grid.of(sorted(plan.horizons), labels, hosts, all_segments)
        number = pl.int_range(ordered.height * len(grid.horizons), dtype=pl.Int64, eager=True)
        window, horizon = number // len(grid.horizons), number % len(grid.horizons)
        label = numbered(ordered.get_column("window_label"), labels).gather(window)
        host = ordered.get_column("host_ip").rle_id().cast(pl.Int64).gather(window)
        segment = numbered(its_segment, all_segments.to_list()).gather(host) + hosts.len()
        network = pl.repeat(grid.places.height - 1, number.len(), dtype=pl.Int64, eager=True)
        baselines = (grid.numbers_at(horizon, label, place) for place in (host, segment, network))
        return cls(ordered, plan.labels, grid, window, horizon, label, tuple(baselines))

    def columns(self, *names: str) -> dict[str, pl.Series]:
        """Give columns of the windows, one value for each row."""
        return {name: self.windows.get_column(name).gather(self.window) for name in names}

    def horizons(self) -> pl.Series:
        """Give the name of the horizon of each row."""
        return pl.Series(self.grid.horizons).gather(self.horizon)

    def values(self, metric: Metric) -> pl.DataFrame:
        """Give the value of a metric in each row, `x`, and its `bucket`."""
        x = self.windows.select(compile_expr(metric.value).cast(pl.Int64).alias("x"))
        with_bucket = x.with_columns(compile_expr(X_BUCKET).alias("bucket"))
        return with_bucket.select(pl.all().gather(self.window))

    def are_of(self, metric: Metric, role: str) -> pl.Series:
        """Tell of each row whether it can have a metric. `role`: that of the windows."""
        of_label = pl.Series([metric.is_of(role, one) for one in self.labels], dtype=pl.Boolean)
        return of_label.gather(self.label)
