"""What the text of one JSON object may look like, and what its limits are."""

from __future__ import annotations

import json

import pytest

from ndr_core.flows.json_text import (
    MAX_DEPTH,
    MAX_LINE_BYTES,
    MAX_NUMBER_CHARACTERS,
    MAX_RAW_BYTES,
    cut_raw,
    is_too_long,
    line_text,
    parse_object,
)

NO_OBJECTS = [
    b"{",
    b"[]",
    b"1",
    b"null",
    b'{"a":NaN}',
    b"{'a':1}",
    b'{"a":01}',
    b'{"a":1,}',
    b'{"a":"\xff"}',
    b'{"a":"\\ud800"}',
    b'{"a":"\t"}',
    b'{"a":1}{"a":1}',
    b'{"a":' + b"[" * 64 + b"]" * 64 + b"}",
    b'{"a":' + b"1" * 1001 + b"}",
    b'{"a":0.' + b"1" * 999 + b"}",
    b'{"a":"' + b"x" * MAX_LINE_BYTES + b'"}',
]


@pytest.mark.parametrize("line", NO_OBJECTS, ids=lambda line: line[:16].decode(errors="replace"))
def test_what_is_no_json_object_is_none(line: bytes) -> None:
    assert parse_object(line) is None


def test_of_a_repeated_key_the_last_value_counts() -> None:
    assert parse_object('{"a":1,"b":{"c":1,"c":2},"a":3}') == {"a": 3, "b": {"c": 2}}


@pytest.mark.parametrize("pair", ["[]", '{"a":}'], ids=["lists", "objects"])
def test_an_object_may_be_as_deep_as_is_allowed_and_no_deeper(pair: str) -> None:
    opening, closing = pair[:-1], pair[-1]

    def nested(depth: int) -> str:
        inner = depth - 2
        return '{"a":' + opening * inner + "[]" + closing * inner + "}"

    assert parse_object(nested(MAX_DEPTH)) is not None
    assert parse_object(nested(MAX_DEPTH + 1)) is None


def test_a_list_beside_the_deepest_one_makes_an_object_no_deeper() -> None:
    deepest = "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)

    assert parse_object(f'{{"a":{deepest},"b":[[]]}}') is not None
    assert parse_object(f'{{"a":[{deepest}],"b":[[]]}}') is None


def test_the_limits_are_those_that_every_engine_keeps() -> None:
    limits = (MAX_LINE_BYTES, MAX_DEPTH, MAX_NUMBER_CHARACTERS, MAX_RAW_BYTES)

    assert limits == (1_048_576, 64, 1000, 8192)


def test_brackets_within_strings_or_beside_each_other_make_no_depth() -> None:
    strings = json.dumps({"a": "[" * 100, "b": '{"' * 100})
    beside = json.dumps({"a": [[]] * 100})

    assert parse_object(strings) is not None
    assert parse_object(beside) is not None


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("beginning", ["1", "0.1", "1e0"])
def test_a_number_may_be_written_in_as_many_characters_as_are_allowed(
    sign: str, beginning: str
) -> None:
    number = (sign + beginning).ljust(MAX_NUMBER_CHARACTERS, "0")

    assert parse_object(f'{{"a":{number}}}') is not None
    assert parse_object(f'{{"a":{number}0}}') is None


def test_digits_in_a_string_are_no_number() -> None:
    assert parse_object(b'{"a":"' + b"1" * 2000 + b'"}') == {"a": "1" * 2000}


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_what_only_some_readers_take_for_a_number_is_no_json(constant: str) -> None:
    assert parse_object(f'{{"a":{constant}}}') is None


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("\\u0041", True),
        ("\\ud83d\\ude00", True),
        ("\\uD83D\\uDE00", True),
        ("\\\\ud800", True),
        ("\\ud800", False),
        ("\\udc00", False),
        ("\\ude00\\ud83d", False),
        ("\\ud83d\\ud83d\\ude00", False),
        ("\\ud83dx\\ude00", False),
    ],
)
def test_half_of_a_surrogate_pair_is_no_text(text: str, allowed: bool) -> None:
    assert (parse_object(f'{{"a":"{text}"}}') is not None) is allowed


@pytest.mark.parametrize("character", ["a", "\u00e9", "\u20ac", "\U0001f600"])
def test_the_length_of_a_line_is_that_of_its_bytes(character: str) -> None:
    width = len(character.encode())
    longest = character * (MAX_LINE_BYTES // width) + "a" * (MAX_LINE_BYTES % width)

    assert not is_too_long(longest)
    assert not is_too_long(longest.encode())
    assert is_too_long(longest + "a")
    assert is_too_long(longest.encode() + b"a")


@pytest.mark.parametrize("line", [b"", "{}", " " * MAX_LINE_BYTES])
def test_a_short_line_is_not_too_long(line: bytes | str) -> None:
    assert not is_too_long(line)


def test_text_that_is_too_long_in_bytes_is_no_object() -> None:
    text = '{"a":"' + "\u20ac" * (MAX_LINE_BYTES // 3) + '"}'

    assert parse_object(text) is None
    assert parse_object(text.encode()) is None


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_the_text_of_a_rejected_line_is_cut_at_a_character(width: int) -> None:
    character = {1: "a", 2: "\u00e9", 3: "\u20ac", 4: "\U0001f600"}[width]
    fits = character * (MAX_RAW_BYTES // width)

    assert cut_raw(fits) == fits
    assert cut_raw(fits + character) == fits


def test_the_text_of_a_line_keeps_blanks_that_are_not_around_it() -> None:
    assert line_text(b" a\t b \r") == "a\t b"
    assert line_text("\u00a0a\x0b") == "\u00a0a\x0b"
