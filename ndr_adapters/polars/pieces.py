"""Lines of one template -> flow records: cut into pieces, one for each key, they need no JSON reader.

A line fits where each piece is the key of the template and the text of one JSON value of the right kind: then the
pieces, put together, are one JSON object whose meaning is known. What texts, addresses and minutes mean is found
once for each distinct piece.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl
from attrs import define, field, frozen

from ndr_adapters.polars.distinct import Distinct
from ndr_adapters.polars.fields import (
    can_be,
    canonical_text,
    columns_of,
    end_is_duration,
    scaled_us,
    without,
)
from ndr_adapters.polars.ip_address import canonical_ips
from ndr_adapters.polars.plain_pattern import ANY_VALUE, INTEGER, PLAIN_TIME, Token
from ndr_adapters.polars.template import Template, TimeSpelling
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.json_text import MAX_LINE_BYTES
from ndr_core.flows.mapping import FieldSource
from ndr_core.flows.outcome import READ, key_column
from ndr_core.flows.record import FlowField
from ndr_core.times import MINUTE_US, SECOND_US

FITS: Final = "fits"
_STRING: Final = r'"[^"\\\x00-\x1f]*"'
_NULL: Final = "null"
_TEXTS: Final = "texts"
_MINUTES: Final = "minutes"
_MINUTE_CHARS: Final = len('"2025-03-01T10:00:')
_MINUTE: Final = "%Y-%m-%dT%H:%M:"
_SECOND_CHARS: Final = 2
_MICRO_DIGITS: Final = 6
_USUAL_TIME: Final = TimeSpelling(_MICRO_DIGITS, "Z")
_IS_TIME: Final = re.compile(PLAIN_TIME)

Columns = dict[str, pl.Expr]
Bound = Sequence[tuple[FlowField, FieldSource]]


@frozen
class _Piece:
    """One piece of each line, in the column `name`: `start`, the text of a value, `end`."""

    name: str
    start: str
    end: str

    @property
    def text(self) -> pl.Expr:
        return pl.col(self.name)

    @property
    def value(self) -> pl.Expr:
        """Text of the value; of a piece that begins or ends otherwise, more than that."""
        inner = self.text.str.strip_prefix(self.start)
        return inner.str.strip_suffix(self.end) if self.end else inner

    def is_like(self, pattern: str) -> pl.Expr:
        """Whether it is one whose value matches a pattern."""
        whole = f"^{re.escape(self.start)}(?:{pattern}){re.escape(self.end)}$"
        return self.text.str.contains(whole)

    def holds(self, value: str) -> pl.Expr:
        return self.text == self.holding(value)

    def holding(self, value: str) -> str:
        return f"{self.start}{value}{self.end}"

    @property
    def ends(self) -> pl.Expr:
        return self.text.str.ends_with(self.end)


@define
class _Recipe:
    """What to compute of the pieces of lines, in three steps."""

    steps: dict[str, pl.Expr] = field(factory=dict)
    """First, over the pieces."""
    texts: dict[str, tuple[str, pl.Expr]] = field(factory=dict)
    """With them: column -> texts to look up, and the group that they are numbered with."""
    meanings: dict[str, tuple[str, pl.Expr]] = field(factory=dict)
    """Second: column -> the column of texts, and what each of its distinct ones means."""
    values: dict[str, pl.Expr] = field(factory=dict)
    """Third, over the first and the second: flow fields and keys."""
    fits: list[pl.Expr] = field(factory=list)
    """With them: whether all of these hold, the line fits."""

    def questions(self, group: str) -> Columns:
        """What to find out of the texts of a group."""
        return {
            answer: meaning
            for answer, (name, meaning) in self.meanings.items()
            if self.texts[name][0] == group
        }

    def told(self, piece: _Piece, what: str, meaning: pl.Expr) -> pl.Expr:
        """Note what is to be found out of the texts of a piece; gives the column that will have it."""
        name = f"{piece.name} {what}"
        self.meanings[name] = (piece.name, meaning)
        return pl.col(name)

    def step(self, piece: _Piece, what: str, value: pl.Expr) -> pl.Expr:
        """Note what is to be computed of a piece; gives the column that will have it."""
        name = f"{piece.name} {what}"
        self.steps[name] = value
        return pl.col(name)


def _recipe(plan: DeltaPlan, tokens: Mapping[str, Token], template: Template) -> _Recipe:
    recipe = _Recipe()
    for number, key in enumerate(template.keys):
        piece = _Piece(_name(number), template.start(number), template.end(number))
        bound = [one for one in plan.input.bound_fields() if one[1].column == key]
        match tokens.get(key):
            case Token.TEXT | Token.STRING:
                _add_text(recipe, piece, plan, key, bound)
            case Token.IP:
                _add_address(recipe, piece, plan, bound)
            case Token.INTEGER:
                _add_integer(recipe, piece, bound)
            case Token.NUMBER:
                _add_number(recipe, piece, bound)
            case Token.ISO_TIME:
                _add_time(recipe, piece, plan, template.times[number] or _USUAL_TIME, bound)
            case None:
                recipe.fits.append(recipe.step(piece, "fits", piece.is_like(ANY_VALUE)))
    values = recipe.values
    values["outcome"] = pl.lit(READ, dtype=pl.Int64)
    values |= {name: pl.lit(constant) for name, constant in plan.input.constants().items()}
    if end_is_duration(plan) and {"event_start", "event_end"} <= values.keys():
        values["event_end"] = values["event_start"] + values["event_end"]
    return recipe


def _name(number: int) -> str:
    return f"piece {number}"


def _add_text(recipe: _Recipe, piece: _Piece, plan: DeltaPlan, key: str, bound: Bound) -> None:
    is_string = piece.is_like(_STRING)
    string = without(piece.value.str.strip_chars('"'), plan.input.null_values)
    is_integer = piece.is_like(INTEGER)
    text = pl.when(is_string).then(string).when(is_integer).then(piece.value)
    recipe.texts[piece.name] = (_TEXTS, piece.text)
    for flow_field, source in bound:
        meaning = canonical_text(text, flow_field, source)
        recipe.values[flow_field.name] = recipe.told(piece, flow_field.name, meaning)
    if key in plan.key_columns:
        recipe.values[key_column(key)] = recipe.told(piece, "key", text)
    recipe.fits.append(recipe.told(piece, "fits", is_string | is_integer | piece.holds(_NULL)))


def _add_address(recipe: _Recipe, piece: _Piece, plan: DeltaPlan, bound: Bound) -> None:
    is_address = piece.is_like(Token.IP.pattern)
    is_null = piece.holds(_NULL)
    quoted = pl.when(is_address & ~is_null).then(piece.value)
    text = without(quoted.str.strip_chars('"'), plan.input.null_values)
    recipe.texts[piece.name] = (piece.name, piece.text)  # too many to ask all for each column
    address = recipe.told(piece, "address", canonical_ips(text))
    recipe.values |= {flow_field.name: address for flow_field, _ in bound}
    recipe.fits.append(recipe.told(piece, "fits", is_address))


def _add_integer(recipe: _Recipe, piece: _Piece, bound: Bound) -> None:
    """Polars reads a sign and zeros before a number too: it must begin with another digit, or be 0."""
    value = piece.value.cast(pl.Int64, strict=False)
    begins = (piece.text >= f"{piece.start}1") | piece.holds("0")
    number = recipe.step(piece, "number", value)
    recipe.values |= {flow_field.name: number for flow_field, _ in bound}
    is_number = recipe.step(piece, "begins", begins & piece.ends)
    is_null = recipe.step(piece, "null", piece.holds(_NULL))
    recipe.fits.append((is_number & number.is_not_null()) | is_null)


def _add_number(recipe: _Recipe, piece: _Piece, bound: Bound) -> None:
    number = recipe.step(piece, "number", piece.value.cast(pl.Float64, strict=False))
    recipe.fits.append(recipe.step(piece, "fits", piece.is_like(Token.NUMBER.pattern)))
    for flow_field, source in bound:
        time = scaled_us(number, source)
        recipe.values[flow_field.name] = time
        recipe.fits.append(number.is_null() | can_be(time, source).fill_null(False))


def _add_time(
    recipe: _Recipe, piece: _Piece, plan: DeltaPlan, spelling: TimeSpelling, bound: Bound
) -> None:
    """Minutes are looked up, seconds and the digits behind them are read at their places."""
    point = "." if spelling.digits else ""
    seconds_at = len(piece.start) + _MINUTE_CHARS
    digits_at = seconds_at + _SECOND_CHARS + len(point)
    close = f'{spelling.offset}"{piece.end}'
    recipe.texts[piece.name] = (_MINUTES, piece.text.str.slice(0, seconds_at))
    clock = piece.text.str.strip_prefix(f'{piece.start}"').str.replace(" ", "T", literal=True)
    begun = (clock + "00").str.to_datetime(_MINUTE + "%S", time_unit="us", strict=False)
    minute = recipe.told(piece, "minute", begun.cast(pl.Int64) - _east_us(spelling.offset))
    is_minute = recipe.told(piece, "is minute", begun.dt.strftime(_MINUTE) == clock)
    seconds = pl.Enum([f"{second:02}{point}" for second in range(60)])
    second_text = piece.text.str.slice(seconds_at, _SECOND_CHARS + len(point))
    second = recipe.step(piece, "second", second_text.cast(seconds, strict=False).to_physical())
    closes = piece.text.str.len_bytes() == digits_at + spelling.digits + len(close)
    time = minute + second.cast(pl.Int64) * SECOND_US
    is_time = is_minute & recipe.step(piece, "closes", closes & piece.text.str.ends_with(close))
    if spelling.digits:
        digits = recipe.step(piece, "digits", piece.text.str.slice(digits_at, spelling.digits))
        is_time &= digits >= "0"  # no sign
        time += _micros(digits.cast(pl.Int64, strict=False), spelling.digits)
    no_values = [text for text in plan.input.null_values if _IS_TIME.fullmatch(text)]
    if no_values:  # hardly ever: what they mean, others may find out
        is_time &= recipe.step(
            piece, "counts", ~piece.text.is_in([piece.holding(f'"{text}"') for text in no_values])
        )
    is_null = recipe.step(piece, "null", piece.holds(_NULL))
    for flow_field, source in bound:
        recipe.values[flow_field.name] = time
        recipe.fits.append((is_time & can_be(time, source)) | is_null)


def _east_us(offset: str) -> int:
    if offset in ("", "Z"):
        return 0
    shift = (int(offset[1:3]) * 60 + int(offset[4:6])) * MINUTE_US
    return -shift if offset[0] == "-" else shift


def _micros(digits: pl.Expr, count: int) -> pl.Expr:
    if count > _MICRO_DIGITS:
        return digits // pl.lit(10 ** (count - _MICRO_DIGITS))
    return digits * pl.lit(10 ** (_MICRO_DIGITS - count))


@frozen
class PieceReader:
    """Reads the lines that fit a template, under one plan."""

    plan: DeltaPlan
    template: Template
    _recipe: _Recipe

    @classmethod
    def of(cls, plan: DeltaPlan, tokens: Mapping[str, Token], template: Template) -> PieceReader:
        """`tokens`: how each source column that matters may be spelt."""
        return cls(plan, template, _recipe(plan, tokens, template))

    def read(self, lines: pl.Series) -> pl.DataFrame:
        """Flow fields, deduplication keys, and FITS, whether the line fits. What others hold means nothing."""
        recipe = self._recipe
        count = len(self.template.keys)
        cut = lines.str.splitn(self.template.separator, count)
        pieces = cut.struct.rename_fields(
            [_name(number) for number in range(count)]
        ).struct.unnest()
        distinct = {group: Distinct() for group, _ in recipe.texts.values()}
        found = pieces.select(
            **recipe.steps,
            **{
                name: distinct[group].number(name, text)
                for name, (group, text) in recipe.texts.items()
            },
            closed=lines.str.len_bytes() <= MAX_LINE_BYTES,
        )
        answers = {
            group: one.answers(found, recipe.questions(group)) for group, one in distinct.items()
        }
        told = (
            pl.lit(answers[recipe.texts[name][0]][answer])
            .gather(pl.col(name).to_physical())
            .alias(answer)
            for answer, (name, _) in recipe.meanings.items()
        )
        values = (
            recipe.values.get(name, pl.lit(None, dtype=dtype)).alias(name)
            for name, dtype in columns_of(self.plan).items()
        )
        fits = pl.all_horizontal("closed", *recipe.fits).fill_null(False).alias(FITS)
        return found.with_columns(told).select(*values, fits)
