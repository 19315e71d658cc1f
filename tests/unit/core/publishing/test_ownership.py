"""The last run that replaced a folder owns it, and only its files there count."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.publishing.manifest import Manifest, OutputFile, RunFacts
from ndr_core.publishing.ownership import live_files, owners, superseded

FACTS = RunFacts("p", "j", "v1", "00", "mb", "run", "memory", "test")


def run(sequence: int, *folders: str, token: str | None = None) -> Manifest:
    """A run that replaced these folders, with a file in each."""
    name = token or f"{sequence:012x}"
    files = tuple(OutputFile(folder, f"{folder}/{name}", 1, 1, "00") for folder in folders)
    return Manifest(sequence, name, FACTS, folders, files)


def paths(*manifests: Manifest) -> list[str]:
    return [file.path for file in live_files(manifests)]


def test_the_run_that_was_published_last_owns_a_folder() -> None:
    old, new = run(9, "a", "b"), run(10, "b", "c")

    assert owners([new, old]) == {"a": old, "b": new, "c": new}


def test_of_two_runs_with_one_number_the_higher_token_owns_the_folder_for_all_readers() -> None:
    one, other = run(1, "a", token="0" * 12), run(1, "a", token="1" * 12)

    assert owners([one, other]) == owners([other, one]) == {"a": other}


def test_live_are_the_files_of_the_owners_sorted_by_path() -> None:
    old, new = run(1, "z", "b"), run(2, "b", "c")

    live = paths(new, old)

    assert live == ["b/000000000002", "c/000000000002", "z/000000000001"]


def test_a_folder_that_was_replaced_by_nothing_has_no_live_file() -> None:
    old, new = run(1, "a"), evolve(run(2, "a"), files=())

    assert paths(old, new) == []


def test_files_that_were_replaced_are_superseded_and_runs_that_own_nothing_are_spent() -> None:
    old, middle, new = run(1, "a"), run(2, "a", "b"), run(3, "a")

    stale, spent = superseded([old, middle, new])

    assert [file.path for file in stale] == ["a/000000000001", "a/000000000002"]
    assert spent == [old]


def test_a_run_that_owns_a_folder_without_files_is_not_spent() -> None:
    old, new = run(1, "a"), evolve(run(2, "a"), files=())

    stale, spent = superseded([old, new])

    assert [file.path for file in stale] == ["a/000000000001"]
    assert spent == [old]


def test_a_live_file_is_never_stale_whoever_else_names_it() -> None:
    new = run(2, "a")
    old = evolve(run(1, "a"), files=(*run(1, "a").files, *new.files))

    stale, spent = superseded([old, new])

    assert paths(old, new) == ["a/000000000002"]
    assert [file.path for file in stale] == ["a/000000000001"]
    assert spent == [old]


def test_of_no_runs_nothing_is_live_and_nothing_superseded() -> None:
    assert live_files([]) == []
    assert superseded([]) == ([], [])


@settings(max_examples=40)
@given(st.lists(st.lists(st.sampled_from("abc"), unique=True, max_size=3), max_size=5))
def test_each_file_is_either_live_or_stale_and_each_folder_has_one_owner(
    folders: list[list[str]],
) -> None:
    runs = [run(number, *names) for number, names in enumerate(folders, start=1)]

    stale, spent = superseded(iter(runs))

    every = [file.path for one in runs for file in one.files]
    assert sorted([*paths(*runs), *(file.path for file in stale)]) == sorted(every)
    assert [path.partition("/")[0] for path in paths(*runs)] == sorted(
        {name for names in folders for name in names}
    )
    assert all(one not in owners(runs).values() for one in spent)
