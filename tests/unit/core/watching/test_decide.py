"""What is to be done for the files of one name."""

from __future__ import annotations

import pytest
from attrs import evolve

from ndr_core.watching.attempts import Attempt, Source
from ndr_core.watching.counted import Counted, counted_run
from ndr_core.watching.decide import GrownApartError, ToBuild, decide
from tests.watched import manifest

A = Source("a", 100, "1:1", 7_000, "fingerprint-a", "ha")
B = Source("b", 100, "1:2", 9_000, "fingerprint-b", "hb")


def never(_file: Source, _former: Source) -> bool:
    return False


def always(_file: Source, _former: Source) -> bool:
    return True


def counted(name: str, *sources: Source, covers: tuple[str, ...] = ()) -> Counted:
    attempt = Attempt(name, "run-1", sources, covers)
    found = Counted()
    prints = tuple(source.fingerprint for source in sources)
    found.add(counted_run(manifest(name, "run-1", prints)), attempt)
    return found


def test_nothing_is_to_be_done_for_what_counts() -> None:
    assert decide("a", [A], counted("a", A), never) is None


def test_what_does_not_count_is_a_mini_batch_of_its_name() -> None:
    batch = decide("day", [B, A], Counted(), never)

    assert batch == ToBuild("day", (A, B))
    assert batch.written == 9
    assert batch.attempt("run-1") == Attempt("day", "run-1", (A, B))


def test_of_two_files_of_one_content_one_is_built() -> None:
    assert decide("day", [A, evolve(A, path="z")], Counted(), never) == ToBuild("day", (A,))


def test_other_content_under_a_name_that_is_taken_has_its_fingerprint_in_its_id() -> None:
    one = decide("a", [B], counted("a", A), never)
    two = decide("a", [A, B], counted("a", evolve(A, fingerprint="older")), never)

    assert one is not None
    assert one.mini_batch_id == "a.fingerpr"
    assert two is not None
    assert len(two.mini_batch_id) == len("a.12345678")
    assert two.replaces is None


def test_a_file_that_has_grown_replaces_its_mini_batch() -> None:
    known = counted("day", A, B, covers=("oldest",))
    grown = evolve(A, size_bytes=200, fingerprint="grown")

    batch = decide("day", [grown, B], known, always)

    assert batch == ToBuild("day", (grown, B), ("oldest", "fingerprint-a"), known.runs["day"])


def test_a_longer_file_that_begins_otherwise_has_not_grown() -> None:
    other = evolve(A, size_bytes=200, fingerprint="other")

    batch = decide("a", [other], counted("a", A), never)

    assert batch is not None
    assert batch.mini_batch_id == "a.other"


def test_a_grown_file_whose_companion_is_gone_cannot_be_counted_anew() -> None:
    grown = evolve(A, size_bytes=200, fingerprint="grown")

    with pytest.raises(
        GrownApartError, match=r"a: has grown since mini-batch day .* b, which is gone"
    ):
        decide("day", [grown], counted("day", A, B), always)
