"""A delta job reads a mini-batch, goes on without what is broken where it may, and publishes all or nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from ndr_core.deltas.job import DeltaBuilderRunner
from ndr_core.deltas.meaning import meaning_of
from ndr_core.errors import (
    AfterPublicationError,
    EngineReadError,
    InputChangedError,
    OverflowingColumnError,
    SpecError,
    StopRequested,
    ThresholdError,
    UnreadableFileError,
    UsageError,
)
from ndr_core.flows.broken_files import BrokenFiles
from ndr_core.jobs.run import RuntimeParams, Stage
from ndr_core.tables.slices import SliceBounds
from tests.makers import flow, make_spec, started
from tests.unit.core.deltas.memory_job import CUT, GOING_ON, QUARTER_PAST, TEN, Job
from tests.unit.core.fakes import TOKEN, MemoryPlace, MemorySource, lines, print_of

SLICE = "dt=2025-03-01/hh=10/mm=00"
STAGES = ["look..", "..look", "start..", "..start", "build..", "..build", "publish.."]


def test_stages_pass_in_order_and_the_engine_starts_once_the_input_was_looked_at() -> None:
    job = Job()

    job()

    assert job.events == [
        *("look..", "..look", "start..", "engine for 2", "..start", "build..", "..build"),
        *("publish..", "shield", "publish", "unshield", "..publish", "close"),
    ]


def test_stages_are_logged_with_what_went_in_and_what_came_out() -> None:
    job = Job()

    job()

    size = sum(len(content) for content in job.contents.values() if isinstance(content, bytes))
    assert job.log.outcomes[Stage.LOOK] == {"files": 2, "bytes": size}
    assert job.log.outcomes[Stage.START] == {"engine": "memory", "because": "it is here"}
    assert job.log.inputs[Stage.BUILD] == {"engine": "memory"}
    assert job.log.outcomes[Stage.BUILD] == {"read": 3, "kept": 3, "rows": 7}
    assert job.log.outcomes[Stage.PUBLISH] == {"slices": 1, "files": 5, "rows": 7, "bytes": 50}


def test_the_engine_gets_readable_files_their_heads_the_keys_of_their_lines_and_the_place() -> None:
    job = Job()

    job()

    (batch,) = job.engine.batches
    assert batch.uris == ["a.gz", "b.gz"]
    assert batch.key_orders == (tuple(flow()),)
    assert set(batch.heads) == set(batch.files)
    assert job.engine.roots == [job.staging.root]


def test_what_is_published_says_all_of_its_run() -> None:
    job = Job()

    summary = job()

    facts = summary.manifest.facts
    assert (facts.project_name, facts.job_name) == ("test", "delta_builder")
    assert (facts.feature_spec_version, facts.mini_batch_id) == ("v1", "mb-1")
    assert (facts.run_id, facts.engine, facts.code_version) == ("run-1", "memory", "1.2.3")
    assert facts.spec_sha256 == job.runner.spec.content_hash()
    assert summary.report is facts.report
    assert (summary.report.read, summary.report.kept) == (3, 3)
    assert summary.manifest.rows("delta") == {"inbound": 1, "outbound": 2}
    assert summary.manifest.token == TOKEN
    assert 0 <= summary.seconds < 60


def test_a_run_says_how_its_id_came_about_what_it_is_for_what_it_read_and_what_it_means() -> None:
    job = Job(params=RuntimeParams("mb-1", "run-1", TEN, QUARTER_PAST, derived_id=True))

    facts = job().manifest.facts

    assert facts.derived_id
    assert facts.bounds == SliceBounds(TEN, QUARTER_PAST)
    assert facts.inputs == tuple(sorted(map(print_of, job.contents.values())))
    assert facts.meaning == meaning_of(job.runner.spec)


def test_the_delta_and_the_pair_table_are_published() -> None:
    job = Job()

    job()

    (publication,) = job.staging.published
    assert job.sink.opened == [("run-1", ("delta", "pair"))]
    assert [table.name for table in publication.tables] == ["delta", "pair"]
    assert publication.unreadable == ()


def test_a_run_without_bounds_publishes_the_slices_of_its_records() -> None:
    job = Job(params=RuntimeParams("mb-1", "run-1"))

    manifest = job().manifest

    assert manifest.facts.bounds is None
    assert not manifest.facts.derived_id
    assert manifest.slices() == [SLICE]


def test_notices_of_source_and_sink_are_logged() -> None:
    job = Job()
    job.source.notices = ("a link leads back up",)

    job()

    assert [job.log.notices[0], job.log.notices[-1]] == ["a link leads back up", "opened"]


def test_a_runner_needs_neither_a_version_nor_a_shield() -> None:
    job = Job()
    runner = DeltaBuilderRunner(
        make_spec(), job.params, job.source, started(job.engine), job.sink, job.log
    )

    assert runner.run().manifest.facts.code_version == "unknown"


def test_a_record_that_is_rejected_is_reported() -> None:
    job = Job({"a.gz": lines(flow(), flow(source_ip="nowhere")) + b"\n"})

    report = job().report

    assert (report.read, report.kept, report.rejected["malformed_ip"]) == (2, 1, 1)
    assert report.blank_lines == 1


def test_a_column_that_no_record_has_fails_the_run_before_any_engine_starts() -> None:
    job = Job(quality={"deduplicate_on": ["uid"]})

    job.fails(SpecError, r"^quality\.deduplicate_on: no record of the input has a column 'uid'")

    assert job.events == ["look.."]


def test_a_sink_that_can_not_be_written_fails_the_run_before_any_engine_starts() -> None:
    job = Job()
    job.sink.fails_to_open = UsageError("read-only")

    job.fails(UsageError, "read-only")

    assert job.events == ["look..", "..look"]


@pytest.mark.parametrize(
    ("quality", "message"),
    [
        ({"min_records": 4}, "quality.min_records: 3 records kept"),
        ({"max_rejected_fraction": 0.2}, "quality.max_rejected_fraction: 0.2500 of 4"),
    ],
)
def test_a_threshold_that_is_exceeded_publishes_nothing(
    quality: dict[str, Any], message: str
) -> None:
    job = Job(quality=quality)
    job.contents["c.gz"] = lines(flow(destination_ip="nowhere"))

    job.fails(ThresholdError, message)

    assert job.events == [*STAGES[:3], "engine for 3", *STAGES[3:6], "set aside", "close"]


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ({"a": b"[{}, {}]"}, r"none of 1 records can be used .* looks like one JSON array"),
        ({"a": b"", "b": b"#fields\tts\n1\n"}, r"none of 2 records .* a log of Zeek"),
        ({"a": b"what\n", "b": b"#fields\tts\n1\n"}, r"none of 3 records .* a log of Zeek"),
        ({"a": b"what\nis\nthis\n"}, r"none of 3 records .* See whether `input`"),
    ],
)
def test_a_batch_of_which_nothing_can_be_used_publishes_nothing_and_is_told_for_what_it_is(
    contents: dict[str, bytes | Exception], message: str
) -> None:
    job = Job(contents, quality={"max_rejected_fraction": 1.0})

    job.fails(ThresholdError, message)


def test_what_can_not_be_looked_at_again_is_not_told_and_the_run_fails_as_it_would() -> None:
    job = Job({"a": b"what\n"})

    class Vanishing(MemorySource):
        def blocks(self, file: Any, read: Any = lambda _: None) -> Any:
            if len(self.read) == 2:
                raise UnreadableFileError("is gone")
            yield from super().blocks(file, read)

    job.source = Vanishing(job.contents)

    job.fails(ThresholdError, "none of 1 records can be used")


def test_a_bound_within_a_slice_is_refused_before_any_work() -> None:
    job = Job(params=RuntimeParams("mb-1", "run-1", TEN, TEN + 60_000_000))

    job.fails(SpecError, "^slice-end: 2025-03-01T10:01:00Z is no border of slices")

    assert job.events == []


def test_a_bounded_batch_without_records_is_published_without_a_file_of_a_table() -> None:
    job = Job({"a.gz": b""})

    manifest = job().manifest

    assert job.staging.published[0].rows == {}
    assert not any(file.path.startswith(("delta", "pair")) for file in manifest.files)


def test_an_overflow_publishes_nothing() -> None:
    largest = (1 << 63) - 1
    job = Job({"a.gz": lines(flow(source_bytes=largest), flow(source_bytes=largest))})

    job.fails(OverflowingColumnError, "bytes_")

    assert job.events[-1] == "close"


# Broken files: by their heads, by the first look, by the engine.


def broken_head(job: Job) -> None:
    job.source.problems = {"a.gz": "is Parquet"}


def broken_first_look(job: Job) -> None:
    job.contents["a.gz"] = UnreadableFileError("is Parquet")


def unfit_for_the_engine(job: Job) -> None:
    job.engine.unfit = {"a.gz": "is Parquet"}


def named_by_the_engine(job: Job) -> None:
    job.engine.failures = [EngineReadError("is Parquet", "a.gz")]


def found_by_reading_all(job: Job) -> None:
    """The engine can't say which file it is, and the first look did not come that far."""

    def fails_later(reads: int) -> None:
        class Later(MemorySource):
            def blocks(self, file: Any, read: Any = lambda _: None) -> Any:
                if file.uri == "a.gz" and self.read.count("a.gz") >= reads:
                    raise UnreadableFileError("is Parquet")
                yield from super().blocks(file, read)

        job.source = Later(job.contents)

    fails_later(reads=1)
    job.engine.failures = [EngineReadError("something is broken")]


BREAKS = pytest.mark.parametrize(
    "breaks",
    [
        broken_head,
        broken_first_look,
        unfit_for_the_engine,
        named_by_the_engine,
        found_by_reading_all,
    ],
)


@BREAKS
def test_a_broken_file_fails_the_run_and_is_named(breaks: Callable[[Job], None]) -> None:
    job = Job()
    breaks(job)

    job.fails(UnreadableFileError, r"^a\.gz: is Parquet; nothing was published")


@BREAKS
def test_a_broken_file_is_set_aside_where_the_spec_says_so(breaks: Callable[[Job], None]) -> None:
    job = Job(quality=GOING_ON)
    breaks(job)

    summary = job()

    assert summary.report.unreadable_files == {"a.gz": "is Parquet"}
    assert summary.report.read == 1
    assert job.engine.tries[-1] == ["b.gz"]
    (publication,) = job.staging.published
    assert [file.uri for file in publication.unreadable] == ["a.gz"]


def test_a_file_that_is_broken_by_its_head_is_not_read() -> None:
    job = Job(quality=GOING_ON)
    broken_head(job)

    job()

    assert "a.gz" not in job.source.read


def test_several_files_that_the_first_look_can_not_read_are_all_set_aside() -> None:
    job = Job({"a.gz": CUT, "b.gz": CUT, "c.gz": lines(flow())}, GOING_ON)

    report = job().report

    assert report.unreadable_files == {"a.gz": "is cut short", "b.gz": "is cut short"}
    assert report.kept == 1


def test_a_batch_of_broken_files_only_is_published_as_empty() -> None:
    job = Job({"a.gz": CUT}, GOING_ON)

    summary = job()

    assert summary.report.read == 0
    assert summary.manifest.slices() == []
    assert summary.manifest.facts.inputs == ()


@BREAKS
def test_a_file_that_was_set_aside_is_not_said_to_be_counted(breaks: Callable[[Job], None]) -> None:
    job = Job(quality=GOING_ON)
    counted = print_of(job.contents["b.gz"])
    breaks(job)

    assert job().manifest.facts.inputs == (counted,)


@pytest.mark.parametrize("breaks", [named_by_the_engine, found_by_reading_all])
def test_a_second_try_starts_with_an_empty_staging_place(breaks: Callable[[Job], None]) -> None:
    job = Job(quality=GOING_ON)
    breaks(job)

    job()

    assert job.engine.tries == [["a.gz", "b.gz"], ["b.gz"]]
    assert job.events.count("restart") == 1
    assert job.events.index("restart") < job.events.index("..build")


def test_an_engine_that_reads_at_once_restarts_nothing() -> None:
    job = Job()

    job()

    assert "restart" not in job.events


def test_each_try_goes_on_without_the_files_of_the_tries_before() -> None:
    job = Job(quality=GOING_ON)
    job.contents["c.gz"] = lines(flow())
    job.engine.failures = [EngineReadError("bad", "a.gz"), UnreadableFileError("worse", "c.gz")]

    report = job().report

    assert job.engine.tries == [["a.gz", "b.gz", "c.gz"], ["b.gz", "c.gz"], ["b.gz"]]
    assert report.unreadable_files == {"a.gz": "bad", "c.gz": "worse"}


@pytest.mark.parametrize("quality", [{}, GOING_ON])
def test_a_failure_of_the_engine_for_which_no_file_is_to_blame_fails_the_run(
    quality: dict[str, Any],
) -> None:
    job = Job(quality=quality)
    job.engine.failures = [EngineReadError("no memory left")]

    job.fails(EngineReadError, "^no memory left$")

    assert job.events[-1] == "close"
    assert len(job.engine.tries) == 1


def test_input_that_changed_while_it_was_built_publishes_nothing() -> None:
    job = Job(quality=GOING_ON)
    job.source.changed_files = ["b.gz"]

    job.fails(InputChangedError, r"^b\.gz: was changed while it was read")


def test_input_that_changed_is_no_broken_file_though_the_engine_could_not_read_it() -> None:
    job = Job(quality=GOING_ON)
    job.source.changed_files = ["b.gz"]
    job.engine.failures = [EngineReadError("is cut short", "b.gz")]

    job.fails(InputChangedError, r"^b\.gz: was changed while it was read")

    assert len(job.engine.tries) == 1


def test_a_change_of_a_file_that_was_set_aside_does_not_matter() -> None:
    job = Job(quality=GOING_ON)
    broken_head(job)
    job.source.changed_files = ["a.gz"]

    assert job().report.kept == 1


def test_a_request_to_stop_passes_and_nothing_is_published() -> None:
    job = Job(quality=GOING_ON)
    stop = StopRequested(15)
    job.log.fails_at = {Stage.BUILD: stop}

    job.fails(StopRequested, "15")

    assert not stop.published
    assert job.events[-1] == "close"


def test_a_failure_after_publication_says_that_the_run_is_published() -> None:
    job = Job()
    job.staging.fails_to_close = OSError("gone")

    with pytest.raises(AfterPublicationError, match="the run is published, but"):
        job()

    assert len(job.staging.published) == 1


def test_a_summary_of_a_run_without_a_report_can_not_give_one() -> None:
    summary = Job()()
    facts = evolve(summary.manifest.facts, report=None)

    with pytest.raises(AssertionError, match="has a report"):
        _ = evolve(summary, manifest=evolve(summary.manifest, facts=facts)).report


def test_an_output_in_the_input_is_refused_before_any_file_is_listed() -> None:
    job = Job()
    job.sink.place = MemoryPlace("memory:/in/out")

    job.fails(UsageError, "one lies in the other")

    assert job.events == []


def test_an_output_around_a_file_to_which_a_link_leads_is_refused_before_it_is_read() -> None:
    job = Job()
    job.source.linked = (MemoryPlace("memory:/out/delta"),)

    job.fails(UsageError, "output memory:/out and input memory:/out/delta")

    assert job.source.read == []


def test_the_log_hears_how_far_the_build_is() -> None:
    job = Job()

    job()

    last = job.log.progresses[-1]
    size = sum(len(content) for content in job.contents.values() if isinstance(content, bytes))
    assert (last.done_bytes, last.total_bytes, last.records) == (size, size, 3)


def test_of_an_optional_column_that_no_record_has_the_log_hears() -> None:
    fields = {"event_reason": {"column": "why", "optional": True}}
    job = Job(parts={"input": {"preset": "paloalto", "fields": fields}})

    job()

    assert (
        "input.fields.event_reason.column: none of the first 3 records has a column 'why', "
        "known: event_reason"
    ) in job.log.notices


def test_of_a_file_that_looks_like_another_format_the_log_hears() -> None:
    job = Job()
    job.source.formats = {"a.gz": "JSON Lines", "b.gz": "XML"}

    job()

    assert any(
        notice.startswith("b.gz: looks like XML, not like JSON Lines") for notice in job.log.notices
    )


def test_only_files_of_the_names_that_the_spec_asks_for_are_read() -> None:
    job = Job(parts={"input": {"preset": "paloalto", "files": ["b*"]}})

    summary = job()

    assert job.engine.tries == [["b.gz"]]
    assert (summary.report.read, job.log.outcomes[Stage.LOOK]["left_out"]) == (1, 1)
    assert job.log.notices[0] == "input.files: 1 of 2 files left out: a.gz"


def test_a_batch_without_a_file_of_such_a_name_is_refused() -> None:
    job = Job(parts={"input": {"preset": "paloalto", "files": ["conn*"]}})

    job.fails(UsageError, r"input\.files: no file has a name like conn\*; there are a\.gz, b\.gz")


def test_judging_reports_what_a_run_would_make_and_publishes_nothing() -> None:
    job = Job({"a.gz": lines(flow(), flow(source_ip="nobody"))})

    judged = job.runner.judge(job.staging)

    assert (judged.report.read, judged.report.kept, judged.problem) == (2, 1, None)
    assert judged.report == Job(job.contents)().report
    assert judged.seconds >= 0
    assert job.engine.roots == ["memory:/staging"]
    assert job.events == [
        *("look..", "..look", "start..", "engine for 1", "..start", "build..", "..build"),
    ]
    assert job.sink.opened == []


def test_judging_tells_the_threshold_that_would_stop_a_run_beside_the_report() -> None:
    job = Job({"a.gz": lines(flow())}, quality={"min_records": 2})

    judged = job.runner.judge(job.staging)

    assert judged.report.kept == 1
    assert judged.problem == (
        "quality.min_records: 1 records kept, at least 2 expected; nothing was published"
    )
    assert "set aside" not in job.events


def test_judging_is_refused_as_a_run_is_before_its_work() -> None:
    job = Job()
    job.source.place = MemoryPlace("memory:/out/in")

    with pytest.raises(UsageError, match="one lies in the other"):
        job.runner.judge(job.staging)
    assert job.events == []


NAMES = ",".join(flow())
LINE = ",".join(map(str, flow().values()))


def test_delimited_lines_are_looked_at_by_their_header() -> None:
    parts = {"input": {"preset": "paloalto", "format": "delimited", "header": "first_line"}}
    job = Job({"a": f"{NAMES}\n{LINE}\n".encode()}, parts=parts)

    job.runner._look(job.source.files(print), BrokenFiles(refused=True))

    job = Job({"a": b"source_ip\n10.0.0.1\n"}, parts=parts)
    job.fails(SpecError, "no record of the input has any of 'destination_ip', 'dst'")


def test_delimited_lines_of_another_layout_fail_with_what_they_look_like() -> None:
    parts = {"input": {"preset": "paloalto", "format": "delimited", "header": NAMES.split(",")}}

    Job({"a": LINE.replace(",", ";").encode()}, parts=parts).fails(
        ThresholdError, "The input looks like lines of values parted by semicolons"
    )


def test_rows_are_looked_at_by_what_reads_parquet() -> None:
    parts = {"input": {"preset": "paloalto", "format": "parquet"}}
    job = Job({"a": b"PAR1"}, parts=parts)
    runner = evolve(job.runner, read_rows=lambda pieces: (flow() for _ in pieces))

    batch = runner._look(job.source.files(print), BrokenFiles(refused=True))

    assert batch.reader == job.source.pieces
