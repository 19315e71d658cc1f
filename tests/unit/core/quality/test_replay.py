"""Which rejected records are run again, and as which mini-batch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ndr_core.flows.json_line import MAX_RAW_BYTES, cut_raw
from ndr_core.quality.quarantine import Quarantined
from ndr_core.quality.replay import Left, is_replay, replay_id, why_left
from ndr_core.quality.rules import DUPLICATE, MALFORMED_JSON


def left(raw: str, rule: str = "malformed_ip") -> Left | None:
    return why_left(Quarantined(rule, None, raw))


def test_a_record_with_all_of_its_text_is_run_again() -> None:
    assert left('{"a": 1}') is None
    assert left('{"a": 1}', MALFORMED_JSON) is None
    assert left("x" * (MAX_RAW_BYTES - 4)) is None


@given(st.text("a\u00e9\u20ac\U0001f600", min_size=1), st.integers(0, 4), st.integers(0, 4))
def test_a_text_that_was_cut_is_never_run_again(letters: str, pad: int, more: int) -> None:
    text = "x" * pad + letters * (MAX_RAW_BYTES // len(letters.encode()) + 1 + more)
    text = text if len(text.encode()) > MAX_RAW_BYTES else text * 2

    kept = cut_raw(text)

    assert kept != text
    assert left(kept) is Left.CUT


def test_a_text_that_may_have_been_cut_is_left_too() -> None:
    assert left("x" * (MAX_RAW_BYTES - 3)) is Left.CUT


@pytest.mark.parametrize(
    ("rule", "reason"), [(MALFORMED_JSON, Left.UNDECODABLE), ("malformed_ip", None)]
)
def test_a_malformed_record_with_bytes_that_were_no_text_is_left(
    rule: str, reason: Left | None
) -> None:
    assert left('{"a": "\ufffd"}', rule) is reason


def test_a_duplicate_of_a_kept_record_is_left() -> None:
    assert left("{}", DUPLICATE) is Left.DUPLICATE
    assert left("x" * MAX_RAW_BYTES, DUPLICATE) is Left.DUPLICATE


def test_the_name_of_a_replay_tells_that_it_is_one() -> None:
    assert replay_id("2025-03-01T10") == "2025-03-01T10.replay"
    assert is_replay(replay_id("a"))
    assert not is_replay("a")
    assert not is_replay("a.replayed")
