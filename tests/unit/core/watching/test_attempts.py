"""Notes of attempts, as lines."""

from __future__ import annotations

from ndr_core.watching.attempts import Attempt, Source, read_notes

SOURCE = Source("day/conn \udcff.log", 7, "1:2", 5, "f1", "h1")
ATTEMPT = Attempt("day", "run-1", (SOURCE,), ("f0",))


def test_a_note_is_one_line_that_gives_it_back() -> None:
    line = ATTEMPT.to_line()

    assert line.count("\n") == 1
    assert list(read_notes([line])) == [ATTEMPT]


def test_a_line_that_was_cut_is_passed_over() -> None:
    line = ATTEMPT.to_line()

    assert list(read_notes([line[:20], "[]", '{"mini_batch_id": 1}', line])) == [ATTEMPT]


def test_a_file_has_the_state_in_which_it_was_found() -> None:
    assert SOURCE.state == ("day/conn \udcff.log", 7, "1:2", 5)
