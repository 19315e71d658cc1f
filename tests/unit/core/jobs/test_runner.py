"""A run publishes all or nothing, passes its stages in order, and never hides why it failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import define, evolve, field

from ndr_core.errors import AfterPublicationError, NdrError, StopRequested, ThresholdError
from ndr_core.jobs.run import Stage
from ndr_core.jobs.runner import JobRunner
from ndr_core.publishing.manifest import Manifest, OutputFile, RunFacts
from ndr_core.publishing.sink import Publication, Staging
from ndr_core.quality.report import QualityReport, make_report
from ndr_core.tables.columns import ColumnType, key_column
from ndr_core.tables.slices import SLICE_COLUMNS
from ndr_core.tables.table import Table
from tests.unit.core.fakes import Events, MemoryLog, MemorySink, MemoryStaging, noted

TOY = Table(
    "toy",
    ("host_ip",),
    (key_column("host_ip", ColumnType.STRING, "the host"), *SLICE_COLUMNS),
)
FACTS = RunFacts("p", "j", "v1", "00", "mb", "run", "memory", "test")
SLICE = "feature_spec_version=v1/dt=2025-03-01/hh=10/mm=00"
PUBLICATION = Publication(FACTS, (TOY,), {f"toy/{SLICE}/a": 3, f"toy/{SLICE}/b": 4})
WITHOUT_A_FAILURE = ["work", "publish..", "shield", "publish", "unshield", "..publish", "close"]


@define
class Run:
    """A runner with ports in memory, and a work that does what the test says."""

    events: Events = field(factory=list)
    staging: MemoryStaging = field(init=False)
    sink: MemorySink = field(init=False)
    log: MemoryLog = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.staging = MemoryStaging(self.events)
        self.sink = MemorySink(self.staging)
        self.log = MemoryLog(self.events)

    @property
    def runner(self) -> JobRunner:
        return JobRunner(self.sink, self.log, lambda: noted(self.events))

    def __call__(self, failure: BaseException | None = None) -> Manifest:
        def work(staging: Staging) -> Publication:
            assert staging is self.staging
            self.events.append("work")
            if failure is not None:
                raise failure
            return PUBLICATION

        return self.runner.run("run-1", [TOY], work)


def test_a_run_stages_publishes_and_closes_in_this_order() -> None:
    run = Run()

    manifest = run()

    assert run.events == WITHOUT_A_FAILURE
    assert run.staging.published == [PUBLICATION]
    assert manifest.tables == ("toy",)


def test_a_staging_place_is_opened_for_the_run_and_its_tables_and_its_notices_are_logged() -> None:
    run = Run()

    run()

    assert run.sink.opened == [("run-1", ("toy",))]
    assert run.log.notices == ["opened"]


def test_what_was_published_is_logged_by_slices_files_rows_and_bytes() -> None:
    run = Run()

    run()

    assert run.log.outcomes[Stage.PUBLISH] == {"slices": 1, "files": 2, "rows": 7, "bytes": 20}


def test_a_rerun_logs_which_run_it_replaced_and_what_that_held() -> None:
    run = Run()
    report = make_report((), 12, {}, {}, 0, {})
    run.staging.former = former(report)

    run()

    assert run.log.outcomes[Stage.PUBLISH] == {
        "replaced_run": "before",
        "replaced_slices": 2,
        "replaced_kept": 12,
        "slices": 1,
        "files": 2,
        "rows": 7,
        "bytes": 20,
    }


def test_a_rerun_of_a_run_without_a_report_does_not_say_what_that_kept() -> None:
    run = Run()
    run.staging.former = former(None)

    run()

    outcome = run.log.outcomes[Stage.PUBLISH]
    assert outcome["replaced_run"] == "before"
    assert "replaced_kept" not in outcome


def former(report: QualityReport | None) -> Manifest:
    """A run of the same mini-batch that was published before, with two slices."""
    slices = (SLICE, SLICE.replace("mm=00", "mm=15"))
    facts = evolve(FACTS, run_id="before", report=report)
    files = [OutputFile(f"toy/{place}/part-00000-0.parquet", 1, 1, "00") for place in slices]
    return Publication(facts, (TOY,), {}).manifest(1, "0" * 12, files, None)


def test_a_runner_without_a_shield_publishes_too() -> None:
    run = Run()

    JobRunner(run.sink, run.log).run("run-1", [TOY], lambda _: PUBLICATION)

    assert run.events == ["publish..", "publish", "..publish", "close"]


def test_where_no_staging_place_can_be_opened_no_work_is_done() -> None:
    run = Run()
    run.sink.fails_to_open = NdrError("read-only")

    with pytest.raises(NdrError, match="read-only"):
        run()

    assert run.events == []


@pytest.mark.parametrize(
    "failure", [ThresholdError("too few"), OSError("disk"), KeyboardInterrupt(), StopRequested(15)]
)
def test_a_failure_of_the_work_publishes_nothing_and_closes(failure: BaseException) -> None:
    run = Run()

    with pytest.raises(type(failure)) as caught:
        run(failure)

    assert caught.value is failure
    assert run.events == ["work", "close"]
    assert run.staging.published == []


def test_a_request_to_stop_before_publication_says_that_nothing_is_published() -> None:
    with pytest.raises(StopRequested) as caught:
        Run()(StopRequested(15))

    assert not caught.value.published


@pytest.mark.parametrize("closing", [NdrError("gone"), OSError("gone")])
def test_a_failure_while_closing_does_not_hide_what_failed_first(closing: Exception) -> None:
    run = Run()
    run.staging.fails_to_close = closing

    with pytest.raises(ThresholdError, match="too few"):
        run(ThresholdError("too few"))


def test_a_failure_to_publish_is_no_failure_after_publication() -> None:
    run = Run()
    run.staging.fails_to_publish = OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        run()

    assert run.events == ["work", "publish..", "shield", "publish", "unshield", "close"]


def test_a_sink_that_says_that_the_run_is_published_is_believed() -> None:
    run = Run()
    run.staging.fails_to_publish = AfterPublicationError("published, but")

    with pytest.raises(AfterPublicationError, match=r"^published, but$"):
        run()


def test_a_log_that_fails_after_publication_says_that_the_run_is_published() -> None:
    run = Run()
    run.log.fails_at = {Stage.PUBLISH: OSError("no space")}

    with pytest.raises(
        AfterPublicationError,
        match=r"^the run is published, but it could not be logged: OSError: no space$",
    ):
        run()

    assert run.events == WITHOUT_A_FAILURE


def test_a_log_and_a_closing_that_fail_after_publication_tell_the_first() -> None:
    run = Run()
    run.log.fails_at = {Stage.PUBLISH: OSError("no space")}
    run.staging.fails_to_close = OSError("gone")

    with pytest.raises(AfterPublicationError, match="it could not be logged: OSError: no space"):
        run()


def test_a_closing_that_fails_after_publication_says_that_the_next_run_tidies_up() -> None:
    run = Run()
    run.staging.fails_to_close = OSError("gone")

    with pytest.raises(
        AfterPublicationError,
        match=r"^the run is published, but its staging place could not be removed, "
        r"which the next run does: OSError: gone$",
    ):
        run()


def stop_while_logging(run: Run, stop: StopRequested) -> None:
    run.log.fails_at = {Stage.PUBLISH: stop}


def stop_while_closing(run: Run, stop: StopRequested) -> None:
    run.staging.fails_to_close = stop


@pytest.mark.parametrize("when", [stop_while_logging, stop_while_closing])
def test_a_request_to_stop_after_publication_passes_and_says_that_the_run_is_published(
    when: Callable[[Run, StopRequested], None],
) -> None:
    run, stop = Run(), StopRequested(15)
    when(run, stop)

    with pytest.raises(StopRequested) as caught:
        run()

    assert caught.value is stop
    assert stop.published
    assert len(run.staging.published) == 1


def test_a_request_that_the_shield_held_back_is_raised_once_the_run_is_published() -> None:
    class Holding:
        def __enter__(self) -> None:
            pass

        def __exit__(self, *_: Any) -> None:
            raise StopRequested(15)

    run = Run()

    with pytest.raises(StopRequested) as caught:
        evolve(run.runner, undisturbed=Holding).run("run-1", [TOY], lambda _: PUBLICATION)

    assert run.events == ["publish..", "publish", "close"]
    assert caught.value.published


def test_a_stage_is_logged_from_its_inputs_to_its_outcome_with_its_seconds() -> None:
    run = Run()

    with run.runner.stage(Stage.BUILD, engine="memory") as outcome:
        outcome["rows"] = 5

    assert run.events == ["build..", "..build"]
    assert run.log.inputs == {Stage.BUILD: {"engine": "memory"}}
    assert run.log.outcomes == {Stage.BUILD: {"rows": 5}}
    assert 0 <= run.log.seconds[0] < 10


def test_a_stage_that_fails_is_not_done() -> None:
    run = Run()

    with pytest.raises(OSError, match="gone"), run.runner.stage(Stage.BUILD):
        raise OSError("gone")

    assert run.events == ["build.."]
