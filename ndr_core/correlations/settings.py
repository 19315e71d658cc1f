"""What the JobSpec of a job of correlations says beside what it has in common with that of baselines."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from attrs import field, frozen

from ndr_core.baselines.metrics import metrics_named
from ndr_core.baselines.settings import (
    METRIC_NAMES,
    metric_problems,
    not_among,
    segment_problems,
)
from ndr_core.correlations.formulas import ANOMALY_METRICS
from ndr_core.errors import Problem
from ndr_core.features.settings import FG_A_JOB, FG_B_JOB
from ndr_core.int64 import INT64_MAX
from ndr_core.names import PATH_SEGMENT, whole

_SEGMENT: Final = {"pattern": whole(PATH_SEGMENT)}

DEFAULT_MIN_BYTES: Final = 10_000_000


@frozen
class FgCInputs:
    """Which windows are compared, and with which baselines."""

    fg_a_job: str = field(
        default=FG_A_JOB,
        metadata={
            "doc": "name of the job whose windows are read; its feature_spec_version is the job's own",
            "schema": _SEGMENT,
        },
    )
    fg_b_job: str = field(
        default=FG_B_JOB,
        metadata={"doc": "name of the job whose baselines are read, likewise", "schema": _SEGMENT},
    )

    def problems(self) -> list[Problem]:
        """List what is wrong, by key; nothing when all is well."""
        return segment_problems(self)


@frozen
class Anomaly:
    """By which metrics a window is anomalous."""

    key_metrics: tuple[str, ...] = field(
        default=ANOMALY_METRICS,
        metadata={
            "doc": "metrics whose largest departure is anomaly_strength; if absent, "
            + ", ".join(ANOMALY_METRICS),
            "schema": METRIC_NAMES,
        },
    )

    def problems(self) -> list[Problem]:
        """List what is wrong, by key; nothing when all is well."""
        return metric_problems("key_metrics", self.key_metrics)

    def missing(self, metrics: Collection[str]) -> list[Problem]:
        """List the key metrics that are none of some metrics."""
        return not_among("key_metrics", self.key_metrics, metrics)

    @property
    def judging(self) -> tuple[str, ...]:
        """Names of the key metrics, in the order of columns."""
        return tuple(metric.name for metric in metrics_named(self.key_metrics))


@frozen
class Exfil:
    """When bytes that leave the network count."""

    min_bytes: int = field(
        default=DEFAULT_MIN_BYTES,
        metadata={
            "doc": "bytes to external peers in a window below which its exfil_score is 0",
            "schema": {"minimum": 0},
        },
    )

    def problems(self) -> list[Problem]:
        """List what is wrong, by key; nothing when all is well."""
        if 0 <= self.min_bytes <= INT64_MAX:
            return []
        return [Problem("min_bytes", f"must lie between 0 and {INT64_MAX}")]
