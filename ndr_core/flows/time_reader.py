"""How a time is read, written down once.

===========  =======================================================================================
ISO-8601,    a string of that form that exists in the calendar; without an offset it is a time of the
pattern      mapping's time zone (UTC): of one that its clocks show twice the earlier, of one that they skip
             none; digits after the microseconds are cut
epoch,       a number, or a string that is one. In nanoseconds an integer is exact; else it is a double,
duration     in its unit. Rounded half up to us
===========  =======================================================================================

Times must lie in [0, 2^52) us, durations in (-2^52, 2^52) us. Of several formats the first that reads a value is
taken.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from attrs import frozen

from ndr_core.flows.time_format import ISO_PARTS, ISO_TIME, Format, TimeFormat, TimePattern
from ndr_core.flows.time_zone import ZoneOffsets
from ndr_core.flows.values import BadValueError, number_of
from ndr_core.times import SECOND_US, TIME_LIMIT_US, to_us

_NS_FORMATS: Final = (TimeFormat.EPOCH_NS, TimeFormat.DURATION_NS)
_NS_PER_US: Final = 1000


@frozen
class Taken:
    """The time that a session took, in place of its start or its end."""

    us: int


def time_reader(
    formats: Sequence[Format], zone: ZoneOffsets | None
) -> Callable[[Any], int | Taken]:
    """Give what reads a time as us, or a duration as Taken: it raises BadValueError for what is none."""
    readers = [(one.is_duration, format_reader(one, zone)) for one in formats]

    def read(value: Any) -> int | Taken:
        for is_duration, reader in readers:
            micros = reader(value)
            lowest = 1 - TIME_LIMIT_US if is_duration else 0
            if micros is not None and lowest <= micros < TIME_LIMIT_US:
                return Taken(micros) if is_duration else micros
        raise BadValueError

    return read


def format_reader(one: Format, zone: ZoneOffsets | None) -> Callable[[Any], int | None]:
    """Give what reads a value in one format, whatever its range: None for a value that has another one."""
    match one:
        case TimePattern():
            return _text_reader(re.compile(one.expression), one.parts, zone)
        case TimeFormat.ISO8601:
            return _text_reader(re.compile(ISO_TIME), ISO_PARTS, zone)
    return lambda value: _scaled(value, one)


def _scaled(value: Any, time_format: TimeFormat) -> int | None:
    if isinstance(value, str):
        try:
            value = number_of(value)
        except BadValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    in_ns = time_format in _NS_FORMATS
    if in_ns and isinstance(value, int):
        return (value + _NS_PER_US // 2) // _NS_PER_US
    try:
        number = float(value)
    except OverflowError:  # an integer beyond the doubles
        return None
    scaled = (number / _NS_PER_US if in_ns else number * float(time_format.unit_us)) + 0.5
    return math.floor(scaled) if math.isfinite(scaled) else None


def _text_reader(
    pattern: re.Pattern[str], parts: str, zone: ZoneOffsets | None
) -> Callable[[Any], int | None]:
    def read(value: Any) -> int | None:
        found = pattern.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            return None
        return _moment(dict(zip(parts, found.groups(), strict=True)), zone)

    return read


def _moment(parts: Mapping[str, str | None], zone: ZoneOffsets | None) -> int | None:
    """us of a time, by the letters of its parts; None where the calendar, or the zone, does not have it."""
    numbers = {letter: int(text) for letter, text in parts.items() if letter in "YmdHMS" and text}
    try:
        day = datetime(numbers["Y"], numbers["m"], numbers["d"], tzinfo=UTC)
    except ValueError:
        return None
    seconds = to_us(day) // SECOND_US
    seconds += numbers.get("H", 0) * 3600 + numbers.get("M", 0) * 60 + numbers.get("S", 0)
    offset = _offset(parts.get("z"), seconds, zone)
    if offset is None:
        return None
    return (seconds - offset) * SECOND_US + int((parts.get("f") or "0")[:6].ljust(6, "0"))


def _offset(text: str | None, local: int, zone: ZoneOffsets | None) -> int | None:
    """Seconds east of UTC."""
    if text is None:
        return 0 if zone is None else zone.offset_at(local)
    digits = text.strip().replace(":", "")
    if digits in ("Z", "z", "UTC"):
        return 0
    east = int(digits[1:3]) * 3600 + int(digits[3:5] or 0) * 60
    return -east if digits[0] == "-" else east
