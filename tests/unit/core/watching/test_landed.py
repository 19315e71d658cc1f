"""Which files of a landing folder are data, and how their mini-batches are called."""

from __future__ import annotations

import pytest

from ndr_core.names import is_path_segment
from ndr_core.watching.landed import LandedFile, holds_records, mini_batch_id_of


@pytest.mark.parametrize(
    ("path", "holds"),
    [
        ("conn.log", True),
        ("2025-03-13/conn.00:00:00-01:00:00.log.gz", True),
        ("partial-day.log", True),
        (".conn.log.Xa81", False),
        ("_SUCCESS", False),
        ("hour/_SUCCESS", False),
        ("_tmp/conn.log", False),
        ("conn.log.tmp", False),
        ("conn.log.TMP", False),
        ("conn.log.part", False),
        ("upload.part/conn.log", False),
    ],
)
def test_hidden_and_unfinished_names_hold_no_records(path: str, holds: bool) -> None:
    assert holds_records(path, ()) is holds


def test_names_that_the_job_spec_does_not_read_hold_no_records() -> None:
    patterns = ("conn*", "*.json")

    assert holds_records("day/conn.log", patterns)
    assert holds_records("day/flows.json", patterns)
    assert not holds_records("conn/dns.log", patterns)


def test_a_name_that_can_be_an_id_is_the_id() -> None:
    assert mini_batch_id_of("conn.2025-03-13_10.log.gz") == "conn.2025-03-13_10.log.gz"


@pytest.mark.parametrize(
    "place", ["conn.00:00:00-01:00:00.log.gz", "-x", "é", "a" * 300, "x.replay", "a b", "\udcff"]
)
def test_other_names_become_ids_that_no_other_name_has(place: str) -> None:
    name = mini_batch_id_of(place)

    assert is_path_segment(f"{name}.12345678")
    assert name != place
    assert not name.endswith(".replay")
    assert name != mini_batch_id_of(f"{place}/")


def test_a_file_belongs_to_the_name_at_which_it_lies() -> None:
    file = LandedFile("day/10/conn.log", 7, "1:2", 5, 5)

    assert file.place == "day"
    assert file.state == ("day/10/conn.log", 7, "1:2", 5)


@pytest.mark.parametrize(
    ("changed_at", "folder_changed_at", "moved"), [(5, 0, False), (6, 0, True), (5, 9, True)]
)
def test_a_file_was_moved_in_if_something_but_writing_changed_it_last(
    changed_at: int, folder_changed_at: int, moved: bool
) -> None:
    file = LandedFile("conn.log", 7, "1:2", 5, changed_at, folder_changed_at)

    assert file.was_moved_in is moved
