"""The plan of a run of FG-C: all that an engine needs to know beside what it reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from ndr_core.baselines.metrics import Metric
from ndr_core.correlations.tables import fg_c_table
from ndr_core.features.networks import Networks
from ndr_core.tables.slices import partition_of
from ndr_core.tables.table import Table
from ndr_core.windows.labels import WindowLabel


@frozen
class CorrelationPlan:
    """What the correlations of the windows that end at one anchor are."""

    anchor: int
    """The end of the windows, us."""
    labels: tuple[WindowLabel, ...]
    """The windows that are compared."""
    metrics: tuple[Metric, ...]
    """Among them `EXFIL_METRIC`, and those of `key_metrics`."""
    key_metrics: tuple[str, ...]
    """Names of those by which a window is judged as a whole."""
    horizons: tuple[str, ...]
    """Names of the horizons, such as 7d."""
    min_bytes: int
    """Bytes to external peers below which nothing is exfiltrated."""
    networks: Networks
    feature_spec_version: str
    published_at: int
    """us."""

    @property
    def table(self) -> Table:
        return fg_c_table(self.metrics)

    def constants(self) -> dict[str, Any]:
        """Give the columns that are the same in all rows, but for the role; times in us."""
        return {
            "window_end_ts": self.anchor,
            "published_at": self.published_at,
            "feature_spec_version": self.feature_spec_version,
            **partition_of(self.anchor),
        }


@frozen
class BaselineDate:
    """The baseline with which the windows of a label are compared."""

    date: int
    """T: the local date on which they begin; days since 1970-01-01."""
    start: int
    """Its start, us."""
    is_known: bool = True
    """False where its run is missing: then all that is made of it is null."""


BaselineDates = Mapping[WindowLabel, BaselineDate]
