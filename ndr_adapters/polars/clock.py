"""Times that are spelt alike: the core is asked for their minutes, seconds and fractions are read at their places."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import polars as pl
from attrs import frozen

from ndr_core.flows.time_format import ISO_TIME
from ndr_core.flows.values import BadValueError
from ndr_core.times import SECOND_US

_LOOKS: Final = 16
"""Values of a column to look at."""
_MINUTE_CHARS: Final = len("2025-03-01T10:00:")
_SECOND_CHARS: Final = 2
_MICRO_DIGITS: Final = 6
_MOST_DIGITS: Final = 9
_IS_TIME: Final = re.compile(ISO_TIME)


@frozen
class Clock:
    """How times are spelt behind their minutes, and what reads one."""

    digits: int
    """Behind a point, after the seconds."""
    offset: str
    read: Callable[[str], int]
    """The core's reader. Raises BadValueError."""

    def minute(self, values: list[Any]) -> int | None:
        """us of the start of a minute, by the text before the seconds.

        Raises BadValueError where there is none, or where the clocks of a time zone change within the minute.
        """
        (text,) = values
        if text is None or not text.endswith(":"):  # a number, it may be
            return None
        first, last = (self.read(self._time(text, second)) for second in ("00", "59"))
        if last - first != 59 * SECOND_US:
            raise BadValueError
        return first

    def _time(self, minute: str, second: str) -> str:
        fraction = "." + "0" * self.digits if self.digits else ""
        return f"{minute}{second}{fraction}{self.offset}"


def clock_of(times: pl.Series, read: Callable[[str], int]) -> Clock | None:
    """Tell how the most times of a column are spelt, by a look at some of them; None where they are no usual ones."""
    looked_at = times.drop_nulls().head(_LOOKS).to_list()
    spellings = Counter(map(_spelling, looked_at))
    del spellings[None]
    if not spellings:
        return None
    (found, _) = spellings.most_common(1)[0]
    assert found is not None, "taken out above"
    return Clock(*found, read)


def _spelling(text: str) -> tuple[int, str] | None:
    found = _IS_TIME.fullmatch(text)
    if found is None or len(found[7] or "") > _MOST_DIGITS:
        return None
    return len(found[7] or ""), found[8] or ""


def minute_text(times: pl.Expr) -> pl.Expr:
    """The part of times before their seconds."""
    return times.str.slice(0, _MINUTE_CHARS)


def time_by(clock: Clock, times: pl.Expr, minute: pl.Expr) -> pl.Expr:
    """us of times by their minutes; null for a time that is spelt otherwise."""
    point = "." if clock.digits else ""
    seconds = pl.Enum([f"{second:02}{point}" for second in range(60)])
    second_text = times.str.slice(_MINUTE_CHARS, _SECOND_CHARS + len(point))
    second = second_text.cast(seconds, strict=False).to_physical().cast(pl.Int64)
    digits_at = _MINUTE_CHARS + _SECOND_CHARS + len(point)
    closes = times.str.len_bytes() == digits_at + clock.digits + len(clock.offset)
    is_time = closes & times.str.ends_with(clock.offset)
    time = minute + second * SECOND_US
    if clock.digits:
        digits = times.str.slice(digits_at, clock.digits)
        is_time &= digits >= "0"  # no sign
        time += _micros(digits.cast(pl.Int64, strict=False), clock.digits)
    return pl.when(is_time).then(time)


def _micros(digits: pl.Expr, count: int) -> pl.Expr:
    if count > _MICRO_DIGITS:
        return digits // pl.lit(10 ** (count - _MICRO_DIGITS))
    return digits * pl.lit(10 ** (_MICRO_DIGITS - count))
