"""A delta job asks before it works whether the output may take what it makes, and keeps what a threshold stops."""

from __future__ import annotations

from typing import Any, Final

import pytest
from attrs import evolve

from ndr_core.deltas.plan import DeltaPlan
from ndr_core.errors import (
    EngineReadError,
    SpecError,
    ThresholdError,
    UnreadableFileError,
    UsageError,
)
from ndr_core.flows.name_span import name_pattern
from ndr_core.flows.source import InputBatch
from ndr_core.jobs.run import RuntimeParams
from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.standing import Overrides
from ndr_core.tables.slices import SliceBounds
from ndr_core.times import MINUTE_US, SECOND_US, now_us
from tests.makers import flow, us
from tests.unit.core.deltas.memory_job import CUT, GOING_ON, Job
from tests.unit.core.fakes import lines, print_of

DAY_US: Final = 24 * 60 * MINUTE_US
STRICT = {"max_rejected_fraction": 0.2}
ONE_OF_TWO_IS_BAD = {"a.gz": lines(flow(), flow(destination_ip="nowhere"))}


def test_a_run_that_a_threshold_stops_keeps_its_report_and_what_it_rejected() -> None:
    job = Job(dict(ONE_OF_TWO_IS_BAD), STRICT)

    job.fails(
        ThresholdError,
        "its report and the records that it rejected are in memory:/out/failed/mb-1/run-1$",
    )

    (aside,) = job.staging.aside
    assert (aside.facts.run_id, aside.facts.engine) == ("run-1", "memory")
    assert aside.facts.report is not None
    assert aside.facts.report.rejected["malformed_ip"] == 1
    assert [target.stem for target in aside.aside_targets([])] == ["rejected-00000", "report"]


def test_a_run_that_a_threshold_stops_keeps_the_files_that_it_could_not_read() -> None:
    job = Job(ONE_OF_TWO_IS_BAD | {"b.gz": CUT}, STRICT | GOING_ON)

    job.fails(ThresholdError, "max_rejected_fraction")

    (aside,) = job.staging.aside
    assert [file.uri for file in aside.unreadable] == ["b.gz"]


@pytest.mark.parametrize("failure", [OSError("disk full"), UsageError("disk full")])
def test_what_can_not_be_kept_of_a_stopped_run_does_not_hide_why_it_was_stopped(
    failure: Exception,
) -> None:
    job = Job(dict(ONE_OF_TWO_IS_BAD), STRICT)
    job.staging.fails_to_set_aside = failure

    job.fails(
        ThresholdError,
        r"^quality\.max_rejected_fraction: .*; nothing was published; "
        "its report and the records that it rejected could not be kept: disk full$",
    )

    assert job.events[-2:] == ["set aside", "close"]


def test_a_run_that_no_threshold_stops_sets_nothing_aside() -> None:
    job = Job(dict(ONE_OF_TWO_IS_BAD))

    job()

    assert job.staging.aside == []


# What is published before: asked once the input was looked at, before any engine starts.


def published(job: Job, **facts: Any) -> Manifest:
    """The manifest of a run of such a job that published a moment ago, and with which it meets."""
    manifest = Job(job.contents, params=job.params)().manifest
    before = evolve(manifest, facts=evolve(manifest.facts, **facts), published_at=now_us())
    job.sink.manifests.append(before)
    return before


def refused(job: Job, kind: type[BaseException], match: str) -> None:
    job.fails(kind, match)
    assert job.events == ["look..", "..look"]
    assert job.sink.opened == []


def test_an_output_is_asked_how_it_stands_with_all_that_is_known_of_the_run() -> None:
    job = Job()

    manifest = job().manifest

    ((facts, since),) = job.sink.asked
    assert evolve(facts, engine="memory", report=manifest.facts.report) == manifest.facts
    assert (facts.engine, facts.report) == ("", None)
    assert 2 * DAY_US <= now_us() - since < 2 * DAY_US + 60 * SECOND_US


def test_an_output_of_another_project_is_refused_before_any_work() -> None:
    job = Job()
    published(job, project_name="other")

    refused(job, UsageError, "^project_name: the output belongs to project other")


def test_a_spec_that_means_something_else_under_one_version_is_refused_before_any_work() -> None:
    job = Job(parts={"delta": {"short_session_seconds": 2.0}})
    published(job)

    refused(job, SpecError, r"^delta\.short_session_seconds: is 2\.0 here, but 1\.0 in")


def test_files_that_another_mini_batch_holds_are_refused_before_any_work() -> None:
    job = Job()
    published(job, mini_batch_id="mb-0")

    refused(
        job, UsageError, r"^input a\.gz \(and 1 more files\): mini-batch mb-0 of job delta_build"
    )


def test_files_that_another_mini_batch_holds_are_counted_again_where_the_user_says_so() -> None:
    job = Job(overrides=Overrides(count_again=True))
    published(job, mini_batch_id="mb-0")

    assert job().report.kept == 3


def test_a_file_that_another_mini_batch_held_long_ago_is_not_compared() -> None:
    job = Job()
    before = published(job, mini_batch_id="mb-0")
    job.sink.manifests = [evolve(before, published_at=now_us() - 3 * DAY_US)]

    assert job().report.kept == 3


def test_a_mini_batch_is_run_again_over_the_same_files() -> None:
    job = Job(params=RuntimeParams("mb-1", "run-1", derived_id=True))
    published(job)

    assert job().report.kept == 3


def fewer_files(overrides: Overrides, *, derived_id: bool = True) -> Job:
    """A run of a mini-batch that was published from one file more."""
    job = Job(params=RuntimeParams("mb-1", "run-1", derived_id=derived_id), overrides=overrides)
    published(job)
    del job.contents["b.gz"]
    return job


def test_a_derived_id_that_was_published_from_other_files_is_refused_before_any_work() -> None:
    refused(fewer_files(Overrides()), UsageError, r"^mini-batch mb-1: .* lacks \(1 of 2\)")


def test_a_derived_id_that_was_published_from_other_files_is_replaced_where_the_user_says_so() -> (
    None
):
    assert fewer_files(Overrides(replace=True))().report.kept == 2


def test_an_id_that_the_user_gave_is_replaced_whatever_files_it_was_published_from() -> None:
    assert fewer_files(Overrides(), derived_id=False)().report.kept == 2


def test_files_without_a_record_are_not_compared_as_they_are_all_equal() -> None:
    job = Job()
    job.contents["empty.gz"] = b""

    facts = job().manifest.facts

    assert len(facts.inputs) == 2
    assert print_of(b"") not in facts.inputs


# The span of a run, from the names of its files.

ZEEK = name_pattern("zeek")


def test_the_names_of_files_give_the_bounds_of_the_run_out_to_whole_slices() -> None:
    names = ("conn.10:05:00-10:20:00.log.gz", "conn.09:40:00-10:00:00.log.gz")
    job = Job(
        {f"in/2025-03-01/{name}": lines(flow()) for name in names},
        params=RuntimeParams("mb-1", "run-1"),
        span_pattern=ZEEK,
    )

    manifest = job().manifest

    span = SliceBounds(us("2025-03-01T09:30:00Z"), us("2025-03-01T10:30:00Z"))
    assert manifest.facts.bounds == span
    assert (manifest.facts.mini_batch_id, manifest.facts.run_id) == ("mb-1", "run-1")
    assert job.sink.asked[0][0].bounds == span


def test_a_span_that_names_tell_rejects_records_as_bounds_do() -> None:
    name = "in/2025-03-03/conn.20:00:00-21:00:00.log.gz"
    within = flow(event_start="2025-03-03T20:10:00Z", event_end=None)
    job = Job(
        {name: lines(flow(), within)}, params=RuntimeParams("mb-1", "run-1"), span_pattern=ZEEK
    )

    assert job().report.rejected["out_of_slice"] == 1


def test_names_that_tell_no_span_are_refused_before_any_work() -> None:
    job = Job(params=RuntimeParams("mb-1", "run-1"), span_pattern=ZEEK)

    refused(job, UsageError, r"^span-from-name: a\.gz does not fit")


# The span of a run, from its records.


def test_records_may_tell_the_bounds_of_a_run() -> None:
    span = SliceBounds(us("2025-03-01T09:00:00Z"), us("2025-03-01T10:15:00Z"))
    asked: list[tuple[DeltaPlan, InputBatch]] = []

    def find(plan: DeltaPlan, batch: InputBatch) -> SliceBounds | None:
        asked.append((plan, batch))
        return span

    job = Job(params=RuntimeParams("mb-1", "run-1"), find_bounds=find)

    assert job().manifest.facts.bounds == span
    ((plan, batch),) = asked
    assert [rule.label for rule in plan.reject_rules if rule.label == "out_of_slice"] == []
    assert batch.uris == ["a.gz", "b.gz"]


def test_records_that_tell_no_bounds_leave_a_run_without() -> None:
    job = Job(params=RuntimeParams("mb-1", "run-1"), find_bounds=lambda _plan, _batch: None)

    assert job().manifest.facts.bounds is None


def test_a_file_that_breaks_while_the_bounds_are_found_is_set_aside_where_it_may_be() -> None:
    def find(_plan: DeltaPlan, batch: InputBatch) -> SliceBounds | None:
        if len(batch.files) == 2:
            raise EngineReadError("is cut short", "b.gz")
        return None

    job = Job(params=RuntimeParams("mb-1", "run-1"), find_bounds=find, quality=GOING_ON)
    strict = Job(params=RuntimeParams("mb-1", "run-1"), find_bounds=find)

    assert job().report.unreadable_files == {"b.gz": "is cut short"}
    refused(strict, UnreadableFileError, r"^b\.gz: is cut short")


def test_a_run_of_a_mini_batch_whose_rejected_records_were_run_again_says_so() -> None:
    replayed = Job(
        {"z.gz": lines(flow(source_ip="10.9.9.9"))}, params=RuntimeParams("mb-1.replay", "run-0")
    )()
    manifest = evolve(replayed.manifest, published_at=now_us())
    job, other = Job(), Job(params=RuntimeParams("mb-2", "run-2"))
    for one in (job, other):
        one.sink.manifests.append(manifest)

    job()
    other()

    assert [notice for notice in job.log.notices if "replay" in notice] == [
        "mini-batch mb-1.replay holds records that mb-1 rejected before; what this run keeps of them counts twice "
        "until `ndr replay` is run again"
    ]
    assert not [notice for notice in other.log.notices if "replay" in notice]
