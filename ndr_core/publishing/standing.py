"""What a run must know of an output before it works, and why it is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from attrs import field, frozen

from ndr_core.errors import SpecError, UsageError, printable, shown
from ndr_core.publishing.compaction import CompactedError, refuse_compacted
from ndr_core.publishing.entry import Entry
from ndr_core.publishing.manifest import Manifest, RunFacts, mini_batch_owner
from ndr_core.publishing.ownership import last_live, live_manifests
from ndr_core.publishing.pruned import Pruned, refuse_pruned
from ndr_core.quality.replay import replay_id
from ndr_core.tables.slices import SliceBounds, slice_place
from ndr_core.times import iso_text

_NOTHING_PRUNED: Final = Pruned()
_NEWEST: Final = 4
"""So many of the last manifests are read to find one that is published: in S3 the last may be pending still."""


@frozen
class Standing:
    """What an output holds, as of one moment, as far as it concerns one run."""

    former: Manifest | None = None
    """The live manifest that the run would replace."""
    newest: Manifest | None = None
    """The newest live manifest: of the run's feature_spec_version, or of all where that has none."""
    recent: tuple[Manifest, ...] = ()
    """The live manifests of that version that other owners published lately."""
    compacted: tuple[str, ...] = ()
    """Days that were compacted and hold contributions of the run's mini-batch."""
    pruned: Pruned = field(factory=Pruned)
    """Up to where the output was pruned."""


def entries_of_note(entries: Iterable[Entry], version: str, owner: str, since: int) -> list[Entry]:
    """Choose the manifests that `standing_of` needs. `owner`: as `owner_hash`; `since`: as for `standing_of`."""
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
    manifests: Iterable[Manifest],
    facts: RunFacts,
    since: int,
    compacted: Iterable[str] = (),
    pruned: Pruned = _NOTHING_PRUNED,
) -> Standing:
    """Tell how an output stands for a run. `manifests`: those of `entries_of_note`, published.

    `since`: us since 1970 UTC; what others published before it is left out of `recent`. `compacted`, `pruned`: as in
    `Standing`.
    """
    live = live_manifests(manifests)
    version = facts.feature_spec_version
    same = [manifest for manifest in live if manifest.facts.feature_spec_version == version]
    left = pruned.left(same)
    others = [manifest for manifest in left if manifest.owner != facts.owner]
    return Standing(
        last_live(manifest for manifest in left if manifest.owner == facts.owner),
        last_live(same or live),
        tuple(manifest for manifest in others if manifest.published_at >= since),
        tuple(compacted),
        pruned,
    )


@frozen
class Overrides:
    """What a user allows a run to do that would be refused otherwise."""

    replace: bool = False
    """Replace a mini-batch of the same derived id that was made of other files, or of a longer span."""
    count_again: bool = False
    """Count files that another mini-batch holds already."""


def check_standing(
    standing: Standing, facts: RunFacts, names: Mapping[str, str], overrides: Overrides
) -> None:
    """Refuse a run, before it works, that would harm what is published.

    `facts`: of the run to come; `names`: fingerprint of an input file -> its address. Raises UsageError for deltas
    among features and the reverse, for the output of another project, for a derived id under which other files or a
    longer span were published, and for files that another mini-batch holds already; SpecError for a JobSpec whose
    columns would mean something else than those that are published under its feature_spec_version.
    """
    if standing.newest is not None:
        refuse_other_level(standing.newest.facts, facts)
        _refuse_other_project(standing.newest.facts, facts)
        if standing.newest.facts.feature_spec_version == facts.feature_spec_version:
            refuse_other_meaning(standing.newest, facts)
    refuse_pruned(standing.pruned, facts)
    if standing.compacted:
        try:
            refuse_compacted(standing.compacted, facts)
        except CompactedError as error:
            raise UsageError(str(error)) from error
    if standing.former is not None and facts.derived_id and not overrides.replace:
        _refuse_other_batch(standing.former, facts)
    if not overrides.count_again:
        _refuse_counted(standing.recent, names)


def stale_replay(standing: Standing, facts: RunFacts) -> str | None:
    """Say that records that a mini-batch rejected before were run again, and may count twice now; None otherwise."""
    name = replay_id(facts.mini_batch_id)
    owner = mini_batch_owner(facts.feature_spec_version, facts.job_name, name)
    if all(manifest.owner != owner for manifest in standing.recent):
        return None
    return (
        f"mini-batch {name} holds records that {facts.mini_batch_id} rejected before; what this run keeps of them "
        "counts twice until `ndr replay` is run again"
    )


def refuse_other_meaning(published: Manifest, facts: RunFacts) -> None:
    """Raise SpecError, naming the key, for a run whose columns would mean something else than what is published.

    A key that only one of the two has is not compared.
    """
    known = published.facts.meaning
    for name, wanted in facts.meaning.items():
        if name in known and known[name] != wanted:
            key, value, other = _difference(name, wanted, known[name])
            raise SpecError(
                f"{key}: is {_value(value)} here, but {_value(other)} in what job "
                f"{published.facts.job_name} published under feature_spec_version "
                f"{facts.feature_spec_version}; all jobs of one output must agree in it: set it to the "
                "same value, or choose another feature_spec_version"
            )


def _difference(key: str, value: Any, other: Any) -> tuple[str, Any, Any]:
    """Give the key and the two values of the first difference, as deep in mappings as it lies."""
    if isinstance(value, Mapping) and isinstance(other, Mapping):
        for name in sorted({*value, *other}):
            one, another = value.get(name), other.get(name)
            if one != another:
                return _difference(f"{key}.{name}", one, another)
    return key, value, other


def _value(value: Any) -> str:
    return "absent" if value is None else shown(value)


def refuse_other_level(published: RunFacts, facts: RunFacts) -> None:
    """Raise UsageError for deltas that would be published among features, and the reverse.

    Deltas of mini-batches add, features are replaced: what is done to an output as a whole fits one of them only.
    """
    if published.read is not None and facts.read is None:
        raise UsageError(
            f"output: holds features (of job {published.job_name}); publish deltas to an output of their own"
        )
    if published.read is None and facts.read is not None:
        raise UsageError(
            f"output: holds deltas (of job {published.job_name}); publish features to an output of their own"
        )


def _refuse_other_project(published: RunFacts, facts: RunFacts) -> None:
    if published.project_name != facts.project_name:
        raise UsageError(
            f"project_name: the output belongs to project {published.project_name}, and the JobSpec says "
            f"{facts.project_name}; give each project an output of its own"
        )


def _refuse_other_batch(former: Manifest, facts: RunFacts) -> None:
    name = (
        f"mini-batch {facts.mini_batch_id}: this id was made from the address of the input, and run "
        f"{former.facts.run_id} published it"
    )
    advice = (
        "give --mini-batch-id to keep both, or --replace to put this run in the place of that one"
    )
    inputs = former.facts.inputs
    missing = set(inputs).difference(facts.inputs)
    if missing:
        raise UsageError(
            f"{name} from files that this input lacks ({len(missing)} of {len(inputs)}); {advice}"
        )
    if not _covers(facts.bounds, former):
        raise UsageError(f"{name} for {_span(former)}, which this run does not cover; {advice}")


def _covers(bounds: SliceBounds | None, former: Manifest) -> bool:
    """Whether bounds hold the span of a run: its own bounds, or else the slices that it has rows in."""
    if bounds is None:
        return True
    span, slices = former.facts.bounds, former.slices()
    if span is not None:
        return bounds.start <= span.start and span.end <= bounds.end
    first, end = slice_place(bounds.start), slice_place(bounds.end)
    return not slices or (first <= slices[0] and slices[-1] < end)


def _span(former: Manifest) -> str:
    span = former.facts.bounds
    if span is not None:
        return f"{iso_text(span.start)} to {iso_text(span.end)}"
    slices = former.slices()
    return f"the slices {slices[0]} to {slices[-1]}"


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
