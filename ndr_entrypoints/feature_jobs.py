"""What feature jobs on this machine are wired from: the deltas, the features, and the engine by its name."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from attrs import evolve, field, frozen

from ndr_adapters.host_names import read_host_names
from ndr_adapters.outputs import open_output
from ndr_core.baselines.job import BaselineRunner, SummaryRunner
from ndr_core.baselines.names import HostNames
from ndr_core.baselines.runs import date_of_run, is_summary
from ndr_core.baselines.spec import FgBSpec
from ndr_core.correlations.chain import (
    Chain,
    StaleChain,
    find_stale_baselines,
    find_stale_chain,
)
from ndr_core.correlations.job import FgCRunner
from ndr_core.correlations.spec import FgCSpec
from ndr_core.errors import UsageError, nearest, shown
from ndr_core.features.renew import Renewed, renew
from ndr_core.features.running import Chosen, FeatureEngine, FeatureRunSummary
from ndr_core.features.stale import StaleRun
from ndr_core.history.job import HistoryRunner
from ndr_core.history.spec import PairHistorySpec
from ndr_core.jobs.choice import EngineSettings, choose_for_features
from ndr_core.jobs.ports import RunLog
from ndr_core.publishing.layout import FEATURES, features_of
from ndr_core.publishing.published import WholeOutput
from ndr_core.publishing.sink import Sink
from ndr_core.times import day_of
from ndr_core.version import __version__
from ndr_core.windows.job import FgARunner
from ndr_core.windows.schedule import anchors
from ndr_core.windows.spec import FgASpec
from ndr_core.windows.stale import find_stale
from ndr_entrypoints.feature_engines import (
    BASELINE_ENGINES,
    CORRELATION_ENGINES,
    HISTORY_ENGINES,
    SUMMARY_ENGINES,
    WINDOW_ENGINES,
)
from ndr_entrypoints.wiring import AUTO, sink_of, source_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

EngineT = TypeVar("EngineT", bound=FeatureEngine)


class _Sized(Protocol):
    """What a run has found to read."""

    @property
    def read_bytes(self) -> int: ...


@frozen
class FeatureWiring:
    """Where feature jobs read and publish, and by what engine they build."""

    deltas: WholeOutput
    features: WholeOutput
    sink: Sink
    """Publishes to `features`."""
    client: S3Client | None
    """Absent where neither place lies in S3."""
    engine: str
    log: RunLog
    undisturbed: Callable[[], AbstractContextManager[Any]] = field(default=nullcontext)
    has_cluster: bool = False
    """Whether jobs can have tasks run on a cluster."""

    @classmethod
    def between(
        cls,
        deltas: str,
        features: str | None,
        engine: str,
        log: RunLog,
        undisturbed: Callable[[], AbstractContextManager[Any]] = nullcontext,
        kms_key: str | None = None,
    ) -> FeatureWiring:
        """Wire from an output of deltas to one of features, or, where none is given, to its folder `features`.

        `kms_key`: as for `Wiring.between`. Raises UsageError for an address of another kind, for S3 that is not set up,
        and for an output of features that holds the deltas or lies elsewhere among them.
        """
        usual = features_of(deltas)
        target = features or usual
        sink, client = sink_of(target, kms_key)
        _refuse_overlap(deltas, usual, sink)
        return cls(open_output(deltas), open_output(target), sink, client, engine, log, undisturbed)

    @classmethod
    def on_cluster(
        cls,
        deltas: str,
        features: str,
        log: RunLog,
        undisturbed: Callable[[], AbstractContextManager[Any]],
        kms_key: str | None = None,
    ) -> FeatureWiring:
        """Wire likewise where tasks can run on a cluster: the JobSpecs say by what engine to build."""
        wired = cls.between(deltas, features, AUTO, log, undisturbed, kms_key)
        return evolve(wired, has_cluster=True)

    def history(
        self,
        spec: PairHistorySpec,
        day: int,
        *,
        allows_missing: bool = False,
        run_id: str | None = None,
    ) -> HistoryRunner:
        """Wire the run of a day, in days since 1970-01-01."""
        return HistoryRunner(
            spec=spec,
            day=day,
            run_id=run_id or uuid.uuid4().hex,
            deltas=self.deltas,
            features=self.features,
            sink=self.sink,
            start_engine=self._starter(HISTORY_ENGINES, spec.engine),
            log=self.log,
            code_version=__version__,
            undisturbed=self.undisturbed,
            allows_missing=allows_missing,
        )

    def windows(
        self,
        spec: FgASpec,
        anchor: int,
        *,
        names: tuple[str, ...] = (),
        allows_missing: bool = False,
        run_id: str | None = None,
    ) -> FgARunner:
        """Wire the run of the windows that end at an anchor, us. `names`: of the windows; all without any."""
        return FgARunner(
            spec=spec,
            anchor=anchor,
            run_id=run_id or uuid.uuid4().hex,
            deltas=self.deltas,
            features=self.features,
            sink=self.sink,
            start_engine=self._starter(WINDOW_ENGINES, spec.engine),
            log=self.log,
            code_version=__version__,
            undisturbed=self.undisturbed,
            names=names,
            allows_missing=allows_missing,
        )

    def all_days(
        self, spec: PairHistorySpec, first: int, last: int, *, allows_missing: bool = False
    ) -> list[HistoryRunner]:
        """Wire the runs of the days from `first` to `last`, days since 1970-01-01, in the order of time."""
        days = range(first, last + 1)
        return [self.history(spec, day, allows_missing=allows_missing) for day in days]

    def all_dates(
        self, spec: FgBSpec, first: int, last: int, *, allows_missing: bool = False
    ) -> list[SummaryRunner | BaselineRunner]:
        """Wire the runs of the local dates from `first` to `last`, days since 1970-01-01, in the order of time."""
        return [
            runner
            for date in range(first, last + 1)
            for runner in self.daily(spec, date, allows_missing=allows_missing)
        ]

    def all_correlations(
        self, spec: FgCSpec, after: int, last: int, *, allows_missing: bool = False
    ) -> list[FgCRunner]:
        """Wire the runs that compare all windows that end later than `after`, and up to `last`, us, in that order."""
        ends = anchors(spec.windows.window_labels, after + 1, last)
        return [self.correlations(spec, end, allows_missing=allows_missing) for end in ends]

    def all_windows(
        self, spec: FgASpec, after: int, last: int, *, allows_missing: bool = False
    ) -> list[FgARunner]:
        """Wire the runs of all windows that end later than `after`, and up to `last`, us, in the order of time."""
        ends = anchors(spec.windows.window_labels, after + 1, last)
        return [self.windows(spec, end, allows_missing=allows_missing) for end in ends]

    def summary(
        self, spec: FgBSpec, date: int, *, allows_missing: bool = False, run_id: str | None = None
    ) -> SummaryRunner:
        """Wire the run that sums up a local date, in days since 1970-01-01."""
        return SummaryRunner(
            spec=spec,
            date=date,
            run_id=run_id or uuid.uuid4().hex,
            features=self.features,
            sink=self.sink,
            start_engine=self._starter(SUMMARY_ENGINES, spec.engine),
            log=self.log,
            code_version=__version__,
            undisturbed=self.undisturbed,
            allows_missing=allows_missing,
        )

    def baselines(self, spec: FgBSpec, date: int, *, run_id: str | None = None) -> BaselineRunner:
        """Wire the run that makes the baselines of a local date, in days since 1970-01-01."""
        return BaselineRunner(
            spec=spec,
            date=date,
            run_id=run_id or uuid.uuid4().hex,
            features=self.features,
            sink=self.sink,
            start_engine=self._starter(BASELINE_ENGINES, spec.engine),
            log=self.log,
            names=lambda: self.host_names(spec),
            code_version=__version__,
            undisturbed=self.undisturbed,
        )

    def daily(
        self, spec: FgBSpec, date: int, *, allows_missing: bool = False, run_id: str | None = None
    ) -> tuple[SummaryRunner, BaselineRunner]:
        """Wire the runs of a local date, in this order: its summary, and the baselines of the next date."""
        summary = self.summary(spec, date, allows_missing=allows_missing, run_id=run_id)
        return summary, self.baselines(spec, date + 1, run_id=run_id)

    def correlations(
        self, spec: FgCSpec, anchor: int, *, allows_missing: bool = False, run_id: str | None = None
    ) -> FgCRunner:
        """Wire the run that compares the windows that end at an anchor, us."""
        return FgCRunner(
            spec=spec,
            anchor=anchor,
            run_id=run_id or uuid.uuid4().hex,
            features=self.features,
            sink=self.sink,
            start_engine=self._starter(CORRELATION_ENGINES, spec.engine),
            log=self.log,
            code_version=__version__,
            undisturbed=self.undisturbed,
            allows_missing=allows_missing,
        )

    def host_names(self, spec: FgBSpec) -> HostNames:
        """Read the table of names that a spec says. Raises as `read_host_names`."""
        table = spec.names.table
        return HostNames() if table is None else read_host_names(source_of(table), self.log.notice)

    def stale(self, spec: FgASpec, since: int | None = None) -> StaleChain:
        """Find what is out of date of a job of windows and of those that it implies, as `find_stale_chain`."""
        return self.stale_chain(Chain.of(spec), since)

    def stale_chain(self, chain: Chain, since: int | None = None) -> StaleChain:
        """Find what is out of date of a chain of jobs, likewise."""
        names = partial(self.host_names, chain.baselines)
        return find_stale_chain(chain, self.deltas, self.features, names, since)

    def renew(
        self,
        spec: FgASpec,
        since: int | None = None,
        *,
        history: PairHistorySpec | None = None,
        baselines: FgBSpec | None = None,
        correlations: FgCSpec | None = None,
        run_id: str | None = None,
    ) -> Iterator[Renewed]:
        """Build again what is out of date, as `renew_chain`.

        `since`: as for `find_stale_chain`; `history`, `baselines`, `correlations`: the JobSpecs of these jobs, those
        that `spec` implies if absent.
        """
        given = (history, baselines, correlations)
        chain = Chain.of(spec, [one for one in given if one is not None])
        return self.renew_chain(chain, since, run_id=run_id)

    def renew_chain(
        self, chain: Chain, since: int | None = None, *, run_id: str | None = None
    ) -> Iterator[Renewed]:
        """Build again what is out of date: the history, windows, summaries and baselines date by date, correlations.

        Gives what became of each run as it is done. What is made of windows is looked at once these are done.
        """

        def run_day(run: StaleRun) -> FeatureRunSummary:
            day, missing = day_of(run.start), run.allows_missing
            return self.history(chain.history, day, allows_missing=missing, run_id=run_id).run()

        def run_windows(run: StaleRun) -> FeatureRunSummary:
            spec, missing = chain.windows, run.allows_missing
            return self.windows(spec, run.start, allows_missing=missing, run_id=run_id).run()

        def run_date(run: StaleRun) -> FeatureRunSummary:
            spec, date = chain.baselines, date_of_run(run.mini_batch_id)
            if not is_summary(run.mini_batch_id):
                return self.baselines(spec, date, run_id=run_id).run()
            missing = run.allows_missing
            return self.summary(spec, date, allows_missing=missing, run_id=run_id).run()

        def run_correlations(run: StaleRun) -> FeatureRunSummary:
            spec, missing = chain.correlations, run.allows_missing
            return self.correlations(spec, run.start, allows_missing=missing, run_id=run_id).run()

        windows = find_stale(chain.windows, self.deltas, self.features, since)
        yield from renew(windows.days, run_day)
        yield from renew(windows.windows, run_windows)
        names = partial(self.host_names, chain.baselines)
        above = find_stale_baselines(chain, self.features, names, since)
        yield from renew(above.baselines, run_date)
        yield from renew(above.correlations, run_correlations)

    def _starter(
        self,
        engines: Mapping[str, Callable[[S3Client | None], EngineT]],
        settings: EngineSettings,
    ) -> Callable[[_Sized], Chosen[EngineT]]:
        """Give what starts one of some engines, once it is known how much there is to read."""

        def start(found: _Sized) -> Chosen[EngineT]:
            if self.engine == AUTO:
                has_cluster = self.has_cluster
                choice = choose_for_features(found.read_bytes, settings, has_cluster=has_cluster)
                return Chosen(engines[choice.engine](self.client), choice.reason)
            if self.engine not in engines:
                raise UsageError(
                    f"engine: {shown(self.engine)} is unknown, {nearest(self.engine, engines)}"
                )
            return Chosen(engines[self.engine](self.client))

        return start


def _refuse_overlap(deltas: str, usual: str, sink: Sink) -> None:
    source, _ = sink_of(deltas)
    free, _ = sink_of(usual)
    if sink.place.holds(source.place):
        raise UsageError(f"features {sink.place}: holds the deltas; publish to {usual}, or outside")
    if source.place.holds(sink.place) and not free.place.holds(sink.place):
        raise UsageError(
            f"features {sink.place}: lies in the output of the deltas, of which only the folder {FEATURES} is free; "
            "publish to that, or outside"
        )
