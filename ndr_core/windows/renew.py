"""Building again what is out of date: the history first, then the windows that read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from attrs import frozen

from ndr_core.features.running import FeatureRunSummary, NotPublishedError
from ndr_core.features.stale import StaleRun
from ndr_core.windows.stale import Stale


@frozen
class Renewed:
    """What became of a run that was out of date."""

    run: StaleRun
    summary: FeatureRunSummary | None
    """None where it could not be built."""
    problem: str | None = None
    """Why it could not be built."""


def renew(
    stale: Stale,
    run_day: Callable[[StaleRun], FeatureRunSummary],
    run_anchor: Callable[[StaleRun], FeatureRunSummary],
) -> Iterator[Renewed]:
    """Do runs again, days of the history first, each in the order of time. Gives what became of each as it is done.

    `run_day`, `run_anchor`: do the run of a day, of an anchor. One that can not be built, as something is not published
    (NotPublishedError), is told and the next one is done; any other failure is raised.
    """
    for run, do in (
        *((one, run_day) for one in stale.days),
        *((one, run_anchor) for one in stale.windows),
    ):
        try:
            yield Renewed(run, do(run))
        except NotPublishedError as error:
            yield Renewed(run, None, str(error))
