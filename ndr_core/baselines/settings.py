"""What JobSpecs say of baselines: of which numbers, how far back, and what is no part of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from attrs import asdict, field, frozen

from ndr_core.baselines.horizon import DEFAULT_GAPS, MONTH_DAYS, WEEK_DAYS, Horizon
from ndr_core.baselines.metrics import (
    DEFAULT_KEY_METRICS,
    DEFAULT_METRICS,
    METRICS,
    Metric,
    metrics_named,
)
from ndr_core.errors import Problem, SpecError, nearest, shown, too_many
from ndr_core.features.settings import FG_A_JOB
from ndr_core.names import PATH_SEGMENT, PATH_SEGMENT_RULE, is_path_segment, whole
from ndr_core.times import parse_bound

_MOST_GAP: Final = 366
_MOST_PERIODS: Final = 10_000
_MOST_PREFIXES: Final = 1_000
_KNOWN: Final = tuple(metric.name for metric in METRICS)
METRIC_NAMES: Final = {"minItems": 1, "uniqueItems": True, "items": {"enum": list(_KNOWN)}}
_GAP: Final = {"minimum": 0, "maximum": _MOST_GAP}
_SEGMENT: Final = {"pattern": whole(PATH_SEGMENT)}

NEEDED_METRIC: Final = "ext_bytes_sent_sum"
"""The metric without which exfiltration can't be told."""


@frozen
class BaselineSettings:
    """What has a baseline, and how far it goes back: jobs of baselines and of correlations agree in it."""

    metrics: tuple[str, ...] = field(
        default=DEFAULT_METRICS,
        metadata={
            "doc": "numbers of windows that have a baseline, such as bytes_sent_sum; if absent, those that the manual "
            f"lists. {NEEDED_METRIC} must be one of them",
            "schema": METRIC_NAMES,
        },
    )
    key_metrics: tuple[str, ...] = field(
        default=DEFAULT_KEY_METRICS,
        metadata={
            "doc": "those of the metrics by which a window is judged as a whole; if absent, sessions_cnt, "
            "bytes_sent_sum, bytes_recv_sum, drop_ratio, peer_ip_nunique, peer_port_nunique",
            "schema": METRIC_NAMES,
        },
    )
    gap_days_7d: int = field(
        default=DEFAULT_GAPS[WEEK_DAYS],
        metadata={
            "doc": "days between the 7 days of a baseline and the day that it is for",
            "schema": _GAP,
        },
    )
    gap_days_30d: int = field(
        default=DEFAULT_GAPS[MONTH_DAYS],
        metadata={
            "doc": "days between the 30 days of a baseline and the day that it is for",
            "schema": _GAP,
        },
    )

    def problems(self) -> list[Problem]:
        """List what is wrong, by key; nothing when all is well."""
        found = [
            *metric_problems("metrics", self.metrics),
            *metric_problems("key_metrics", self.key_metrics),
            *not_among("key_metrics", self.key_metrics, self.metrics),
        ]
        if NEEDED_METRIC not in self.metrics:
            found.append(
                Problem("metrics", f"needs {NEEDED_METRIC}, of which exfil_score is made; add it")
            )
        found += [
            Problem(key, f"{days} days are not between 0 and {_MOST_GAP}")
            for key, days in (
                ("gap_days_7d", self.gap_days_7d),
                ("gap_days_30d", self.gap_days_30d),
            )
            if not 0 <= days <= _MOST_GAP
        ]
        return found

    @property
    def chosen(self) -> tuple[Metric, ...]:
        """The metrics, in the order of columns."""
        return metrics_named(self.metrics)

    @property
    def judging(self) -> tuple[str, ...]:
        """Names of the key metrics, in the order of columns."""
        return tuple(metric.name for metric in metrics_named(self.key_metrics))

    @property
    def horizons(self) -> tuple[Horizon, ...]:
        """How far baselines go back, the shortest first."""
        return Horizon(WEEK_DAYS, self.gap_days_7d), Horizon(MONTH_DAYS, self.gap_days_30d)

    @property
    def week(self) -> Horizon:
        """The horizon by which windows are judged before they become part of a baseline."""
        return self.horizons[0]

    def meaning(self) -> dict[str, Any]:
        """Give the keys in which all jobs of an output must agree, with their values as JSON data."""
        return {
            "baselines.metrics": [metric.name for metric in self.chosen],
            "baselines.key_metrics": list(self.judging),
            "baselines.gap_days_7d": self.gap_days_7d,
            "baselines.gap_days_30d": self.gap_days_30d,
        }


@frozen
class Period:
    """A time of which no window is usual."""

    start: str = field(metadata={"doc": "ISO-8601, UTC where it names no offset: its start"})
    end: str = field(metadata={"doc": "its end, exclusive"})

    def problems(self) -> list[Problem]:
        """List what is wrong, by key; nothing when all is well."""
        try:
            start, end = self.bounds
        except SpecError as error:
            return [Problem("", str(error))]
        return [] if start < end else [Problem("end", "must be later than start")]

    @property
    def bounds(self) -> tuple[int, int]:
        """Its start and end, us. Raises SpecError for what is no time."""
        return parse_bound(self.start, "start"), parse_bound(self.end, "end")


def period_problems(periods: tuple[Period, ...]) -> list[Problem]:
    """List what is wrong with periods, by key; nothing when all is well."""
    if len(periods) > _MOST_PERIODS:
        return [Problem("excluded_periods", too_many(len(periods), _MOST_PERIODS))]
    return [
        problem.below(f"excluded_periods[{number}]")
        for number, period in enumerate(periods)
        for problem in period.problems()
    ]


@frozen
class NamesTable:
    """The names of hosts, by which those are told whose address belongs to another host tomorrow."""

    table: str | None = field(
        default=None,
        metadata={
            "doc": "file, folder or s3://.. of CSV with the columns ip, name, valid_from, valid_to (ISO-8601, UTC; "
            "empty: always)",
        },
    )
    non_persistent_prefixes: tuple[str, ...] = field(
        default=(),
        metadata={
            "doc": "beginnings of the names of hosts that do not last, such as dhcp-: their own baselines are cold. "
            "Upper and lower case are the same",
            "schema": {"maxItems": _MOST_PREFIXES, "items": {"type": "string", "minLength": 1}},
        },
    )

    def problems(self) -> list[Problem]:
        """List what is wrong, by key; nothing when all is well."""
        prefixes = self.non_persistent_prefixes
        if self.table is None:
            return [Problem("table", "missing; prefixes need a table of names")] if prefixes else []
        found = []
        if not self.table:
            found.append(Problem("table", "is empty; give the address of a table, or leave it out"))
        if not prefixes:
            found.append(
                Problem("non_persistent_prefixes", "needs at least one, such as dhcp-, for a table")
            )
        if len(prefixes) > _MOST_PREFIXES:
            found.append(
                Problem("non_persistent_prefixes", too_many(len(prefixes), _MOST_PREFIXES))
            )
        if "" in prefixes:
            found.append(
                Problem("non_persistent_prefixes", "an empty one is the beginning of every name")
            )
        return found


@frozen
class FgBInputs:
    """Which windows baselines are made of."""

    fg_a_job: str = field(
        default=FG_A_JOB,
        metadata={
            "doc": "name of the job whose windows are read; its feature_spec_version is the job's own",
            "schema": _SEGMENT,
        },
    )

    def problems(self) -> list[Problem]:
        """List what is wrong, by key; nothing when all is well."""
        return segment_problems(self)


def segment_problems(part: Any) -> list[Problem]:
    """List the keys of a part of a spec that are no names of jobs."""
    return [
        Problem(key, PATH_SEGMENT_RULE)
        for key, value in asdict(part).items()
        if not is_path_segment(value)
    ]


def metric_problems(key: str, names: tuple[str, ...]) -> list[Problem]:
    """List what is wrong with a list of metrics; nothing when all is well."""
    if not names:
        return [Problem(key, "needs at least one metric")]
    wrong = [name for name in dict.fromkeys(names) if name not in _KNOWN]
    found = [
        Problem(key, f"{shown(name)} is no metric, {nearest(name, _KNOWN)}") for name in wrong[:3]
    ]
    if len(set(names)) < len(names):
        found.append(Problem(key, "names a metric more than once"))
    return found


def not_among(key: str, names: tuple[str, ...], metrics: Collection[str]) -> list[Problem]:
    """List the metrics of a list that have no baseline. `metrics`: names of those that have one."""
    return [
        Problem(key, f"{name} is none of the metrics; add it to them")
        for name in dict.fromkeys(names)
        if name in _KNOWN and name not in metrics
    ]
