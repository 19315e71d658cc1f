"""What the pieces of lines mean, by what is read of them: text, address, integer or time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import ClassVar, Final

import polars as pl
from attrs import field, frozen

from ndr_adapters.polars.durations import Took
from ndr_adapters.polars.fields import first_that_fits, took_of, without
from ndr_adapters.polars.recipe import Piece, Recipe, each
from ndr_adapters.polars.template import Spelling
from ndr_adapters.polars.time_spelling import form_of, minute_reader
from ndr_adapters.polars.time_text import can_be, scaled_us
from ndr_adapters.polars.token import INTEGER, NUMBER
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.ip_address import CANONICAL_IPV4, canonical_ip
from ndr_core.flows.mapping import FieldSource
from ndr_core.flows.record import FieldKind, FlowField
from ndr_core.flows.time_format import Format, TimeFormat
from ndr_core.flows.time_reader import Taken, time_reader
from ndr_core.flows.time_zone import ZoneOffsets, zone_offsets
from ndr_core.flows.values import BadValueError
from ndr_core.times import SECOND_US

_STRING: Final = r'"[^"\\\x00-\x1f]*"'
_NULL: Final = "null"
_TRUTHS: Final = ("true", "false")
_TEXTS: Final = "texts"
_MINUTES: Final = "minutes"
_SECOND_CHARS: Final = 2
_MICRO_DIGITS: Final = 6


@frozen
class Use:
    """As what a leaf is read."""

    TEXT: ClassVar[Use]
    kind: FieldKind
    formats: tuple[Format, ...] = ()

    @classmethod
    def of(cls, flow_field: FlowField, source: FieldSource) -> Use:
        return cls(flow_field.kind, source.format)

    @property
    def numbers(self) -> tuple[TimeFormat, ...]:
        """Its formats of numbers."""
        return tuple(one for one in self.formats if isinstance(one, TimeFormat) and one.is_number)


Use.TEXT = Use(FieldKind.TEXT)


@frozen
class Found:
    """What is read of a piece."""

    piece: Piece
    value: pl.Expr
    """Its value, null for none."""
    has: pl.Expr
    """Whether it has a value."""
    text: pl.Expr = field(factory=lambda: pl.lit(None))
    """Of texts: the text, as an expression over distinct pieces."""
    took: Took = False
    """Of times: whether the value is the time that a session took."""


Reader = Callable[[Recipe, Piece, Use, DeltaPlan, Spelling | None], Found]


def _is_quoted(spelling: Spelling | None) -> bool:
    return spelling is not None and spelling.is_quoted


def _nulls(piece: Piece, plan: DeltaPlan) -> pl.Expr:
    """Whether a piece holds null, or a text that means no value."""
    texts = (json.dumps(text, ensure_ascii=False) for text in plan.input.null_values)
    return piece.holds(_NULL, *texts)


def _read_text(
    recipe: Recipe, piece: Piece, use: Use, plan: DeltaPlan, spelling: Spelling | None
) -> Found:
    del use, spelling
    is_string = piece.is_like(_STRING)
    string = without(piece.value.str.strip_chars('"'), plan.input.null_values)
    is_bare = piece.is_like(INTEGER) | piece.holds(*_TRUTHS)
    text = pl.when(is_string).then(string).when(is_bare).then(piece.value)
    recipe.look_up(piece, _TEXTS, piece.text)
    recipe.fits.append(recipe.told(piece, "fits", is_string | is_bare | piece.holds(_NULL)))
    return Found(
        piece, recipe.told(piece, "text", text), recipe.told(piece, "has", text.is_not_null()), text
    )


def _read_address(
    recipe: Recipe, piece: Piece, use: Use, plan: DeltaPlan, spelling: Spelling | None
) -> Found:
    del use, spelling
    is_string = piece.is_like(_STRING)
    quoted = pl.when(is_string).then(piece.value)
    text = without(quoted.str.strip_chars('"'), plan.input.null_values)
    is_plain = text.str.contains(f"^(?:{CANONICAL_IPV4})$")
    other = each(pl.when(~is_plain).then(text), canonical_ip, pl.String())
    recipe.look_up(piece, piece.name, piece.text)  # too many to ask all for each column
    recipe.fits.append(recipe.told(piece, "fits", is_string | piece.holds(_NULL)))
    address = recipe.told(piece, "address", pl.when(is_plain).then(text).otherwise(other))
    return Found(piece, address, recipe.told(piece, "has", text.is_not_null()))


def _read_integer(
    recipe: Recipe, piece: Piece, use: Use, plan: DeltaPlan, spelling: Spelling | None
) -> Found:
    """Polars reads a sign and zeros before a number too: it must begin with another digit, or be 0."""
    del use
    number, is_null = _integer(recipe, piece, plan, spelling)
    return Found(piece, number, ~is_null)


def _integer(
    recipe: Recipe, piece: Piece, plan: DeltaPlan, spelling: Spelling | None
) -> tuple[pl.Expr, pl.Expr]:
    """The number of a piece, and whether it has none."""
    bare = piece.quoted() if _is_quoted(spelling) else piece
    nulls = _nulls(piece, plan)
    value = bare.value.cast(pl.Int64, strict=False)
    if bare is not piece and plan.input.null_values:
        value = pl.when(~nulls).then(value)
    begins = (bare.text >= f"{bare.start}1") | bare.holds("0")
    number = recipe.step(piece, "integer", value)
    is_number = recipe.step(piece, "begins", begins & bare.ends)
    is_null = recipe.step(piece, "null", nulls)
    recipe.fits.append((is_number & number.is_not_null()) | is_null)
    return number, is_null


def _read_time(
    recipe: Recipe, piece: Piece, use: Use, plan: DeltaPlan, spelling: Spelling | None
) -> Found:
    if spelling is not None and spelling.time is not None:
        return _read_spelt(recipe, piece, use, plan, spelling)
    if use.numbers and (not _is_quoted(spelling) or use.numbers == use.formats):
        return _read_number(recipe, piece, use, plan, spelling)
    return _read_whole(recipe, piece, use, plan)


def _read_number(
    recipe: Recipe, piece: Piece, use: Use, plan: DeltaPlan, spelling: Spelling | None
) -> Found:
    """A number by the first of the formats of numbers that it fits; of the others a bare number is none."""
    if any(not one.unit_us for one in use.numbers):
        whole, is_null = _integer(recipe, piece, plan, spelling)
        number = whole.cast(pl.Float64)
    else:
        bare = piece.quoted() if _is_quoted(spelling) else piece
        is_null = recipe.step(piece, "null", _nulls(piece, plan))
        value = bare.value.cast(pl.Float64, strict=False)
        if bare is not piece and plan.input.null_values:
            value = pl.when(~_nulls(piece, plan)).then(value)
        number = whole = recipe.step(piece, "number", value)
        recipe.fits.append(is_null | recipe.step(piece, "fits", bare.is_like(NUMBER)))
    times = [scaled_us(number if one.unit_us else whole, one) for one in use.numbers]
    if len(times) == 1:
        recipe.fits.append(is_null | can_be(times[0], use.numbers[0].is_duration).fill_null(False))
        return Found(piece, times[0], ~is_null, took=use.numbers[0].is_duration)
    time, took = first_that_fits(times, use.numbers)
    recipe.fits.append(is_null | time.is_not_null())
    return Found(piece, time, ~is_null, took=took)


def _read_whole(recipe: Recipe, piece: Piece, use: Use, plan: DeltaPlan) -> Found:
    """Times of no form with a place for the seconds: each distinct one is read by the core."""
    is_string = piece.is_like(_STRING)
    quoted = pl.when(is_string).then(piece.value)
    text = without(quoted.str.strip_chars('"'), plan.input.null_values)
    read = time_reader(use.formats, _zone(plan))

    def found(value: str) -> int | Taken | None:
        try:
            return read(value)
        except BadValueError:
            return None

    def time_of(value: str) -> int | None:
        one = found(value)
        return one.us if isinstance(one, Taken) else one

    recipe.look_up(piece, piece.name, piece.text)
    time = recipe.told(piece, "time", each(text, time_of, pl.Int64()))
    is_null = recipe.told(piece, "null", piece.holds(_NULL) | (is_string & text.is_null()))
    recipe.fits.append(time.is_not_null() | is_null)
    kind = took_of(use.formats)
    if kind is not None:
        return Found(piece, time, ~is_null, took=kind)
    is_taken = each(text, lambda value: isinstance(found(value), Taken), pl.Boolean())
    return Found(piece, time, ~is_null, took=recipe.told(piece, "took", is_taken))


def _read_spelt(
    recipe: Recipe, piece: Piece, use: Use, plan: DeltaPlan, spelling: Spelling
) -> Found:
    """Minutes are looked up, seconds and the digits behind them are read at their places."""
    spelt = spelling.time
    assert spelt is not None
    bare = piece.quoted()
    seconds_at = len(bare.start) + spelt.head
    digits_at = seconds_at + _SECOND_CHARS + len(spelt.point)
    close = f"{spelt.close}{bare.end}"
    recipe.look_up(piece, _MINUTES, piece.text.str.slice(0, seconds_at))
    minute_of = minute_reader(spelt, use.formats[spelt.place], _zone(plan))
    head = piece.text.str.strip_prefix(bare.start)
    minute = recipe.told(piece, "minute", each(head, minute_of, pl.Int64()))
    seconds = pl.Enum([f"{second:02}{spelt.point}" for second in range(60)])
    second_text = piece.text.str.slice(seconds_at, _SECOND_CHARS + len(spelt.point))
    second = recipe.step(piece, "second", second_text.cast(seconds, strict=False).to_physical())
    closes = piece.text.str.len_bytes() == digits_at + spelt.digits + len(close)
    time = minute + second.cast(pl.Int64) * SECOND_US
    is_time = minute.is_not_null() & recipe.step(
        piece, "closes", closes & piece.text.str.ends_with(close)
    )
    if spelt.digits:
        digits = recipe.step(piece, "digits", piece.text.str.slice(digits_at, spelt.digits))
        is_time &= digits >= "0"  # no sign
        time += _micros(digits.cast(pl.Int64, strict=False), spelt.digits)
    for place, one in enumerate(use.formats[: spelt.place]):
        if not _are_apart(one, use.formats[spelt.place]):
            is_time &= recipe.step(piece, f"not {place}", ~bare.is_like(form_of(one)))
    no_times = [text for text in plan.input.null_values if _is_time(text, use, plan)]
    if no_times:  # hardly ever: what they mean, others may find out
        is_time &= recipe.step(piece, "counts", ~bare.holds(*no_times))
    is_null = recipe.step(piece, "null", _nulls(piece, plan))
    recipe.fits.append((is_time & can_be(time, False).fill_null(False)) | is_null)
    if plan.input.null_values:
        time = pl.when(~is_null).then(time)
    return Found(piece, time, ~is_null)


def _are_apart(one: Format, other: Format) -> bool:
    """Whether no text fits both formats, as far as that is plain: a number has no hyphen behind a digit."""
    return isinstance(one, TimeFormat) and one.is_number and other is TimeFormat.ISO8601


def _is_time(text: str, use: Use, plan: DeltaPlan) -> bool:
    try:
        time_reader(use.formats, _zone(plan))(text)
    except BadValueError:
        return False
    return True


def _zone(plan: DeltaPlan) -> ZoneOffsets | None:
    return None if plan.input.timezone is None else zone_offsets(plan.input.timezone)


def _micros(digits: pl.Expr, count: int) -> pl.Expr:
    if count > _MICRO_DIGITS:
        return digits // pl.lit(10 ** (count - _MICRO_DIGITS))
    return digits * pl.lit(10 ** (_MICRO_DIGITS - count))


READERS: Final[Mapping[FieldKind, Reader]] = {
    FieldKind.TEXT: _read_text,
    FieldKind.IP: _read_address,
    FieldKind.INTEGER: _read_integer,
    FieldKind.TIMESTAMP: _read_time,
}
"""How a piece is read, by the kind of what it is read as."""
