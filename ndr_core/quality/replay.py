"""Which rejected records can be run again, and under which name."""

from __future__ import annotations

from enum import Enum
from typing import Final

from ndr_core.flows.json_line import MAX_RAW_BYTES
from ndr_core.quality.quarantine import Quarantined
from ndr_core.quality.rules import DUPLICATE, MALFORMED_JSON

_ENDING: Final = ".replay"
_CUT_BYTES: Final = MAX_RAW_BYTES - 3
"""A text that was cut has at least so many: the last character that fits no more takes up to 4 bytes."""
_REPLACEMENT: Final = "\ufffd"
"""What stands in a text for bytes that are no UTF-8."""


class Left(Enum):
    """Why a rejected record is not run again."""

    CUT = "cut"
    """The quarantine has the begin of its text only."""
    UNDECODABLE = "not UTF-8"
    """The quarantine has other characters for some of its bytes."""
    DUPLICATE = "duplicate"
    """A record that is equal to it was kept."""


def why_left(item: Quarantined) -> Left | None:
    """Say why a rejected record is not run again; None for one that is.

    No text that was cut is run again: such a text has 8,189 to 8,192 bytes. One that has so many and was not cut
    can't be told from these, and is left, too. Of a malformed record the same goes for the character that stands for
    undecodable bytes.
    """
    if item.rule == DUPLICATE:
        return Left.DUPLICATE
    if len(item.text.encode("utf-8", "replace")) >= _CUT_BYTES:
        return Left.CUT
    if item.rule == MALFORMED_JSON and _REPLACEMENT in item.text:
        return Left.UNDECODABLE
    return None


def replay_id(mini_batch_id: str) -> str:
    """Give the name of the mini-batch that holds what another one rejected, run again."""
    return f"{mini_batch_id}{_ENDING}"


def is_replay(mini_batch_id: str) -> bool:
    """Whether a mini-batch holds what another one rejected."""
    return mini_batch_id.endswith(_ENDING)
