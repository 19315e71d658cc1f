"""Building again what is out of date: first what others read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from attrs import frozen

from ndr_core.features.running import FeatureRunSummary, NotPublishedError
from ndr_core.features.stale import StaleRun


@frozen
class Renewed:
    """What became of a run that was out of date."""

    run: StaleRun
    summary: FeatureRunSummary | None
    """None where it could not be built."""
    problem: str | None = None
    """Why it could not be built."""


def renew(
    runs: Iterable[StaleRun], do: Callable[[StaleRun], FeatureRunSummary]
) -> Iterator[Renewed]:
    """Do runs again, in their order. Gives what became of each as it is done.

    `do`: does one. What can not be built, as something is not published (NotPublishedError), is told and the next one
    is done; any other failure is raised.
    """
    for run in runs:
        try:
            yield Renewed(run, do(run))
        except NotPublishedError as error:
            yield Renewed(run, None, str(error))
