"""A run and a compaction that meet: the run would replace what the compaction takes over.

Each first puts its claim, and then looks for the other's, so that of two that meet at least one sees the other. Who
sees a pending claim stops it; who is stopped begins again. A run that sees a compacted day is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ndr_adapters.s3.claims import Claim, State, manifests_of
from ndr_adapters.s3.cleanup import Cleanup
from ndr_adapters.s3.compacted import claims_of_days, held_owners, list_day
from ndr_adapters.s3.pruned import read_pruned
from ndr_core.publishing.compaction import (
    Day,
    DayChangedError,
    check_unchanged,
    compacted_days,
    refuse_compacted,
)
from ndr_core.publishing.manifest import RunFacts
from ndr_core.publishing.ownership import live_manifests


def stop_compactions(cleanup: Cleanup, facts: RunFacts) -> None:
    """Stop compactions that are about to take over what a run's mini-batch published before.

    The run's claim is there. Raises CompactedError where a compaction has taken it over.
    """
    met = [
        claim
        for claim in claims_of_days(cleanup.log, facts)
        if compacted_days([claim.manifest], facts)
    ]
    refuse_compacted({manifest.day for manifest in manifests_of(met)}, facts)
    stopped = _there(map(cleanup.stopped, met))
    refuse_compacted({manifest.day for manifest in manifests_of(stopped)}, facts)


def stop_runs(cleanup: Cleanup, day: Day) -> None:
    """Stop runs that are about to replace what the compaction of a day takes over.

    The day's claim is there. Raises DayChangedError where one was faster, or where any other run was published that
    counts in the day.
    """
    owners = held_owners(day)
    met = cleanup.log.survey(lambda: list_day(cleanup.log, day.version, day.date, owners))
    pruned = read_pruned(cleanup.log.client, cleanup.log.output)
    check_unchanged(day, pruned.left(live_manifests(manifests_of(met))))
    rivals = [one for one in met if isinstance(one, Claim) and one.listed.entry.owner in owners]
    pending = [claim for claim in rivals if claim.state is State.PENDING]
    if manifests_of(_there(map(cleanup.stopped, pending))):
        raise overtaken(day)


def overtaken(day: Day) -> DayChangedError:
    """Make the error for a compaction that a run has stopped, or that was too late to stop one."""
    return DayChangedError(
        f"{day.date}: a run of a mini-batch of the day was under way while it was compacted"
    )


def _there(claims: Iterable[Claim | None]) -> Iterator[Claim]:
    return (claim for claim in claims if claim is not None)
