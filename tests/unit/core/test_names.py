"""Names of columns and of parts of paths."""

from __future__ import annotations

import re

import pytest

from ndr_core.names import (
    COLUMN_NAME_RULE,
    PATH_SEGMENT_RULE,
    is_column_name,
    is_path_segment,
    whole,
)


@pytest.mark.parametrize("name", ["a", "z9", "host_ip", "a__", "a" * 64])
def test_a_name_of_a_column(name: str) -> None:
    assert is_column_name(name)


@pytest.mark.parametrize(
    "name", ["", "9a", "_a", "A", "aB", "a-b", "a.b", "a b", "a\n", "\u00e9", "a" * 65]
)
def test_no_name_of_a_column(name: str) -> None:
    assert not is_column_name(name)


@pytest.mark.parametrize("name", ["a", "Z", "0", "v1.2-rc_3", "a..b", "a" * 128])
def test_a_part_of_a_path(name: str) -> None:
    assert is_path_segment(name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".a", "-a", "_a", "a/b", "a\\b", "a=b", "a b", "a\n", "a" * 129]
)
def test_no_part_of_a_path(name: str) -> None:
    assert not is_path_segment(name)


def test_the_rules_name_their_limits() -> None:
    assert "64 at most, a letter first" in COLUMN_NAME_RULE
    assert "128 at most, a letter or digit first" in PATH_SEGMENT_RULE


def test_a_pattern_of_a_whole_text_finds_no_part_of_one() -> None:
    pattern = re.compile(whole("a|bc"))

    assert [text for text in ("a", "bc", "ab", "xa", "bcd") if pattern.search(text)] == ["a", "bc"]
