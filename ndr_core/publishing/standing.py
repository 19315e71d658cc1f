"""What a run must know of an output before it works, and what it is refused for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from attrs import frozen

from ndr_core.errors import SpecError, UsageError, printable, shown
from ndr_core.publishing.compaction import CompactedError, refuse_compacted
from ndr_core.publishing.entry import Entry
from ndr_core.publishing.manifest import Manifest, RunFacts
from ndr_core.publishing.ownership import last_live, live_manifests
from ndr_core.tables.slices import SliceBounds
from ndr_core.times import iso_text

_NEWEST: Final = 4
"""So many of the last are read to find one that is published: in S3 the last may be in the making still."""


@frozen
class Standing:
    """What an output holds, as of one moment, as far as it concerns one run."""

    former: Manifest | None = None
    """What the run would replace."""
    newest: Manifest | None = None
    """A late manifest, of the run's feature_spec_version where there is one."""
    recent: tuple[Manifest, ...] = ()
    """What other owners of that version published of late, and counts."""
    compacted: tuple[str, ...] = ()
    """Days that were compacted and hold contributions of the run's mini-batch."""


def entries_of_note(entries: Iterable[Entry], version: str, owner: str, since: int) -> list[Entry]:
    """Choose the manifests from which `standing_of` tells how an output stands. `owner`: as `owner_hash`."""
    known = list(entries)
    same = [entry for entry in known if entry.version == version]
    newest = sorted(same or known, key=lambda entry: entry.published_at)[-_NEWEST:]
    return [
        entry
        for entry in known
        if entry in newest
        or (entry.version == version and (entry.owner == owner or entry.published_at >= since))
    ]


def standing_of(
    manifests: Iterable[Manifest], facts: RunFacts, since: int, compacted: Iterable[str]
) -> Standing:
    """Tell how an output stands for a run. `manifests`: of `entries_of_note`; `compacted`: as in `Standing`."""
    live = live_manifests(manifests)
    others = [
        manifest
        for manifest in live
        if manifest.facts.feature_spec_version == facts.feature_spec_version
        and manifest.owner != facts.owner
    ]
    return Standing(
        last_live(manifest for manifest in live if manifest.owner == facts.owner),
        live[-1] if live else None,
        tuple(manifest for manifest in others if manifest.published_at >= since),
        tuple(compacted),
    )


@frozen
class Overrides:
    """What a user allows a run to do that is an error otherwise."""

    replace: bool = False
    """Replace what another batch may have published under the same derived id."""
    count_again: bool = False
    """Count records of files that another mini-batch has counted already."""


def check_standing(
    standing: Standing, facts: RunFacts, names: Mapping[str, str], overrides: Overrides
) -> None:
    """Raise before any work for a run that would do what nobody means to do.

    `facts`: of the run to come; `names`: fingerprint of an input file -> its address. Raises UsageError for another
    project's output, for a derived id that other files were published under, for files that another mini-batch holds
    already; SpecError for a JobSpec that means something else under the same feature_spec_version.
    """
    if standing.newest is not None:
        _refuse_other_project(standing.newest.facts, facts)
        if standing.newest.facts.feature_spec_version == facts.feature_spec_version:
            refuse_other_meaning(standing.newest, facts)
    if standing.compacted:
        try:
            refuse_compacted(standing.compacted, facts)
        except CompactedError as error:
            raise UsageError(str(error)) from error
    if standing.former is not None and facts.derived_id and not overrides.replace:
        _refuse_other_batch(standing.former.facts, facts)
    if not overrides.count_again:
        _refuse_counted(standing.recent, names)


def refuse_other_meaning(published: Manifest, facts: RunFacts) -> None:
    """Raise SpecError, naming the key, for a run whose columns would mean something else than what is published.

    A key that one of the two does not have is not compared.
    """
    known = published.facts.meaning
    for key, value in facts.meaning.items():
        if key in known and known[key] != value:
            raise SpecError(
                f"{key}: is {_value(value)}, and {_value(known[key])} in what job "
                f"{published.facts.job_name} published as feature_spec_version "
                f"{facts.feature_spec_version}; all jobs of an output agree in it: set it to that, or give "
                "another feature_spec_version"
            )


def _value(value: Any) -> str:
    return shown(value)


def _refuse_other_project(published: RunFacts, facts: RunFacts) -> None:
    if published.project_name != facts.project_name:
        raise UsageError(
            f"the output belongs to project {published.project_name}, and the JobSpec is of project "
            f"{facts.project_name}; give an output of its own"
        )


def _refuse_other_batch(former: RunFacts, facts: RunFacts) -> None:
    name = (
        f"mini-batch {facts.mini_batch_id}: the id was made from the name of the input, and was "
        f"published before (run {former.run_id})"
    )
    advice = (
        "give --mini-batch-id to add this batch to it, or --replace to put this batch in its place"
    )
    missing = set(former.inputs).difference(facts.inputs)
    if missing:
        raise UsageError(
            f"{name} from {len(former.inputs)} files, of which {len(missing)} are not in this batch; {advice}"
        )
    if former.bounds is not None and not _covers(facts.bounds, former.bounds):
        span = f"{iso_text(former.bounds.start)} to {iso_text(former.bounds.end)}"
        raise UsageError(f"{name} for {span}, which this run does not cover; {advice}")


def _covers(bounds: SliceBounds | None, other: SliceBounds) -> bool:
    return bounds is None or (bounds.start <= other.start and other.end <= bounds.end)


def _refuse_counted(recent: Iterable[Manifest], names: Mapping[str, str]) -> None:
    runs = (run for manifest in recent for run in _runs_of(manifest))
    for run in runs:
        again = sorted(names[found] for found in run.inputs if found in names)
        if again:
            more = f" (and {len(again) - 1} more files)" if len(again) > 1 else ""
            raise UsageError(
                f"input {printable(again[0])}{more}: mini-batch {run.mini_batch_id} of job "
                f"{run.job_name} holds the same bytes already, and their sessions would count "
                "twice; leave them out, or give --count-again if they are other sessions"
            )


def _runs_of(manifest: Manifest) -> tuple[RunFacts, ...]:
    """The run of a manifest, or those that a compacted day holds whole."""
    return tuple(run.facts for run in manifest.runs) if manifest.day else (manifest.facts,)
