"""A name or a text stays one, whatever it holds."""

from __future__ import annotations

from ndr_core.ddl.text import backslashed, backticked, doubled, listed


def test_a_quote_in_a_text_is_doubled() -> None:
    assert doubled("o'r", "'") == "'o''r'"
    assert doubled('a"b', '"') == '"a""b"'


def test_quotes_and_backslashes_get_a_backslash_before_them() -> None:
    assert backslashed(r"a\'b") == r"'a\\\'b'"


def test_a_backtick_in_a_name_is_doubled() -> None:
    assert backticked("a`b") == "`a``b`"


def test_parts_of_a_list_have_lines_of_their_own() -> None:
    assert listed(["a", "b"]) == "  a,\n  b"
