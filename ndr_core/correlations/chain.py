"""The jobs of one output of features, from the pair history to correlations, and what of all of them is out of date."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attrs import evolve, frozen

from ndr_core.baselines.names import HostNames
from ndr_core.baselines.spec import FgBSpec, fg_b_spec_of
from ndr_core.baselines.stale import baselines_now, reach_of, windows_now
from ndr_core.correlations.needs import first_needed, has_windows_by
from ndr_core.correlations.spec import FgCSpec, fg_c_spec_of
from ndr_core.correlations.stale import stale_correlations
from ndr_core.errors import SpecError
from ndr_core.features.stale import StaleRun
from ndr_core.history.spec import PairHistorySpec
from ndr_core.publishing.published import FollowedOutput
from ndr_core.times import to_datetime
from ndr_core.windows.history_spec import history_spec_of
from ndr_core.windows.spec import FgASpec
from ndr_core.windows.stale import Stale, find_stale

FeatureSpec = FgASpec | PairHistorySpec | FgBSpec | FgCSpec


@frozen
class Chain:
    """The specs of jobs of which each reads what those before it publish."""

    history: PairHistorySpec
    windows: FgASpec
    baselines: FgBSpec
    correlations: FgCSpec

    @classmethod
    def of(cls, windows: FgASpec, others: Iterable[FeatureSpec] = ()) -> Chain:
        """Make the chain of a job of windows: of the `others` that are given, and of those that it implies.

        Raises SpecError, naming the key, for a job that does not belong to it.
        """
        baselines = fg_b_spec_of(windows)
        chain = cls(history_spec_of(windows), windows, baselines, fg_c_spec_of(windows))
        for spec in others:
            match spec:
                case PairHistorySpec():
                    chain = evolve(chain, history=spec)
                case FgBSpec():
                    chain = evolve(chain, baselines=spec)
                case FgCSpec():
                    chain = evolve(chain, correlations=spec)
                case _:
                    raise SpecError("spec: is a second one of windows; give one of each job")
        chain._refuse_strangers()
        return chain

    def _refuse_strangers(self) -> None:
        """Raise SpecError for a job that reads others than those of the chain."""
        windows, baselines, correlations = self.windows, self.baselines, self.correlations
        agreed = (
            ("inputs.history_job", windows.inputs.history_job, self.history.job_name),
            ("inputs.fg_a_job", baselines.inputs.fg_a_job, windows.job_name),
            ("inputs.fg_a_job", correlations.inputs.fg_a_job, windows.job_name),
            ("inputs.fg_b_job", correlations.inputs.fg_b_job, baselines.job_name),
        )
        for key, wanted, found in agreed:
            if wanted != found:
                raise SpecError(
                    f"{key}: names job {wanted}, but the JobSpec that is given is of job {found}; give that of {wanted}"
                )
        for spec in (self.history, baselines, correlations):
            for key in ("project_name", "feature_spec_version"):
                if getattr(spec, key) != getattr(windows, key):
                    raise SpecError(
                        f"{key}: is {getattr(spec, key)} for job {spec.job_name}, but {getattr(windows, key)} for job "
                        f"{windows.job_name}; jobs that read each other agree in it"
                    )


@frozen
class StaleBaselines:
    """Runs of baselines and of what reads them that are to be done again, or for the first time, in this order."""

    baselines: tuple[StaleRun, ...] = ()
    """Summaries and baselines."""
    correlations: tuple[StaleRun, ...] = ()


@frozen
class StaleChain:
    """Runs that are to be done again, or for the first time, in this order."""

    windows: Stale
    """The history, and the windows."""
    above: StaleBaselines
    """What is made of windows."""

    @property
    def runs(self) -> tuple[StaleRun, ...]:
        """All of them."""
        windows, above = self.windows, self.above
        return (*windows.days, *windows.windows, *above.baselines, *above.correlations)


def find_stale_chain(
    chain: Chain,
    deltas: FollowedOutput,
    features: FollowedOutput,
    names: Callable[[], HostNames],
    since: int | None = None,
) -> StaleChain:
    """Compare all that is made of deltas with what is published now, and with what would be once that is renewed.

    `names`: reads the names of hosts; `since`: us, windows that end before it, and dates before its own, are not looked
    at. Compaction and prune change nothing. Raises as `PublishedTables.manifests`.
    """
    windows = find_stale(chain.windows, deltas, features, since)
    return StaleChain(windows, find_stale_baselines(chain, features, names, since, windows.windows))


def find_stale_baselines(
    chain: Chain,
    features: FollowedOutput,
    names: Callable[[], HostNames],
    since: int | None = None,
    stale_windows: Iterable[StaleRun] = (),
) -> StaleBaselines:
    """Compare what is made of windows with the windows that are published. Else as `find_stale_chain`.

    `stale_windows`: runs of windows that count as if they had been done again.
    """
    baselines, correlations = chain.baselines, chain.correlations
    version, job_name = chain.windows.feature_spec_version, chain.windows.job_name
    start = None if since is None else to_datetime(max(since - reach_of(baselines), 0))
    runs = [
        run
        for run in features.manifests(start, None)
        if run.facts.feature_spec_version == version and run.facts.read is not None
    ]
    jobs = {run.facts.job_name for run in runs}
    if jobs.isdisjoint({baselines.job_name, correlations.job_name}):
        return StaleBaselines()
    pruned = features.pruned_up_to()
    windows = windows_now(job_name, runs, stale_windows)
    known = names() if baselines.job_name in jobs else HostNames()
    now = baselines_now(baselines, runs, windows, pruned, known, since)

    def may_be_missing(date: int) -> bool:
        return not has_windows_by(features, version, job_name, first_needed(correlations, date))

    stale = stale_correlations(correlations, runs, windows, now.runs, may_be_missing, pruned, since)
    return StaleBaselines(now.stale, tuple(stale))
