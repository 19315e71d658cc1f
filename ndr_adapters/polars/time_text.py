"""Times -> us, as expressions over columns of texts and of numbers."""

from __future__ import annotations

from typing import Final

import polars as pl

from ndr_core.flows.time_format import ISO_PARTS, ISO_TIME, Format, TimeFormat, TimePattern
from ndr_core.flows.time_zone import ZoneOffsets
from ndr_core.times import SECOND_US, TIME_LIMIT_US

_NS_PER_US: Final = 1000


def iso_us(text: pl.Expr) -> pl.Expr:
    """us of a text that matches PLAIN_TIME, null for a date that does not exist.

    Digits are read at their fixed places, which is several times faster than a general time parser;
    an offset is looked at only where the text does not end in Z.
    """
    date = text.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False).cast(pl.Int64)
    seconds = date * 86_400 + _digits(text, 11) * 3600 + _digits(text, 14) * 60 + _digits(text, 17)
    zulu = text.str.ends_with("Z")
    other = pl.when(~zulu).then(text)
    fraction = (
        pl.when(zulu)
        .then(text.str.slice(20, 6).str.strip_suffix("Z"))
        .otherwise(other.str.extract(r"\.([0-9]{1,6})", 1))
    )
    micros = fraction.str.pad_end(6, "0").cast(pl.Int64, strict=False).fill_null(0)
    offset = other.str.extract(r"([+-][0-9]{2}:[0-9]{2})$", 1)
    shift = _digits(offset, 1) * 3600 + _digits(offset, 4) * 60
    east = pl.when(offset.str.starts_with("-")).then(-shift).otherwise(shift).fill_null(0)
    return (seconds - east) * 1_000_000 + micros


def _digits(text: pl.Expr, place: int) -> pl.Expr:
    return text.str.slice(place, 2).cast(pl.Int64, strict=False)


def text_us(
    text: pl.Expr, time_format: TimeFormat | TimePattern, zone: ZoneOffsets | None
) -> pl.Expr:
    """us of a text in ISO-8601 or of a pattern; null for another text, and where calendar or zone lack it."""
    pattern, letters = ISO_TIME, ISO_PARTS
    if isinstance(time_format, TimePattern):
        pattern, letters = time_format.expression, time_format.parts
    groups = text.str.extract_groups(f"^(?:{pattern})$")
    parts = {
        letter: groups.struct.field(str(place)) for place, letter in enumerate(letters, start=1)
    }
    day = pl.concat_str([parts[letter] for letter in "Ymd"], separator="-")
    seconds = day.str.to_date("%Y-%m-%d", strict=False).cast(pl.Int64) * 86_400
    for letter, unit in (("H", 3600), ("M", 60), ("S", 1)):
        if letter in parts:
            seconds += parts[letter].cast(pl.Int64) * unit
    local = pl.lit(0, pl.Int64) if zone is None else _offset_at(seconds, zone)
    offset = local
    if "z" in parts:
        given = parts["z"].str.strip_chars(" ").str.replace(":", "", literal=True)
        offset = pl.when(parts["z"].is_null()).then(local).otherwise(_east(given))
    us = (seconds - offset) * SECOND_US
    if "f" not in parts:
        return us
    micros = parts["f"].str.slice(0, 6).str.pad_end(6, "0").cast(pl.Int64)
    return us + micros.fill_null(0)


def _east(offset: pl.Expr) -> pl.Expr:
    """Seconds of an offset such as +0130, -05 or Z."""
    hours = offset.str.slice(1, 2).cast(pl.Int64, strict=False).fill_null(0)
    minutes = offset.str.slice(3, 2).cast(pl.Int64, strict=False).fill_null(0)
    east = hours * 3600 + minutes * 60
    return pl.when(offset.str.starts_with("-")).then(-east).otherwise(east)


def _offset_at(local: pl.Expr, zone: ZoneOffsets) -> pl.Expr:
    starts, offsets = pl.Series(zone.starts[1:]), pl.Series(zone.offsets)

    def looked_up(seconds: pl.Series) -> pl.Series:
        return offsets.gather(starts.search_sorted(seconds.fill_null(0), side="right"))

    return local.map_batches(looked_up, return_dtype=pl.Int64, is_elementwise=True)


def can_be(time_us: pl.Expr, is_duration: bool) -> pl.Expr:
    """Whether a time, or a duration, lies where one can; null for null."""
    limit = -TIME_LIMIT_US if is_duration else -1
    return (time_us > limit) & (time_us < TIME_LIMIT_US)


def scaled_us(number: pl.Expr, one: Format) -> pl.Expr:
    """us of a number in the unit of its format, null where it is far out of range.

    Numbers of nanoseconds are integers, others doubles.
    """
    assert isinstance(one, TimeFormat)
    if one.unit_us == 0:
        return (number + _NS_PER_US // 2) // _NS_PER_US
    scaled = number * float(one.unit_us) + 0.5
    return pl.when(scaled.abs() < float(TIME_LIMIT_US)).then(scaled.floor()).cast(pl.Int64)
