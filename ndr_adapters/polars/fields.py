"""How each field is read from the decoded values of its leaves, on plain lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from itertools import product
from typing import Final

import polars as pl

from ndr_adapters.polars.ip_address import canonical_ips
from ndr_adapters.polars.time_text import iso_us, text_us
from ndr_adapters.polars.token import INTEGER, IPV4_OR_COLON, NANOSECONDS, NUMBER, Token, Tokens
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.leaf import Leaf
from ndr_core.flows.mapping import FieldSource
from ndr_core.flows.outcome import READ, SKIPPED, key_column
from ndr_core.flows.record import FLOW_FIELDS, FieldKind, FlowField
from ndr_core.flows.selection import Condition
from ndr_core.flows.time_format import Format, TimeFormat
from ndr_core.flows.time_zone import zone_offsets
from ndr_core.flows.value_map import ANYTHING, Default, ValueMap
from ndr_core.flows.vocabulary import WORDS, Words
from ndr_core.times import TIME_LIMIT_US

FIELD_DTYPES: Final[dict[str, pl.DataType]] = {
    flow_field.name: pl.Int64()
    if flow_field.kind in (FieldKind.INTEGER, FieldKind.TIMESTAMP)
    else pl.String()
    for flow_field in FLOW_FIELDS
}
"""Flow fields as columns; times are us since 1970-01-01 UTC."""

Sources = Mapping[Leaf, pl.Expr]
"""Leaf -> its value on a plain line, decoded as the type of its token."""
_NS_PER_US: Final = 1000

Took = pl.Expr | bool
"""Whether a value is the time that a session took, in place of its start or its end."""


def columns_of(plan: DeltaPlan) -> dict[str, pl.DataType]:
    """Columns of read lines: flow fields, deduplication keys, `outcome` and `fault` (the field at fault)."""
    return {
        **FIELD_DTYPES,
        **{key_column(name): pl.String() for name in plan.key_columns},
        "outcome": pl.Int64(),
        "fault": pl.String(),
    }


def canonical(plan: DeltaPlan, sources: Sources, tokens: Tokens) -> dict[str, pl.Expr]:
    """Flow fields and deduplication keys, in the canonical vocabulary; those that no line has are absent."""
    values: dict[str, pl.Expr] = {}
    took: dict[str, Took] = {}
    for flow_field, source in plan.input.bound_fields():
        name = flow_field.name
        if flow_field.kind is FieldKind.TEXT:
            texts = [_raw(plan, leaves, sources, tokens) for leaves in source.inputs]
            values[name] = mapped_texts(texts, flow_field, source)
        else:
            values[name], took[name] = _value(plan, flow_field, source, sources, tokens)
    values |= {name: pl.lit(constant) for name, constant in plan.input.constants().items()}
    values |= resolved_durations(values, took)
    for column in plan.key_columns:
        values[key_column(column)] = without(sources[(column,)], plan.input.null_values)
    return values


def doubts(plan: DeltaPlan, sources: Sources, tokens: Tokens) -> list[pl.Expr]:
    """For each value that may not be read as it is decoded, whether it can't; such a line needs more care."""
    found = []
    values: dict[str, pl.Expr] = {}
    took: dict[str, Took] = {}
    for flow_field, source in plan.input.bound_fields():
        if flow_field.kind is FieldKind.TEXT:
            continue
        name = flow_field.name
        raw = _raw(plan, source.inputs[0], sources, tokens)
        values[name], took[name] = _value(plan, flow_field, source, sources, tokens)
        token = tokens[source.inputs[0][0]]
        if flow_field.kind is FieldKind.TIMESTAMP:
            may_be = _may_be(values[name], took[name])
            found.append(raw.is_not_null() & ~may_be.fill_null(False))
        elif token is Token.STRING:
            pattern = INTEGER if flow_field.kind is FieldKind.INTEGER else IPV4_OR_COLON
            found.append(~raw.str.contains(f"^(?:{pattern})$").fill_null(True))
    resolved = resolved_durations(values, took)
    if "event_start" in resolved:
        found.append(~start_can_be(resolved["event_start"]))
    return found


def outcome_of_selected(plan: DeltaPlan, sources: Sources) -> pl.Expr:
    """READ, or SKIPPED for records that the mapping leaves out."""
    conditions = [
        fits(one, without_nulls(sources[one.leaf], plan.input.null_values))
        for one in plan.input.only.conditions
    ]
    return outcome_where(conditions)


def outcome_where(conditions: Sequence[pl.Expr]) -> pl.Expr:
    """READ where all conditions hold, else SKIPPED."""
    if not conditions:
        return pl.lit(READ, dtype=pl.Int64)
    is_selected = reduce(lambda left, right: left & right, conditions)
    return pl.when(is_selected).then(READ).otherwise(SKIPPED).cast(pl.Int64)


def fits(condition: Condition, value: pl.Expr) -> pl.Expr:
    """Whether a value, null where it is none, is as a condition says."""
    if condition.present is not None:
        return value.is_not_null() if condition.present else value.is_null()
    return value.is_in(list(condition.values)).fill_null(False)


def without(text: pl.Expr, null_values: Sequence[str]) -> pl.Expr:
    """Give a text, null where it stands for no value."""
    return pl.when(~text.is_in(list(null_values))).then(text) if null_values else text


def without_nulls(value: pl.Expr, null_values: Sequence[str]) -> pl.Expr:
    """The same of a value that may be a number."""
    return without(value.cast(pl.String), null_values) if null_values else value


def _raw(plan: DeltaPlan, leaves: Sequence[Leaf], sources: Sources, tokens: Tokens) -> pl.Expr:
    """The first value of some leaves as decoded, without what stands for no value."""
    raws = [
        without(sources[leaf], plan.input.null_values)
        if tokens[leaf].dtype == pl.String
        else sources[leaf]
        for leaf in leaves
    ]
    return raws[0] if len(raws) == 1 else pl.coalesce(raws)


def _value(
    plan: DeltaPlan, flow_field: FlowField, source: FieldSource, sources: Sources, tokens: Tokens
) -> tuple[pl.Expr, Took]:
    """A field that is no text, and of a time whether it is the length of the session."""
    raw = _raw(plan, source.inputs[0], sources, tokens)
    match flow_field.kind:
        case FieldKind.IP:
            return canonical_ips(raw), False
        case FieldKind.INTEGER:
            return raw.cast(pl.Int64, strict=False), False
    return _time_us(plan, raw, source, tokens[source.inputs[0][0]])


def _time_us(
    plan: DeltaPlan, raw: pl.Expr, source: FieldSource, token: Token
) -> tuple[pl.Expr, Took]:
    match token:
        case Token.ISO_TIME:
            return iso_us(raw), False
        case Token.STRING | Token.TIME:
            times = [_text_time_us(plan, raw, one) for one in source.format]
            return first_that_fits(times, source.format)
    number = raw.cast(pl.Int64, strict=False) if token is Token.NANOSECONDS else raw
    return scaled_us(number, source.format[0]), source.format[0].is_duration


def first_that_fits(times: Sequence[pl.Expr], formats: Sequence[Format]) -> tuple[pl.Expr, Took]:
    """The first of a value's times, each by a format, that is one that can be, and whether it is a duration."""
    ranged = [
        pl.when(can_be(time, one.is_duration)).then(time)
        for time, one in zip(times, formats, strict=True)
    ]
    kind = took_of(formats)
    if kind is not None:
        return pl.coalesce(ranged), kind
    took = pl.coalesce(
        pl.when(time.is_not_null()).then(one.is_duration)
        for time, one in zip(ranged, formats, strict=True)
    )
    return pl.coalesce(ranged), took


def took_of(formats: Sequence[Format]) -> bool | None:
    """Whether formats are of durations; None where some are, and some are not."""
    kinds = {one.is_duration for one in formats}
    return kinds.pop() if len(kinds) == 1 else None


def _text_time_us(plan: DeltaPlan, text: pl.Expr, one: Format) -> pl.Expr:
    if isinstance(one, TimeFormat) and one.is_number:
        pattern = NUMBER if one.unit_us else NANOSECONDS
        number = pl.when(text.str.contains(f"^(?:{pattern})$")).then(text)
        dtype = pl.Float64 if one.unit_us else pl.Int64
        return scaled_us(number.cast(dtype, strict=False), one)
    zone = None if plan.input.timezone is None else zone_offsets(plan.input.timezone)
    return text_us(text, one, zone)


def mapped_texts(
    texts: Sequence[pl.Expr | None], flow_field: FlowField, source: FieldSource
) -> pl.Expr:
    """Text of a field in the canonical vocabulary, by the texts that it is read from; None: no line has one."""
    if len(texts) > 1:
        assert source.map is not None
        return by_rows(
            [row_number(text, source.map, n) for n, text in enumerate(texts)],
            flow_field,
            source.map,
        )
    (text,) = texts
    assert text is not None
    return canonical_text(text, flow_field, source)


def canonical_text(text: pl.Expr, flow_field: FlowField, source: FieldSource) -> pl.Expr:
    """Text of a field in the canonical vocabulary."""
    words = WORDS[flow_field.name]
    return _mapped(text, source.map).map_batches(
        lambda texts: _written(texts, words), return_dtype=pl.String, is_elementwise=True
    )


def _mapped(text: pl.Expr, found: ValueMap | None) -> pl.Expr:
    if found is None:
        return text
    results = {row.values[0]: row.result for row in reversed(found.rows)}
    values, known = list(results), pl.Series(list(results.values()), dtype=pl.String)
    if found.default is Default.KEEP:
        return text.replace(values, known)
    default = pl.lit(found.default, dtype=pl.String)
    mapped = text.replace_strict(values, known, default=default, return_dtype=pl.String)
    return pl.when(text.is_not_null()).then(mapped)


def row_number(text: pl.Expr | None, found: ValueMap, place: int) -> pl.Expr:
    """A number for what the rows of a map of several columns tell apart of one of them: see `_cells`."""
    if text is None:
        return pl.lit(0, pl.UInt32)
    numbers = {cell: number for number, cell in enumerate(_cells(found, place)) if cell is not None}
    other = len(numbers) + 1
    number = text.replace_strict(numbers, default=other, return_dtype=pl.UInt32)
    return pl.when(text.is_null()).then(0).otherwise(number).cast(pl.UInt32)


def by_rows(numbers: Sequence[pl.Expr], flow_field: FlowField, found: ValueMap) -> pl.Expr:
    """Text of a field by the numbers of the texts of several columns."""
    choices: list[list[str | None]] = []
    for place in range(found.width):
        cells = _cells(found, place)
        choices.append([*cells, _other_than(cells)])
    words = WORDS[flow_field.name]
    results = [
        None if result is None else words.written(result)
        for result in map(found.lookup, product(*choices))
    ]
    row = numbers[0]
    for number, cells in zip(numbers[1:], choices[1:], strict=True):
        row = row * len(cells) + number
    return pl.lit(pl.Series(results, dtype=pl.String)).gather(row)


def _cells(found: ValueMap, place: int) -> list[str | None]:
    """No value, and the texts that rows have for a column."""
    cells = dict.fromkeys(row.values[place] for row in found.rows)
    return [None, *(cell for cell in cells if cell != ANYTHING)]


def _other_than(cells: Sequence[str | None]) -> str:
    """A text that no row speaks of."""
    return "x".join(cell for cell in cells if cell is not None) + "x"


def _written(texts: pl.Series, words: Words) -> pl.Series:
    """Texts in the way of records, each distinct one worked out once."""
    distinct = texts.unique().drop_nulls()
    written = pl.Series([words.written(text) for text in distinct.to_list()], dtype=pl.String)
    return texts.replace_strict(distinct, written, default=None, return_dtype=pl.String)


def resolved_durations(
    values: Mapping[str, pl.Expr], took: Mapping[str, Took]
) -> dict[str, pl.Expr]:
    """The times that stand in place of durations; of fields that hold some."""
    start, end = values.get("event_start"), values.get("event_end")
    took_start, took_end = took.get("event_start", False), took.get("event_end", False)
    found: dict[str, pl.Expr] = {}
    if end is not None and took_end is not False:
        begins = _pick(took_start, _NOTHING, _NOTHING if start is None else start)
        end = found["event_end"] = _pick(took_end, begins + end, end)
    if start is not None and took_start is not False:
        ends = _NOTHING if end is None else end
        found["event_start"] = _pick(took_start, ends - start, start)
    return found


def _pick(took: Took, of_duration: pl.Expr, of_time: pl.Expr) -> pl.Expr:
    """One of two values, by whether something is a duration."""
    if isinstance(took, bool):
        return of_duration if took else of_time
    return pl.when(took).then(of_duration).otherwise(of_time)


_NOTHING: Final = pl.lit(None, dtype=pl.Int64)


def start_can_be(start: pl.Expr) -> pl.Expr:
    """Whether a start that was counted back from an end is one that can be, or null."""
    return ((start >= 0) & (start < TIME_LIMIT_US)).fill_null(True)


def _may_be(value: pl.Expr, took: Took) -> pl.Expr:
    """Whether a time, or a duration, lies where one can; null for null."""
    return _pick(took, can_be(value, True), can_be(value, False))


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
