"""The runs that `ndr features` is asked for: of a time, of a day, or of all of a span."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from attrs import frozen

from ndr_core.errors import SpecError, UsageError
from ndr_core.features.running import FeatureRunner
from ndr_core.spec_kinds import AnySpec
from ndr_core.times import DAY_US, parse_bound
from ndr_entrypoints.commands.features_specs import (
    FG_A,
    FG_B,
    FG_C,
    HISTORY,
    baselines_spec,
    correlations_spec,
    history_spec,
    windows_spec,
)
from ndr_entrypoints.feature_jobs import FeatureWiring

Runners = Sequence[FeatureRunner]


@frozen
class Asked:
    """What a run is asked for."""

    end: str | None
    day: str | None
    labels: tuple[str, ...]
    partial: bool
    run_id: str | None


@frozen
class Span:
    """What a backfill is asked for: all from one time, or day, to another one."""

    first: str
    last: str
    partial: bool

    def days(self) -> tuple[int, int]:
        """Give the first and the last day, in days since 1970-01-01. Raises SpecError for what is no day."""
        return _day(self.first, "from"), _day(self.last, "to")

    def times(self) -> tuple[int, int]:
        """Give both times, us, likewise: windows that end later than the first one are built."""
        return parse_bound(self.first, "from"), parse_bound(self.last, "to")


def _history(wiring: FeatureWiring, spec: AnySpec, asked: Asked) -> Runners:
    refuse({"end": asked.end, "label": asked.labels}, "a history is built by --day")
    day = _day(asked.day, "day")
    return [
        wiring.history(history_spec(spec), day, allows_missing=asked.partial, run_id=asked.run_id)
    ]


def _windows(wiring: FeatureWiring, spec: AnySpec, asked: Asked) -> Runners:
    refuse({"day": asked.day}, "windows are built by --end")
    of_windows = windows_spec(spec)
    end = parse_bound(_needed(asked.end, "end"), "end")
    return [
        wiring.windows(
            of_windows, end, names=asked.labels, allows_missing=asked.partial, run_id=asked.run_id
        )
    ]


def _baselines(wiring: FeatureWiring, spec: AnySpec, asked: Asked) -> Runners:
    refuse({"end": asked.end, "label": asked.labels}, "baselines are built by --day")
    date = _day(asked.day, "day")
    return wiring.daily(
        baselines_spec(spec), date, allows_missing=asked.partial, run_id=asked.run_id
    )


def _correlations(wiring: FeatureWiring, spec: AnySpec, asked: Asked) -> Runners:
    refuse({"day": asked.day}, "correlations are built by --end")
    refuse({"label": asked.labels}, "all windows are compared that were built")
    end = parse_bound(_needed(asked.end, "end"), "end")
    return [
        wiring.correlations(
            correlations_spec(spec), end, allows_missing=asked.partial, run_id=asked.run_id
        )
    ]


_RUNS: Final[Mapping[str, Callable[[FeatureWiring, AnySpec, Asked], Runners]]] = {
    HISTORY: _history,
    FG_A: _windows,
    FG_B: _baselines,
    FG_C: _correlations,
}
"""Job -> the runs that it does of what it is asked for, in their order."""


def runs_asked(wiring: FeatureWiring, spec: AnySpec, job: str, asked: Asked) -> Runners:
    """Give the runs of a job that are asked for, in their order.

    Raises UsageError, naming the option, where one is missing or does not fit the job, SpecError for a JobSpec that
    does not, or for what is no day or time.
    """
    return _RUNS[job](wiring, spec, asked)


def runs_of_span(wiring: FeatureWiring, spec: AnySpec, job: str, span: Span) -> Runners:
    """Give the runs of a job in a span of time, in their order. Raises SpecError where there are none."""
    found = _RUNS_OF_SPAN[job](wiring, spec, span)
    if not found:
        raise SpecError(f"from: nothing to build lies between {span.first} and {span.last}")
    return found


def _days_between(wiring: FeatureWiring, spec: AnySpec, span: Span) -> Runners:
    return wiring.all_days(history_spec(spec), *span.days(), allows_missing=span.partial)


def _windows_between(wiring: FeatureWiring, spec: AnySpec, span: Span) -> Runners:
    return wiring.all_windows(windows_spec(spec), *span.times(), allows_missing=span.partial)


def _dates_between(wiring: FeatureWiring, spec: AnySpec, span: Span) -> Runners:
    return wiring.all_dates(baselines_spec(spec), *span.days(), allows_missing=span.partial)


def _correlations_between(wiring: FeatureWiring, spec: AnySpec, span: Span) -> Runners:
    times = span.times()
    return wiring.all_correlations(correlations_spec(spec), *times, allows_missing=span.partial)


_RUNS_OF_SPAN: Final[Mapping[str, Callable[[FeatureWiring, AnySpec, Span], Runners]]] = {
    HISTORY: _days_between,
    FG_A: _windows_between,
    FG_B: _dates_between,
    FG_C: _correlations_between,
}
"""Job -> the runs of all of a span, in the order of time."""


def refuse(options: dict[str, object], why: str) -> None:
    """Raise UsageError, naming the first one, for options that are given and must not be; `why` says why not."""
    for name, value in options.items():
        if value:
            raise UsageError(f"{name}: leave it out; {why}")


def _needed(value: str | None, name: str) -> str:
    if value is None:
        raise UsageError(f"{name}: is missing; give --{name}, or --stale")
    return value


def _day(text: str | None, name: str) -> int:
    """A day, in days since 1970-01-01."""
    given = _needed(text, name)
    moment = parse_bound(given, name)
    if moment % DAY_US:
        raise SpecError(f"{name}: {given} is no day such as 2025-03-01")
    return moment // DAY_US
