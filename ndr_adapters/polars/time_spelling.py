"""How the times of one writer are spelt: where their seconds stand, with how many digits behind them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from attrs import frozen

from ndr_core.flows.time_format import ISO_PARTS, ISO_TIME, Format, TimeFormat, TimePattern
from ndr_core.flows.time_reader import format_reader
from ndr_core.flows.time_zone import ZoneOffsets
from ndr_core.flows.values import NUMBER
from ndr_core.times import SECOND_US

_MOST_DIGITS: Final = 9
_LAST_SECOND: Final = 59
_HEADS_KEPT: Final = 1 << 14


@frozen
class TimeSpelling:
    """A time as text: so many characters up to its seconds, and what comes behind these."""

    place: int
    """Of its format, in the list of those that the field has."""
    head: int
    """Characters before the seconds."""
    point: str
    """Between the seconds and the digits of their fraction."""
    digits: int
    close: str
    """Behind all digits."""

    def whole(self, head: str, second: int) -> str:
        """The text of a time at a full second."""
        return f"{head}{second:02}{self.point}{'0' * self.digits}{self.close}"


def time_spelling(value: str, formats: Sequence[Format]) -> TimeSpelling | None:
    """How a value (JSON text) is spelt as a time, by the first format that has its form.

    None where it has no such form, where other parts than a fraction and an offset follow the seconds, or where it
    is a number.
    """
    if not value.startswith('"'):
        return None
    text = value[1:-1]
    for place, one in enumerate(formats):
        found = re.fullmatch(form_of(one), text)
        if found is not None:
            letters = _letters(one)
            return _spelt(place, text, letters, found) if letters else None
    return None


def form_of(one: Format) -> str:
    """Pattern of the texts that a format may fit."""
    if isinstance(one, TimePattern):
        return one.expression
    return ISO_TIME if one is TimeFormat.ISO8601 else NUMBER


def _letters(one: Format) -> str:
    """The parts of a format; nothing of numbers."""
    if isinstance(one, TimePattern):
        return one.parts
    return ISO_PARTS if one is TimeFormat.ISO8601 else ""


def _spelt(place: int, text: str, letters: str, found: re.Match[str]) -> TimeSpelling | None:
    before, has_seconds, behind = letters.partition("S")
    if not (has_seconds and text.isascii()) or set("fz") & set(before):
        return None
    if behind not in ("", "f", "z", "fz"):
        return None
    seconds = len(before) + 1
    fraction = seconds + 1 if behind.startswith("f") and found[seconds + 1] else None
    last = found.end(seconds if fraction is None else fraction)
    digits = 0 if fraction is None else len(found[fraction])
    if digits > _MOST_DIGITS:
        return None
    point = "" if fraction is None else text[found.end(seconds) : found.start(fraction)]
    return TimeSpelling(place, found.start(seconds), point, digits, text[last:])


def minute_reader(
    spelling: TimeSpelling, one: Format, zone: ZoneOffsets | None
) -> Callable[[str], int | None]:
    """Give what reads the text before the seconds as us of its minute; None for no such text.

    The reader is the core's: of a text to which the spelling is added it reads the first and the last second.
    """
    read = format_reader(one, zone)

    @lru_cache(maxsize=_HEADS_KEPT)
    def minute(head: str) -> int | None:
        if len(head) != spelling.head:
            return None
        first = read(spelling.whole(head, 0))
        last = read(spelling.whole(head, _LAST_SECOND))
        if first is None or last is None or last - first != _LAST_SECOND * SECOND_US:
            return None
        return first

    return minute
