"""Times -> us, as SQL over text."""

from __future__ import annotations

from typing import Final

from ndr_adapters.spark.sql.expr import Sql, literal, matches
from ndr_core.flows.time_format import ISO_PARTS, ISO_TIME, Format, TimeFormat, TimePattern
from ndr_core.flows.time_zone import ZoneOffsets
from ndr_core.flows.values import INTEGER, NUMBER
from ndr_core.times import TIME_LIMIT_US

PLAIN_TIME: Final = (
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])[T ]"
    r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"
    r"(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])?"
)
"""Times in ISO-8601 as Spark reads them by itself."""


def iso_us(text: Sql) -> Sql:
    """us of a time in ISO-8601 as most writers spell it, null for another text.

    The session's zone is UTC. A zone in the text is looked up by a regular expression that Spark compiles
    again for each value, which took longer than all of JSON.
    """
    without_z = f"substring_index({text}, 'Z', 1)"
    moment = f"unix_micros(try_cast({without_z} as timestamp))"
    return Sql(f"if({matches(text, PLAIN_TIME)}, {moment}, null)")


def scaled_us(number: Sql, one: Format) -> Sql:
    """us of a double in the unit of a format, null where it is far out of range."""
    assert isinstance(one, TimeFormat)
    in_us = f"{number} * {literal(float(one.unit_us))}" if one.unit_us else f"{number} / 1000D"
    us = f"({in_us} + 0.5D)"
    limit = literal(float(TIME_LIMIT_US))
    return Sql(f"if(abs({us}) < {limit}, cast(floor({us}) as bigint), null)")


def number_us(text: Sql, one: Format) -> Sql:
    """us of a text that is written as a number, null for another text."""
    assert isinstance(one, TimeFormat)
    scaled = scaled_us(Sql(f"cast({text} as double)"), one)
    of_number = f"if({matches(text, NUMBER)}, {scaled}, null)"
    if one.unit_us:
        return Sql(of_number)
    halved = f"try_add(try_cast({text} as bigint), 500L)"
    exact = f"(({halved}) - pmod({halved}, 1000L)) div 1000L"
    return Sql(
        f"case when {matches(text, INTEGER)} then {exact} "
        f"when {text} rlike '[.eE]' then {of_number} end"
    )


def text_us(text: Sql, one: Format, zone: ZoneOffsets | None) -> Sql:
    """us of a text in ISO-8601 or of a pattern; null for another text, and where calendar or zone lack it."""
    pattern, letters = ISO_TIME, ISO_PARTS
    if isinstance(one, TimePattern):
        pattern, letters = one.expression, one.parts
    parts = {
        letter: f"regexp_extract({text}, {literal(f'^(?:{pattern})$')}, {place})"
        for place, letter in enumerate(letters, start=1)
    }
    date = f"concat({parts['Y']}, '-', {parts['m']}, '-', {parts['d']})"
    seconds = f"(unix_micros(try_cast({date} as timestamp)) div 1000000L"
    for letter, unit in (("H", 3600), ("M", 60), ("S", 1)):
        if letter in parts:
            seconds += f" + try_cast({parts[letter]} as bigint) * {unit}L"
    seconds += ")"
    offset = "0L" if zone is None else _offset_at(seconds, zone)
    if "z" in parts:
        given = f"replace(trim({parts['z']}), ':', '')"
        offset = f"case when {parts['z']} = '' then {offset} else {_east(given)} end"
    micros = "0L"
    if "f" in parts:
        micros = f"coalesce(try_cast(rpad(substring({parts['f']}, 1, 6), 6, '0') as bigint), 0L)"
    moment = f"(({seconds} - ({offset})) * 1000000L + {micros})"
    return Sql(f"if({matches(text, pattern)}, {moment}, null)")


def _east(offset: str) -> str:
    """Seconds of an offset such as +0130, -05 or Z."""
    east = (
        f"(try_cast(substring({offset}, 2, 2) as bigint) * 3600L "
        f"+ coalesce(try_cast(substring({offset}, 4, 2) as bigint), 0L) * 60L)"
    )
    return (
        f"case when startswith({offset}, '+') then {east} "
        f"when startswith({offset}, '-') then -{east} else 0L end"
    )


def _offset_at(local: str, zone: ZoneOffsets) -> str:
    """Seconds east of UTC by local time, null for times that the zone does not have."""
    starts = ", ".join(f"{start}L" for start in zone.starts)
    offsets = ", ".join("null" if one is None else f"{one}L" for one in zone.offsets)
    place = f"greatest(size(filter(array({starts}), start -> start <= {local})), 1)"
    return f"element_at(array({offsets}), {place})"
