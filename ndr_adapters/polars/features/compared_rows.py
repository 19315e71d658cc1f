"""The rows of correlations that are to be made, and where each of them finds its baselines.

For each window there is one row of each horizon, one behind the other. What belongs to metrics lies metric by metric:
all rows with the first metric, then all rows with the second one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
    """The rows of some windows."""

    windows: pl.DataFrame
    """Sorted by host and label."""
    labels: tuple[WindowLabel, ...]
    grid: Grid
    """All baselines that there can be for these windows."""
    window: pl.Series
    horizon: pl.Series
    label: pl.Series
    """Where the window, the horizon and the label of each row stand."""
    places: tuple[pl.Series, ...]
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
        segment = numbered(its_segment, all_segments).gather(host) + hosts.len()
        network = pl.repeat(grid.places.height - 1, number.len(), dtype=pl.Int64, eager=True)
        places = (grid.numbers_at(horizon, label, place) for place in (host, segment, network))
        return cls(ordered, plan.labels, grid, window, horizon, label, tuple(places))

    @property
    def count(self) -> int:
        """How many rows there are."""
        return self.window.len()

    def columns(self, *names: str) -> dict[str, pl.Series]:
        """Give columns of the windows, one value for each row."""
        return {name: self.windows.get_column(name).gather(self.window) for name in names}

    def horizons(self) -> pl.Series:
        """Give the name of the horizon of each row."""
        return pl.Series(self.grid.horizons).gather(self.horizon)

    def values(self, metrics: Sequence[Metric]) -> pl.DataFrame:
        """Give the value of each metric in each row, `x`, and its `bucket`."""
        of_windows = self.windows.select(
            compile_expr(metric.value).cast(pl.Int64).alias(metric.name) for metric in metrics
        )
        x = pl.concat(column.alias("x") for column in of_windows.iter_columns()).to_frame()
        found = x.with_columns(compile_expr(X_BUCKET).alias("bucket"))
        return found.select(
            pl.all().gather(_by_metric(self.window, len(metrics), of_windows.height))
        )

    def baselines(self, metrics: Sequence[Metric]) -> Iterator[pl.Series]:
        """Give, scope by scope, the number of the baseline of each metric in each row."""
        return (_by_metric(numbers, len(metrics), self.grid.size) for numbers in self.places)

    def are_of(self, metrics: Sequence[Metric], role: str) -> pl.Series:
        """Tell of each metric and each row whether it can have it. `role`: that of the windows."""
        of_label = [metric.is_of(role, label) for metric in metrics for label in self.labels]
        by_metric = _by_metric(self.label, len(metrics), len(self.labels))
        return pl.Series(of_label, dtype=pl.Boolean).gather(by_metric)


def _by_metric(places: pl.Series, metrics: int, size: int) -> pl.Series:
    """Places below `size`, as they stand among those of all metrics."""
    return pl.concat(places + number * size for number in range(metrics))
