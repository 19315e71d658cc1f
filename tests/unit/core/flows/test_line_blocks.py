"""Bytes become lines, none of them longer than a line may be, however they come."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.flows import line_blocks as module
from ndr_core.flows.json_text import MAX_LINE_BYTES
from ndr_core.flows.line_blocks import line_blocks, lines_of

MOST = MAX_LINE_BYTES + 1


def pieces_of(data: bytes, sizes: list[int]) -> list[bytes]:
    found, start = [], 0
    for size in sizes:
        found.append(data[start : start + size])
        start += size
    return [*found, data[start:]]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.sampled_from([b"\n", b"a", b"bb\n", b"\r\n", b"\xff", b"ccc"]), max_size=30),
    st.lists(st.integers(0, 9), max_size=12),
)
def test_lines_are_those_of_the_file_however_it_is_cut_into_pieces(
    parts: list[bytes], sizes: list[int]
) -> None:
    data = b"".join(parts)

    lines = list(lines_of(line_blocks(pieces_of(data, sizes))))

    assert lines == [line.removesuffix(b"\n") for line in io.BytesIO(data)]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=8),
    st.lists(st.integers(1, 20), max_size=8),
    st.booleans(),
)
def test_of_a_long_line_as_much_is_left_as_shows_that_it_is_too_long(
    lengths: list[int], sizes: list[int], closed: bool
) -> None:
    lines = [bytes([ord("a") + n % 26]) * length for n, length in enumerate(lengths)]
    data = b"\n".join(lines) + (b"\n" if closed else b"")
    most = module._MOST
    module._MOST = 5
    try:
        blocks = list(line_blocks(pieces_of(data, sizes)))
    finally:
        module._MOST = most

    expected = [line[:5] for line in lines]
    if not closed and not lines[-1]:
        expected.pop()
    assert list(lines_of(blocks)) == expected


def test_what_is_held_is_bounded_whatever_the_file_holds() -> None:
    piece = b" " * (1 << 20)

    blocks = list(line_blocks(piece for _ in range(30)))

    assert blocks == [b" " * MOST]


@pytest.mark.parametrize(
    ("length", "left"), [(MAX_LINE_BYTES, MAX_LINE_BYTES), (MOST, MOST), (MOST + 1, MOST)]
)
def test_a_line_of_as_many_bytes_as_are_allowed_stays_whole(length: int, left: int) -> None:
    line = b"x" * length

    blocks = list(line_blocks([line + b"\nshort\n"]))

    assert list(lines_of(blocks)) == [b"x" * left, b"short"]


def test_a_file_without_bytes_has_no_block() -> None:
    assert list(line_blocks([])) == []
    assert list(line_blocks([b"", b""])) == []


def test_each_block_ends_with_a_line_feed_but_the_last() -> None:
    blocks = list(line_blocks([b"a\nb", b"b\nc", b"c"]))

    assert blocks == [b"a\n", b"bb\n", b"cc"]


def test_an_empty_line_is_a_line() -> None:
    assert list(lines_of([b"\n\na\n", b"b"])) == [b"", b"", b"a", b"b"]
