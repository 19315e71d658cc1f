"""What feature jobs on this machine are wired from: the deltas, the features, and the engine by its name."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Final, TypeVar

from attrs import evolve, field, frozen

from ndr_adapters.outputs import open_output
from ndr_adapters.polars.features.history_engine import PolarsHistoryEngine
from ndr_adapters.polars.features.window_engine import PolarsWindowEngine
from ndr_adapters.polars.s3 import polars_options
from ndr_adapters.reference.features import ReferenceHistoryEngine, ReferenceWindowEngine
from ndr_core.errors import UsageError, nearest, shown
from ndr_core.features.running import Chosen, FeatureRunSummary
from ndr_core.features.stale import StaleRun
from ndr_core.history.engine import HistoryEngine
from ndr_core.history.job import HistoryRunner
from ndr_core.history.spec import PairHistorySpec
from ndr_core.jobs.choice import (
    POLARS,
    SPARK,
    EngineSettings,
    choose_for_features,
)
from ndr_core.jobs.ports import RunLog
from ndr_core.publishing.layout import FEATURES, features_of
from ndr_core.publishing.published import WholeOutput
from ndr_core.publishing.sink import Sink
from ndr_core.times import day_of
from ndr_core.version import __version__
from ndr_core.windows.engine import WindowEngine
from ndr_core.windows.history_spec import history_spec_of
from ndr_core.windows.job import FgARunner
from ndr_core.windows.renew import Renewed, renew
from ndr_core.windows.schedule import anchors
from ndr_core.windows.spec import FgASpec
from ndr_core.windows.stale import Stale, find_stale
from ndr_entrypoints.wiring import AUTO, sink_of, spark_engines

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

EngineT = TypeVar("EngineT", HistoryEngine, WindowEngine)


HISTORY_ENGINES: Final[Mapping[str, Callable[[S3Client | None], HistoryEngine]]] = {
    POLARS: lambda client: PolarsHistoryEngine(polars_options(client)),
    SPARK: lambda client: spark_engines().history(client),
    "reference": lambda client: ReferenceHistoryEngine(polars_options(client)),
}
WINDOW_ENGINES: Final[Mapping[str, Callable[[S3Client | None], WindowEngine]]] = {
    POLARS: lambda client: PolarsWindowEngine(polars_options(client)),
    SPARK: lambda client: spark_engines().windows(client),
    "reference": lambda client: ReferenceWindowEngine(polars_options(client)),
}
"""Name of an engine -> what starts it, set up for the S3 that a client reaches, or for folders alone."""


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
    ) -> FeatureWiring:
        """Wire from an output of deltas to one of features, or, where none is given, to its folder `features`.

        Raises UsageError for an address of another kind, for S3 that is not set up, and for an output of features that
        holds the deltas or lies elsewhere among them.
        """
        usual = features_of(deltas)
        target = features or usual
        sink, client = sink_of(target)
        _refuse_overlap(deltas, usual, sink)
        return cls(open_output(deltas), open_output(target), sink, client, engine, log, undisturbed)

    @classmethod
    def on_cluster(
        cls,
        deltas: str,
        features: str,
        log: RunLog,
        undisturbed: Callable[[], AbstractContextManager[Any]],
    ) -> FeatureWiring:
        """Wire likewise where tasks can run on a cluster: the JobSpecs say by what engine to build."""
        wired = cls.between(deltas, features, AUTO, log, undisturbed)
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
            start_engine=lambda found: self._started(
                HISTORY_ENGINES, spec.engine, found.read_bytes
            ),
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
            start_engine=lambda found: self._started(WINDOW_ENGINES, spec.engine, found.read_bytes),
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

    def all_windows(
        self, spec: FgASpec, after: int, last: int, *, allows_missing: bool = False
    ) -> list[FgARunner]:
        """Wire the runs of all windows that end later than `after`, and up to `last`, us, in the order of time."""
        ends = anchors(spec.windows.window_labels, after + 1, last)
        return [self.windows(spec, end, allows_missing=allows_missing) for end in ends]

    def stale(self, spec: FgASpec, since: int | None = None) -> Stale:
        """Find what is out of date, as `find_stale`."""
        return find_stale(spec, self.deltas, self.features, since)

    def renew(
        self,
        spec: FgASpec,
        since: int | None = None,
        *,
        history: PairHistorySpec | None = None,
        run_id: str | None = None,
    ) -> Iterator[Renewed]:
        """Build again what is out of date, as `renew`.

        `since`: as for `find_stale`; `history`: the JobSpec of the history, the one that `spec` implies if absent.
        """
        of_history = history or history_spec_of(spec)

        def run_day(run: StaleRun) -> FeatureRunSummary:
            day, partial = day_of(run.start), run.allows_missing
            return self.history(of_history, day, allows_missing=partial, run_id=run_id).run()

        def run_anchor(run: StaleRun) -> FeatureRunSummary:
            partial = run.allows_missing
            return self.windows(spec, run.start, allows_missing=partial, run_id=run_id).run()

        return renew(self.stale(spec, since), run_day, run_anchor)

    def _started(
        self,
        engines: Mapping[str, Callable[[S3Client | None], EngineT]],
        settings: EngineSettings,
        read_bytes: int,
    ) -> Chosen[EngineT]:
        if self.engine == AUTO:
            choice = choose_for_features(read_bytes, settings, has_cluster=self.has_cluster)
            return Chosen(engines[choice.engine](self.client), choice.reason)
        if self.engine not in engines:
            raise UsageError(
                f"engine: {shown(self.engine)} is unknown, {nearest(self.engine, engines)}"
            )
        return Chosen(engines[self.engine](self.client))


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
