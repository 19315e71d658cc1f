"""When files count as finished."""

from __future__ import annotations

from attrs import evolve

from ndr_core.watching.landed import LandedFile
from ndr_core.watching.stillness import Moment, Stillness

SETTLE = 60
NOON = 1_000_000


def written(at: int, size: int = 7) -> LandedFile:
    """A file that was last written at a moment, us."""
    return LandedFile("conn.log", size, "1:2", at * 1_000, at * 1_000)


def test_one_look_is_enough_for_a_file_that_lies_there_long_enough() -> None:
    look = Stillness(SETTLE).look([written(NOON - SETTLE)], Moment(NOON, 0))

    assert look.files == (written(NOON - SETTLE),)
    assert (look.growing, look.wait) == ((), None)


def test_a_file_that_was_written_lately_is_waited_for() -> None:
    look = Stillness(SETTLE).look([written(NOON - 20), written(NOON - 50)], Moment(NOON, 0))

    assert (look.files, len(look.growing), look.wait) == ((), 2, 10)


def test_where_the_time_of_a_file_cannot_tell_it_is_enough_that_it_stays_the_same() -> None:
    stillness, file = Stillness(SETTLE), written(NOON + 5_000)
    first = stillness.look([file], Moment(NOON, 100))
    second = stillness.look([file], Moment(NOON, 100 + SETTLE - 1))
    third = stillness.look([file], Moment(NOON, 100 + SETTLE))

    assert (first.wait, second.wait, third.files) == (SETTLE, 1, (file,))


def test_a_file_that_grows_is_waited_for_anew() -> None:
    stillness, file = Stillness(SETTLE), written(NOON + 5_000)
    stillness.look([file], Moment(NOON, 0))
    grown = evolve(file, size_bytes=8)

    look = stillness.look([grown], Moment(NOON, SETTLE))

    assert (look.growing, look.wait) == ((grown,), SETTLE)


def test_a_file_that_was_away_is_waited_for_anew() -> None:
    stillness, file = Stillness(SETTLE), written(NOON + 5_000)
    stillness.look([file], Moment(NOON, 0))
    stillness.look([], Moment(NOON, SETTLE))

    assert stillness.look([file], Moment(NOON, SETTLE)).growing == (file,)


def test_a_file_that_was_moved_in_is_finished() -> None:
    file = evolve(written(NOON), changed_at=NOON * 1_000 + 1)

    assert Stillness(SETTLE).look([file], Moment(NOON, 0)).files == (file,)
