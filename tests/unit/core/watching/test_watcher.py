"""Each record that lands counts exactly once, whatever happens to files, and wherever the process dies."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from ndr_core.errors import (
    AfterPublicationError,
    InputChangedError,
    SpecError,
    ThresholdError,
    UsageError,
)
from ndr_core.watching.counted import counted_run
from tests.soak import examples
from tests.watched import SETTLE, Killed, World


@pytest.fixture
def world() -> World:
    return World()


def test_a_finished_file_becomes_a_mini_batch_of_its_name(world: World) -> None:
    world.write("conn.log", (1, 2))
    world.tick()

    done = world.watcher().round()

    assert done.built == ("conn.log",)
    assert (done.failed, done.growing, done.wait) == ({}, 0, None)
    assert world.records == {"conn.log": (1, 2)}
    assert done.front == world.manifests["conn.log"].facts.bounds.end  # type: ignore[union-attr]


def test_a_note_says_of_what_slices_a_run_was_once_it_is_published(world: World) -> None:
    world.write("conn.log", (1, 2))
    world.tick()
    watcher = world.watcher()

    watcher.round()

    begun, done = world.noted
    assert (begun.run_id, begun.until) == (done.run_id, None)
    assert done.until == counted_run(world.manifests["conn.log"]).until


def test_a_run_that_was_of_no_slice_is_noted_once(world: World) -> None:
    world.has_bounds = False
    world.write("conn.log", (1, 2))
    world.tick()

    world.watcher().round()

    assert [one.until for one in world.noted] == [None]
    assert world.watcher().round().built == ()


def test_a_file_that_grows_waits_until_it_lies_still(world: World) -> None:
    world.write("conn.log", (1, 2))
    watcher = world.watcher()
    first = watcher.round()
    world.tick(SETTLE - 1)
    world.append("conn.log", (3,))
    second = watcher.round()
    world.tick()

    third = watcher.round()

    assert (first.built, first.growing, first.wait) == ((), 1, SETTLE)
    assert (second.built, third.built) == ((), ("conn.log",))
    assert world.records == {"conn.log": (1, 2, 3)}


def test_a_file_that_was_moved_in_is_taken_at_once(world: World) -> None:
    world.write("elsewhere", (1, 2))
    world.rename("elsewhere", "conn.log")

    assert world.watcher().round().built == ("conn.log",)


def test_mini_batches_are_built_in_the_order_in_which_they_were_written(world: World) -> None:
    for name in ("b", "c", "a"):
        world.write(name, (ord(name), 0))
        world.tick(1)
    world.tick()

    done = world.watcher().round()

    assert done.built == ("b", "c", "a")
    assert world.fronts[0] is None
    assert world.fronts[1:] == sorted(filter(None, world.fronts))


def test_a_folder_is_one_mini_batch_once_all_of_it_is_finished(world: World) -> None:
    world.write("hour/a", (1, 2))
    world.tick()
    world.write("hour/b", (3, 4))
    watcher = world.watcher()
    first = watcher.round()
    world.tick()

    second = watcher.round()

    assert (first.built, second.built) == ((), ("hour",))
    assert world.records == {"hour": (1, 2, 3, 4)}


def test_what_is_added_to_a_folder_later_is_a_mini_batch_of_its_own(world: World) -> None:
    world.write("day/00", (1, 2))
    world.tick()
    watcher = world.watcher()
    watcher.round()
    world.write("day/01", (3, 4))
    world.tick()

    (name,) = watcher.round().built

    assert name.startswith("day.")
    assert world.records == {"day": (1, 2), name: (3, 4)}


def test_a_file_that_has_grown_since_replaces_what_was_built_of_it(world: World) -> None:
    world.write("conn.log", (1, 2))
    world.tick()
    watcher = world.watcher()
    watcher.round()
    world.append("conn.log", (3,))
    world.tick()

    assert watcher.round().built == ("conn.log",)
    assert world.records == {"conn.log": (1, 2, 3)}
    assert world.watcher().round().built == ()


def test_other_content_under_the_same_name_is_another_mini_batch(world: World) -> None:
    world.write("conn.log", (1, 2))
    world.tick()
    watcher = world.watcher()
    watcher.round()
    world.rename("conn.log", "conn.log.1")
    world.write("conn.log", (3, 4))
    world.tick()

    (name,) = watcher.round().built

    assert name.startswith("conn.log.")
    assert world.records == {"conn.log": (1, 2), name: (3, 4)}
    assert "known conn.log.1 conn.log" in world.news.notices
    watcher.round()
    assert world.news.notices.count("known conn.log.1 conn.log") == 1


def test_a_file_that_is_known_is_not_read_again_by_a_later_process(world: World) -> None:
    world.write("conn.log", (1, 2))
    world.tick()
    world.watcher().round()
    world.watcher().round()

    assert world.reads == {"conn.log": 1}


def test_a_mini_batch_that_fails_stops_no_other_and_is_tried_again(world: World) -> None:
    world.failing["a"] = ThresholdError("too few")
    for name in ("a", "b"):
        world.write(name, (ord(name), 0))
        world.tick()
    watcher = world.watcher()
    first = watcher.round()
    world.failing.clear()

    second = watcher.round()

    assert (first.built, first.failed) == (("b",), {"a": "too few"})
    assert (second.built, second.failed) == (("a",), {})
    assert "failed a: too few" in world.news.notices


def test_what_has_failed_is_not_tried_again_at_each_look_unless_it_has_changed(
    world: World,
) -> None:
    world.failing["a"] = ThresholdError("too few")
    world.write("a", (1, 2))
    world.tick()
    watcher = world.watcher(retry=10 * SETTLE)
    failed = [watcher.round().failed for _ in range(2)]
    world.append("a", (3,))
    world.tick()
    failed.append(watcher.round().failed)
    world.tick(10 * SETTLE)
    failed.append(watcher.round().failed)

    assert failed == [{"a": "too few"}, {}, {"a": "too few"}, {"a": "too few"}]
    assert world.news.passed_names == ["a"] * 4


def test_a_name_that_tells_an_impossible_time_stops_no_other(world: World) -> None:
    world.failing["a"] = SpecError("slice-start: lies outside the times that records can have")
    for name in ("a", "b"):
        world.write(name, (ord(name), 0))
    world.tick()

    done = world.watcher().round()

    assert (done.built, list(done.failed)) == (("b",), ["a"])


def test_what_changes_while_it_is_read_is_no_failure(world: World) -> None:
    world.failing["a"] = InputChangedError("a")
    world.write("a", (1, 2))
    world.tick()

    done = world.watcher().round()

    assert (done.built, done.failed, done.growing, done.wait) == ((), {}, 1, SETTLE)


def test_what_changes_while_another_file_grows_waits_for_that_one(world: World) -> None:
    world.failing["a"] = InputChangedError("a")
    world.write("a", (1, 2))
    world.tick(SETTLE - 1)
    world.write("b", (1, 2))
    world.tick(1)

    done = world.watcher().round()

    assert (done.growing, done.wait) == (2, SETTLE - 1)


def test_what_cannot_be_read_or_listed_is_told_and_stops_no_other(world: World) -> None:
    world.problems["a"] = UsageError("input a: can't be read")
    world.listing_problems["d"] = "d: can't be listed"
    for name in ("a", "b", "d/x"):
        world.write(name, (ord(name[0]), 0))
    world.tick()

    done = world.watcher().round()

    assert done.built == ("b",)
    assert done.failed == {"a": "input a: can't be read", "d": "d: can't be listed"}


def test_what_can_not_be_listed_is_not_told_at_each_look(world: World) -> None:
    world.listing_problems["d"] = "d: can't be listed"
    watcher = world.watcher(retry=10 * SETTLE)
    for _ in range(3):
        assert watcher.round().failed == {"d": "d: can't be listed"}
    told = list(world.news.notices)
    world.tick(10 * SETTLE)
    watcher.round()

    assert told == ["failed d: d: can't be listed"]
    assert world.news.notices == told * 2


def test_a_mini_batch_whose_tidying_fails_is_told_and_counts(world: World) -> None:
    world.after_publication["a"] = AfterPublicationError("the run is published, but..")
    world.write("a", (1, 2))
    world.tick()
    watcher = world.watcher()

    assert watcher.round().failed == {"a": "the run is published, but.."}
    assert watcher.round().built == ()
    assert world.counts() == {1: 1, 2: 1}


def test_a_grown_file_whose_companion_is_gone_is_told(world: World) -> None:
    world.write("hour/a", (1, 2))
    world.write("hour/b", (3, 4))
    world.tick()
    watcher = world.watcher()
    watcher.round()
    del world.files["hour/b"]
    world.append("hour/a", (5,))
    world.tick()

    done = watcher.round()

    assert "has grown since mini-batch hour was built of it and of hour/b" in done.failed["hour"]
    assert world.records == {"hour": (1, 2, 3, 4)}


def test_many_mini_batches_look_at_the_output_anew_now_and_then(world: World) -> None:
    for number in range(60):
        world.write(f"f{number:03}", (number, number + 1000))
    world.tick()

    done = world.watcher().round()

    assert len(done.built) == 60
    assert world.looks == 3


def test_who_follows_hears_of_each_move_of_the_front(world: World) -> None:
    heard: list[tuple[int | None, int | None]] = []
    for name in ("a", "b"):
        world.write(name, (ord(name), 0))
        world.tick()

    world.watcher(after_batch=lambda before, now: heard.append((before, now))).round()

    ends = [one.facts.bounds.end for one in world.manifests.values() if one.facts.bounds]
    assert heard == [(None, ends[0]), (ends[0], ends[1])]


NAMES = ("conn.log", "dns.log", "day/00", "day/01")
KILLS = (None, None, "before the note", "after the note", "after publication")


@settings(max_examples=examples(400))
@given(st.data())
def test_each_record_counts_once_whatever_happens_to_files_and_processes(data: DataObject) -> None:
    world = World()
    watcher = world.watcher()
    fresh = (number for number in count())
    dumped: tuple[int, ...] = ()

    def some() -> tuple[int, ...]:
        return tuple(next(fresh) for _ in range(data.draw(st.integers(2, 4))))

    for _ in range(data.draw(st.integers(1, 25))):
        action = data.draw(
            st.sampled_from(
                ("write", "append", "rotate", "resend", "truncate", "dump", "tick", "round")
            )
        )
        name = data.draw(st.sampled_from(NAMES))
        lying = world.files.get(name)
        match action:
            case "write" if lying is None:
                world.write(name, some())
            case "append" if lying is not None:
                world.append(name, some())
            case "rotate" if lying is not None:
                world.rename(name, f"{name}.{len(world.files)}-{world.now}")
                world.write(name, some())
            case "resend" if (
                lying is not None
            ):  # as rsync does: the same and more, by another inode
                world.write(name, (*lying.content, *some()))
            case "truncate" if lying is not None:  # as logrotate's copytruncate does
                world.write(f"{name}.{len(world.files)}-{world.now}", lying.content)
                world.write(name, some(), lying.inode)
            case "dump":  # each holds all of the one before, which stays
                dumped = (*dumped, *some())
                world.write(f"dump-{len(dumped)}", dumped)
            case "tick":
                world.tick(data.draw(st.integers(1, 2 * SETTLE)))
            case "round":
                world.killed_at = data.draw(st.sampled_from(KILLS))
                before = world.counts()
                try:
                    watcher.round()
                except Killed:
                    watcher = world.watcher()
                world.killed_at = None
                assert before <= world.counts()
                assert set(world.counts().values()) <= {1}
        world.tick(1)
    world.tick()

    last = watcher.round()

    counts = world.counts()
    assert set(counts.values()) <= {1}
    lost = {
        path.partition("/")[0]
        for path, file in world.files.items()
        if any(record not in counts for record in file.content)
    }
    assert lost == set(last.failed)
    assert world.watcher().round().built == ()
