"""What every run of a feature job does: look at what is published, build from that, look again if it changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Generic, Protocol, TypeVar

from attrs import evolve, frozen

from ndr_core.errors import NdrError
from ndr_core.jobs.ports import RunLog
from ndr_core.jobs.run import Stage
from ndr_core.jobs.runner import JobRunner
from ndr_core.jobs.spec import JobKey
from ndr_core.publishing.manifest import Manifest, RunFacts
from ndr_core.publishing.read_facts import ReadFacts
from ndr_core.publishing.sink import Publication, Sink, Staging
from ndr_core.tables.slices import SliceBounds
from ndr_core.tables.table import Table
from ndr_core.times import now_us

_ATTEMPTS: Final = 5

EngineT = TypeVar("EngineT", bound="FeatureEngine")
LookT = TypeVar("LookT", bound="Looked")


class NotPublishedError(NdrError):
    """What a run is to read is not published yet, or not any more: nothing was started (exit code 1)."""


class FeatureEngine(Protocol):
    """An engine of one kind of features: its own port says what its plan and its inputs are."""

    @property
    def name(self) -> str:
        """Name by which a user chooses it."""
        ...

    def build(self, plan: Any, inputs: Any, staging_root: str) -> Mapping[str, int]:
        """Build below a staging root. Gives staged file -> rows."""
        ...


@frozen
class Chosen(Generic[EngineT]):
    """An engine that was started for a run, and why it is this one."""

    engine: EngineT
    reason: str = "it was asked for"


@frozen
class FeatureRunSummary:
    """What a run of a feature job did."""

    manifest: Manifest
    seconds: float


class FeatureRunner(Protocol):
    """A run of a feature job, wired."""

    def run(self) -> FeatureRunSummary:
        """Build and publish, or publish nothing at all.

        Raises NotPublishedError where what it is to read is not published.
        """
        ...


def run_each(runners: Iterable[FeatureRunner]) -> tuple[list[FeatureRunSummary], list[str]]:
    """Do runs one after the other, each by itself. Gives what was done, and why others could not be.

    What is not published (NotPublishedError) stops none of the others; any other failure is raised.
    """
    done, left_out = [], []
    for runner in runners:
        try:
            done.append(runner.run())
        except NotPublishedError as error:
            left_out.append(str(error))
    return done, left_out


class Looked(Protocol):
    """What a run has found to read, as of one moment."""

    @property
    def facts(self) -> RunFacts:
        """What is known of the run, with all that it reads."""
        ...

    @property
    def plan(self) -> Any:
        """What its engine is to build."""
        ...

    @property
    def inputs(self) -> Any:
        """What its engine is given."""
        ...

    @property
    def tables(self) -> Sequence[Table]:
        """The tables that it makes."""
        ...

    @property
    def state(self) -> object:
        """Another one where anything that it reads was replaced."""
        ...


@frozen
class FeatureBuild(Generic[LookT, EngineT]):
    """The work of one run: what it read is what its manifest says."""

    jobs: JobRunner
    look: Callable[[], LookT]
    start_engine: Callable[[LookT], Chosen[EngineT]]
    describe: Callable[[LookT], dict[str, Any]]
    """What the log says of what was found."""

    def run(self) -> FeatureRunSummary:
        """Look, build and publish, or publish nothing at all. Raises as `look` before work, as the engine after."""
        started = time.monotonic()
        first = self._looked()
        manifest = self.jobs.run(
            first.facts.run_id, tuple(first.tables), lambda staging: self._work(first, staging)
        )
        return FeatureRunSummary(manifest, time.monotonic() - started)

    def _looked(self) -> LookT:
        with self.jobs.stage(Stage.LOOK) as facts:
            found = self.look()
            facts |= self.describe(found)
        return found

    def _work(self, found: LookT, staging: Staging) -> Publication:
        """Stage what is to be published; begin anew, a few times, where what is read was replaced meanwhile."""
        with self.jobs.stage(Stage.START) as facts:
            chosen = self.start_engine(found)
            facts |= {"engine": chosen.engine.name, "because": chosen.reason}
        for _ in range(_ATTEMPTS):
            try:
                return self._built(chosen.engine, found, staging)
            except Exception:  # whatever an engine says of a file that went away
                now = self._looked()
                if now.state == found.state:
                    raise
                found = now
                staging.restart()
        raise NdrError(
            "what the run reads is replaced faster than it can be read; nothing was published, run it again"
        )

    def _built(self, engine: EngineT, found: LookT, staging: Staging) -> Publication:
        with self.jobs.stage(Stage.BUILD, engine=engine.name) as facts:
            rows = engine.build(found.plan, found.inputs, staging.root)
            facts |= {"rows": sum(rows.values())}
        return Publication(evolve(found.facts, engine=engine.name), tuple(found.tables), rows)


class KeyedSpec(Protocol):
    """A JobSpec, as far as the facts of its runs tell of it."""

    @property
    def key(self) -> JobKey:
        """The key under which it is stored."""
        ...

    def content_hash(self) -> str:
        """Give the SHA-256 of the normalised spec."""
        ...


class Wired(Protocol[LookT, EngineT]):
    """A run of a feature job with its ports."""

    @property
    def spec(self) -> KeyedSpec:
        """Its JobSpec."""
        ...

    @property
    def run_id(self) -> str:
        """Its name in manifests and logs."""
        ...

    @property
    def code_version(self) -> str:
        """The version of the code that does it."""
        ...

    @property
    def sink(self) -> Sink:
        """Publishes what is built."""
        ...

    @property
    def log(self) -> RunLog:
        """Hears what the run does."""
        ...

    @property
    def undisturbed(self) -> Callable[[], AbstractContextManager[Any]]:
        """Holds back requests to stop while the run is published."""
        ...

    @property
    def start_engine(self) -> Callable[[LookT], Chosen[EngineT]]:
        """Makes the engine of what was found."""
        ...

    def look(self, published_at: int) -> LookT:
        """Look at what there is. `published_at`: the time of the run, us."""
        ...


def look_and_build(
    runner: Wired[LookT, EngineT], describe: Callable[[LookT], dict[str, Any]]
) -> FeatureRunSummary:
    """Do a run, as `FeatureBuild.run`. `describe`: what the log says of what was found."""
    published_at = now_us()
    build = FeatureBuild(
        jobs=JobRunner(runner.sink, runner.log, runner.undisturbed),
        look=lambda: runner.look(published_at),
        start_engine=runner.start_engine,
        describe=describe,
    )
    return build.run()


def facts_of_run(
    runner: Wired[Any, Any], name: str, bounds: SliceBounds, read: ReadFacts
) -> RunFacts:
    """Give the facts of a run but for its engine, and for what its columns mean.

    `name`: its mini_batch_id; `bounds`: its day, or the end of its windows; `read`: what it reads.
    """
    key = runner.spec.key
    return RunFacts(
        project_name=key.project_name,
        job_name=key.job_name,
        feature_spec_version=key.feature_spec_version,
        spec_sha256=runner.spec.content_hash(),
        mini_batch_id=name,
        run_id=runner.run_id,
        engine="",
        code_version=runner.code_version,
        bounds=bounds,
        read=read,
    )
