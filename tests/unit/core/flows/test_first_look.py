"""A first look finds the columns that a JobSpec names, or says which one is not there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import pytest

from ndr_core.errors import SpecError
from ndr_core.flows.first_look import FIRST_LOOK_BYTES, FIRST_LOOK_LINES, MOST_KEYS, first_look


def line(*keys: str) -> bytes:
    return json.dumps(dict.fromkeys(keys, 1)).encode()


class CountedLines:
    """Lines that count how many of them were read."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        self.lines = lines
        self.read = 0

    def __iter__(self) -> Iterator[bytes]:
        for item in self.lines:
            self.read += 1
            yield item


def test_key_orders_are_given_by_how_often_they_come() -> None:
    lines = [line("a"), line("b", "a"), line("a", "b"), line("b", "a")]

    assert first_look(lines, {}) == (("b", "a"), ("a",), ("a", "b"))


def test_what_is_no_record_is_passed_over() -> None:
    assert first_look([b"", b" \r", b"{", b"[1]", line("a")], {"a": "key"}) == (("a",),)


def test_no_more_is_read_than_the_first_look_when_all_columns_are_seen() -> None:
    lines = CountedLines([line("a")] * (FIRST_LOOK_LINES + 50))

    first_look(lines, {"a": "key"})

    assert lines.read == FIRST_LOOK_LINES


def test_few_long_lines_are_enough_for_a_first_look() -> None:
    long_line = b'{"a":"' + b"x" * (FIRST_LOOK_BYTES // 4 - 8) + b'"}'
    lines = CountedLines([long_line] * 10)

    first_look(lines, {})

    assert len(long_line) == FIRST_LOOK_BYTES // 4
    assert lines.read == 4


@pytest.mark.parametrize(
    "further",
    [
        line("b"),
        b'{"\\u0062":1}',  # an escape may spell any name
        line("x", "b", "y"),
    ],
)
def test_a_column_that_comes_late_is_found_and_no_more_is_read(further: bytes) -> None:
    lines = CountedLines([line("a")] * (FIRST_LOOK_LINES + 100) + [further] + [line("a")] * 100)

    orders = first_look(lines, {"a": "key of a", "b": "key of b"})

    assert orders == (("a",),)
    assert lines.read == FIRST_LOOK_LINES + 101


def test_several_late_columns_are_all_waited_for() -> None:
    lines = CountedLines([line("a")] * FIRST_LOOK_LINES + [line("b"), line("c"), line("d")])

    first_look(lines, {"b": "key of b", "c": "key of c"})

    assert lines.read == FIRST_LOOK_LINES + 2


def test_a_column_named_only_in_a_value_is_not_seen() -> None:
    lines = [line("a")] * FIRST_LOOK_LINES + [b'{"a":"b"}', b'{"a":1']

    with pytest.raises(SpecError, match=r"no record of the input has a column 'b'"):
        first_look(lines, {"b": "input.fields.source_ip.column"})


def test_the_first_missing_column_is_named_with_its_key_and_the_nearest_name() -> None:
    with pytest.raises(SpecError) as refused:
        first_look([line("id.orig_h", "uid")], {"uid": "k", "id.orig_hh": "input.x", "z": "y"})

    assert str(refused.value) == (
        "input.x: no record of the input has a column 'id.orig_hh', did you mean 'id.orig_h'? "
        "(a column that may be absent from a whole mini-batch is marked 'optional: true')"
    )


@pytest.mark.parametrize("lines", [[], [b""], [b"{"], [b"{}"]])
def test_an_input_without_any_column_misses_none(lines: list[bytes]) -> None:
    assert first_look(lines, {"a": "key"}) in ((), ((),))


def test_records_that_come_only_after_the_first_look_are_looked_at() -> None:
    blank = [b""] * FIRST_LOOK_LINES

    assert first_look([*blank, line("a")], {"a": "key"}) == ()
    with pytest.raises(SpecError, match="did you mean 'a1'"):
        first_look([*blank, line("a1")], {"a": "key"})


@pytest.mark.parametrize(("keys", "is_hint"), [(MOST_KEYS, True), (MOST_KEYS + 1, False)])
def test_a_line_of_very_many_keys_gives_no_hint_but_its_columns(keys: int, is_hint: bool) -> None:
    names = tuple(f"k{number}" for number in range(keys))

    orders = first_look([line(*names)], {f"k{keys - 1}": "key"})

    assert orders == ((names,) if is_hint else ())


def test_a_column_is_seen_however_many_names_were_seen_before() -> None:
    lines = [line(*(f"k{number}" for number in range(5000))), line("b")]

    assert first_look(lines, {"b": "key", "k4999": "key"}) == (("b",),)


def test_only_some_of_very_many_names_are_offered_as_hints() -> None:
    many = [line(*(f"{half}{number:04}" for number in range(600))) for half in "ab"]

    with pytest.raises(SpecError, match=r"known: a0000, .* and 970 more"):
        first_look(many, {"zzzzzzzz": "key"})


def test_a_column_of_half_a_surrogate_pair_is_not_there() -> None:
    with pytest.raises(SpecError, match=r"no record of the input has a column '\\ud800'"):
        first_look([line("a")], {"\ud800": "key"})
