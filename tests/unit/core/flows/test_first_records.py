"""A source of the first records gives these and no others, file by file."""

from __future__ import annotations

import pickle
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ndr_core.errors import UnreadableFileError
from ndr_core.flows.first_records import FirstRecords
from ndr_core.flows.line_blocks import lines_of
from ndr_core.flows.source import InputFile
from tests.unit.core.fakes import MemoryPlace, MemorySource

FILES: Mapping[str, bytes | Exception] = {
    "a": b'{"a": 1}\n\n{"a": 2}\n',
    "b": b"",
    "c": b'{"c": 1}\n \n{"c": 2}\n{"c": 3}',
}


def first(most: int, contents: Mapping[str, bytes | Exception] = FILES) -> FirstRecords:
    return FirstRecords.of(MemorySource(contents), most, lambda _: None)


def given_by(source: FirstRecords) -> dict[str, bytes]:
    return {file.uri: b"".join(source.blocks(file)) for file in source.files(print)}


@pytest.mark.parametrize(
    ("most", "found"),
    [
        (1, {"a": b'{"a": 1}\n'}),
        (2, {"a": b'{"a": 1}\n\n{"a": 2}\n'}),
        (3, {"a": FILES["a"], "b": b"", "c": b'{"c": 1}\n'}),
        (4, {"a": FILES["a"], "b": b"", "c": b'{"c": 1}\n \n{"c": 2}\n'}),
        (5, FILES),
        (99, FILES),
    ],
)
def test_blank_lines_are_no_records_and_files_behind_the_last_record_are_left_out(
    most: int, found: dict[str, bytes]
) -> None:
    assert given_by(first(most)) == found


@given(
    st.lists(st.lists(st.sampled_from([b"x", b"", b" \t"]), max_size=5), max_size=4),
    st.integers(1, 12),
)
def test_the_records_are_the_first_ones_whatever_the_files_are(
    files: list[list[bytes]], most: int
) -> None:
    contents = {
        f"{number}": b"".join(line + b"\n" for line in lines) for number, lines in enumerate(files)
    }

    found = [
        line for content in given_by(first(most, contents)).values() for line in lines_of([content])
    ]

    every = [line for lines in files for line in lines]
    assert found == every[: len(found)]
    assert sum(bool(line.strip()) for line in found) == min(
        most, sum(bool(line.strip()) for line in every)
    )


def test_a_last_line_without_a_line_feed_is_given_whole() -> None:
    assert given_by(first(1, {"a": b"{}"})) == {"a": b"{}"}


def test_a_file_that_can_not_be_read_is_given_to_who_reads_it() -> None:
    source = first(1, {"a": UnreadableFileError("is cut short"), "b": b"{}\n{}\n"})
    broken, whole = source.files(print)

    with pytest.raises(UnreadableFileError, match="is cut short"):
        list(source.blocks(broken))
    assert b"".join(source.blocks(whole)) == b"{}\n"


def test_it_is_told_that_there_may_be_more_records() -> None:
    told: list[str] = []
    source = MemorySource({"a": b"{}\n{}\n", "b": b"{}\n"}, notices=("a link leads back",))

    found = FirstRecords.of(source, 2, told.append)
    FirstRecords.of(source, 4, told.append)

    assert told == [
        "a link leads back",
        "only the first 2 records are read, of 1 of 2 files",
        "a link leads back",
    ]
    found.files(told.append)
    assert len(told) == 3


def test_else_it_is_the_source_itself() -> None:
    linked = (MemoryPlace("memory:/linked"),)
    source = MemorySource(
        {"a": b"{}\n"}, problems={"a": "is odd"}, changed_files=["a"], linked=linked
    )

    found = FirstRecords.of(source, 1, print)

    (file,) = found.files(print)
    assert found.place == source.place
    assert found.places([file]) == linked
    assert found.heads([file]) == source.heads([file])
    assert found.fingerprints([file]) == source.fingerprints([file])
    assert found.changed([file]) == [file]
    read: list[int] = []
    list(found.blocks(file, read.append))
    assert read == [3]


def test_other_processes_may_have_a_copy() -> None:
    found = first(3)

    again = pickle.loads(pickle.dumps(found))

    assert given_by(again) == given_by(found)
    assert again.listed[0] == InputFile("a", len(b'{"a": 1}\n\n{"a": 2}\n'))
