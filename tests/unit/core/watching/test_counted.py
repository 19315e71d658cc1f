"""What of a landing folder an output counts."""

from __future__ import annotations

from attrs import evolve

from ndr_core.publishing.manifest import CompactedRun, Contribution, Manifest
from ndr_core.tables.slices import SliceBounds
from ndr_core.times import DAY_US, HOUR_US
from ndr_core.watching.attempts import Attempt, Source
from ndr_core.watching.counted import Counted, counted_run, counted_runs
from tests.watched import manifest, minutes

NOON = 20_000 * DAY_US + 12 * HOUR_US
OLD = Source("conn.log", 100, "1:2", NOON * 1_000, "f1", "h1")
ATTEMPT = Attempt("conn.log", "run-1", (OLD,))


def counted(
    *attempts: Attempt, inputs: tuple[str, ...] = ("f1",), run_id: str = "run-1"
) -> Counted:
    runs = counted_runs([manifest("conn.log", run_id, inputs)], "v1", "deltas")
    return Counted.of(runs, attempts)


def test_a_content_counts_under_whatever_name_it_lies() -> None:
    other = evolve(OLD, path="conn.log.1", inode="1:9")

    assert counted().holder(other) == "conn.log"
    assert not counted(ATTEMPT).was_read(other)
    assert counted().holder(evolve(other, fingerprint="f2")) is None


def test_a_file_without_records_counts_by_its_name_once_a_run_was_made_of_it() -> None:
    known = counted(ATTEMPT, inputs=())

    assert known.holder(OLD) == "conn.log"
    assert known.was_read(OLD)
    assert known.holder(evolve(OLD, path="dns.log")) is None


def test_a_note_that_no_live_run_confirms_says_nothing() -> None:
    known = counted(ATTEMPT, inputs=(), run_id="run-2")

    assert known.holder(OLD) is None
    assert known.noted(OLD.state) is None
    assert list(known.may_have_been(evolve(OLD, size_bytes=200))) == []


def test_a_file_whose_slices_were_all_pruned_is_left_by_its_name() -> None:
    done = evolve(ATTEMPT, until=NOON)

    known = Counted.of([], [ATTEMPT, done], first=NOON)

    assert known.holder(OLD) == "conn.log"
    assert known.noted(OLD.state) == OLD
    assert known.front is None
    # Other files may have the same content, as one that holds nothing but a header, and be for other slices.
    assert known.holder(evolve(OLD, path="dns.log")) is None
    assert list(known.may_have_been(evolve(OLD, size_bytes=200))) == []


def test_a_run_that_is_not_live_says_nothing_while_a_slice_of_it_is_left() -> None:
    done = evolve(ATTEMPT, until=NOON + 1)

    assert Counted.of([], [done], first=NOON).holder(OLD) is None
    assert Counted.of([], [ATTEMPT], first=NOON).holder(OLD) is None


def test_a_run_is_for_its_bounds_and_for_all_slices_that_it_has_rows_in() -> None:
    bounds, rows = SliceBounds(NOON, NOON + HOUR_US), SliceBounds(NOON, NOON + 2 * HOUR_US)
    run = evolve(counted_run(manifest("conn.log", "run-1", ())), bounds=None, rows=None)

    assert run.until is None
    assert evolve(run, bounds=bounds).until == NOON + HOUR_US
    assert evolve(run, bounds=bounds, rows=rows).until == NOON + 2 * HOUR_US


def test_what_a_grown_file_began_with_counts_too() -> None:
    known = counted(evolve(ATTEMPT, covers=("f0",)))

    assert known.holder(evolve(OLD, path="copy", fingerprint="f0")) == "conn.log"


def test_a_file_may_have_grown_from_one_of_its_name_inode_or_first_bytes() -> None:
    strange = Source("x", 200, "1:9", 0, "f9", "")
    known = counted(ATTEMPT)

    for grown in (
        evolve(strange, path="conn.log"),
        evolve(strange, inode="1:2"),
        evolve(strange, head="h1"),
    ):
        assert list(known.may_have_been(grown)) == [(OLD, ATTEMPT)]
    assert list(known.may_have_been(strange)) == []
    assert list(known.may_have_been(evolve(strange, path="conn.log", size_bytes=100))) == []


def test_a_run_that_was_replaced_is_grown_from_no_more() -> None:
    known = counted(ATTEMPT)
    known.add(counted_run(manifest("conn.log", "run-2", ("f2",))), None)

    assert list(known.may_have_been(evolve(OLD, size_bytes=200))) == []


def test_the_state_of_a_file_tells_its_content() -> None:
    assert counted(ATTEMPT).noted(OLD.state) == OLD


def test_the_front_is_the_end_of_the_last_span() -> None:
    runs = [
        manifest("a", "1", bounds=SliceBounds(0, NOON)),
        manifest("b", "2", bounds=SliceBounds(0, NOON - HOUR_US)),
        manifest("c", "3", slices=[NOON + minutes(15)]),
        manifest("d", "4"),
    ]

    def front(*chosen: Manifest) -> int | None:
        return Counted.of(counted_runs(chosen, "v1", "deltas"), ()).front

    assert front() is None
    assert front(*runs[:2]) == NOON
    assert front(*runs) == NOON + minutes(30)
    assert front(runs[3]) is None


def test_without_bounds_a_record_that_is_later_than_its_file_does_not_move_the_front() -> None:
    run = counted_run(manifest("conn.log", "run-1", slices=[NOON - minutes(15), NOON + DAY_US]))
    known = Counted()

    known.add(run, evolve(ATTEMPT, sources=(evolve(OLD, modified_at=(NOON + 1) * 1_000),)))

    assert known.front == NOON + minutes(15)


def test_a_time_of_writing_before_all_records_says_nothing() -> None:
    known = Counted()

    known.add(
        counted_run(manifest("conn.log", "run-1", slices=[NOON])),
        evolve(ATTEMPT, sources=(evolve(OLD, modified_at=0),)),
    )

    assert known.front == NOON + minutes(15)


def test_runs_within_compacted_days_count_too() -> None:
    own = manifest("a", "1", ("f1",), slices=[NOON])
    day = evolve(
        own,
        day="2024-10-04",
        facts=evolve(own.facts, mini_batch_id="", job_name=""),
        contributions=(
            *own.contributions,
            Contribution("other", "x", "dt=2024-10-04/hh=00/mm=00", ""),
        ),
        runs=(
            CompactedRun(1, own.facts),
            CompactedRun(1, evolve(own.facts, job_name="other", mini_batch_id="x")),
        ),
    )

    (found,) = counted_runs([day], "v1", "deltas")

    assert (found.mini_batch_id, found.inputs) == ("a", ("f1",))
    assert found.rows == SliceBounds(NOON, NOON + minutes(15))


def test_a_run_that_is_in_a_compacted_day_in_part_has_all_its_rows() -> None:
    own = manifest("a", "1", slices=[NOON, NOON + DAY_US])
    day = evolve(own, day="2024-10-04", contributions=own.contributions[:1])

    (found,) = counted_runs([day, own], "v1", "deltas")

    assert found.rows == SliceBounds(NOON, NOON + DAY_US + minutes(15))


def test_runs_of_other_jobs_and_versions_do_not_count() -> None:
    runs = [manifest("a", "1", job_name="other"), manifest("a", "2")]

    assert counted_runs(runs, "v2", "deltas") == []
    assert [run.run_id for run in counted_runs(runs, "v1", "deltas")] == ["2"]
