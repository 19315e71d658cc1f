"""Which correlations would be others if they were built now, and which were left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ndr_core.baselines.runs import BaselinesRun, WindowsRun
from ndr_core.correlations.needs import CorrelationNeeds, correlation_needs
from ndr_core.correlations.spec import FgCSpec
from ndr_core.features.days import read_of
from ndr_core.features.stale import StaleRun, changed_runs, few, is_lost
from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.pruned import Pruned
from ndr_core.windows.job import anchor_name
from ndr_core.windows.labels import due


def stale_correlations(
    spec: FgCSpec,
    runs: Sequence[Manifest],
    windows: Mapping[int, WindowsRun],
    baselines: Mapping[int, BaselinesRun],
    may_be_missing: Callable[[int], bool],
    pruned: Pruned,
    since: int | None = None,
) -> Iterator[StaleRun]:
    """Compare the correlations of a job with what is published now; gives those that are out of date, in order.

    `runs`: those of the output that count; `windows`, `baselines`: as they will be, as `windows_now`, `baselines_now`;
    `may_be_missing`: as for `correlation_needs`; `pruned`: up to where the output was; `since`: us, windows that end
    before it are not looked at. Windows after the first ones that were compared, and that can be, were left out.
    """
    own = {
        run.facts.bounds.start: run
        for run in runs
        if run.facts.job_name == spec.job_name and run.facts.bounds is not None
    }
    if not own:
        return
    read = {date: None if one.is_empty else one.contribution for date, one in baselines.items()}
    first = min(own) if since is None else max(min(own), since)
    for anchor in sorted(end for end in windows if end >= first):
        if not _has_any(spec, anchor, windows[anchor]):
            continue
        needs = correlation_needs(
            spec, anchor, windows[anchor], read, may_be_missing, allows_missing=True
        )
        run = own.get(anchor)
        reasons = _reasons(spec, run, needs, pruned)
        if reasons:
            allows = run is not None and read_of(run).allows_missing
            yield StaleRun(spec.job_name, anchor_name(anchor), anchor, few(reasons), allows)


def _has_any(spec: FgCSpec, anchor: int, run: WindowsRun) -> bool:
    """Whether a window that is compared was built."""
    return any(label.name in run.built for label in due(spec.windows.window_labels, anchor))


def _reasons(
    spec: FgCSpec, run: Manifest | None, needs: CorrelationNeeds, pruned: Pruned
) -> list[str]:
    if run is None:
        return [] if needs.unknown() else ["not built"]
    before = read_of(run)
    if is_lost(before, pruned, spec.feature_spec_version):
        return []
    return changed_runs(before, needs.read)
