"""What engines note of a line."""

from __future__ import annotations

from ndr_core.flows.outcome import BAD_VALUE, BLANK, MALFORMED, READ, SKIPPED, UNFIT, key_column
from ndr_core.flows.record import FIELD_BY_NAME
from ndr_core.names import is_column_name


def test_outcomes_are_told_apart() -> None:
    assert list(range(6)) == [READ, BLANK, MALFORMED, UNFIT, SKIPPED, BAD_VALUE]


def test_the_column_of_a_key_is_no_field_whatever_the_key_is_called() -> None:
    for name in FIELD_BY_NAME:
        assert key_column(name) not in FIELD_BY_NAME
        assert not is_column_name(key_column(name))

    assert key_column("a") != key_column("b")
