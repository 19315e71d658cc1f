"""How each field is read from the decoded values of its leaves, on plain lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from ndr_adapters.polars.durations import Took, can_be_resolved, pick, resolved_durations
from ndr_adapters.polars.ip_address import canonical_ips
from ndr_adapters.polars.selection import fits, outcome_where
from ndr_adapters.polars.time_text import can_be, iso_us, scaled_us, text_us
from ndr_adapters.polars.token import INTEGER, IPV4_OR_COLON, NANOSECONDS, NUMBER, Token, Tokens
from ndr_adapters.polars.value_map import mapped_texts
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.leaf import Leaf
from ndr_core.flows.mapping import FieldSource
from ndr_core.flows.outcome import key_column
from ndr_core.flows.record import FLOW_FIELDS, FieldKind, FlowField
from ndr_core.flows.time_format import Format, TimeFormat
from ndr_core.flows.time_zone import zone_offsets
from ndr_core.flows.values import NUMBER as ANY_NUMBER

FIELD_DTYPES: Final[dict[str, pl.DataType]] = {
    flow_field.name: pl.Int64()
    if flow_field.kind in (FieldKind.INTEGER, FieldKind.TIMESTAMP)
    else pl.String()
    for flow_field in FLOW_FIELDS
}
"""Flow fields as columns; times are us since 1970-01-01 UTC."""

Sources = Mapping[Leaf, pl.Expr]
"""Leaf -> its value on a plain line, decoded as the type of its token."""


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
    values |= resolved_durations(values, took, plan.input.start_may_be_end)
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
            if token is Token.TIME:
                found.append(_is_left_to_a_later_format(plan, raw, source.format))
        elif token is Token.STRING:
            pattern = INTEGER if flow_field.kind is FieldKind.INTEGER else IPV4_OR_COLON
            found.append(~raw.str.contains(f"^(?:{pattern})$").fill_null(True))
    resolved = resolved_durations(values, took, plan.input.start_may_be_end)
    return [*found, *(~can_be for can_be in can_be_resolved(resolved))]


def selected(plan: DeltaPlan, sources: Sources, tokens: Tokens) -> pl.Expr:
    """READ, or SKIPPED for records that the mapping leaves out."""
    conditions = [
        fits(one, _raw(plan, (one.leaf,), sources, tokens)) for one in plan.input.only.conditions
    ]
    return outcome_where(conditions)


def without(text: pl.Expr, null_values: Sequence[str]) -> pl.Expr:
    """Give a text, null where it stands for no value."""
    return pl.when(~text.is_in(list(null_values))).then(text) if null_values else text


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


def _is_left_to_a_later_format(
    plan: DeltaPlan, text: pl.Expr, formats: Sequence[Format]
) -> pl.Expr:
    """Whether a text is a number that a format reads in the core only, so that a later one may get it here."""
    is_read = is_left = pl.lit(False)
    for one in formats:
        if isinstance(one, TimeFormat) and one.is_number:
            # A whole number of 19 digits is a time in nanoseconds, or in no unit.
            is_left |= ~is_read & ~text.str.contains(f"^(?:{_number_pattern(one)}|{NANOSECONDS})$")
        time = _text_time_us(plan, text, one)
        is_read |= can_be(time, one.is_duration).fill_null(False)
    return (text.str.contains(f"^(?:{ANY_NUMBER})$") & is_left).fill_null(False)


def _number_pattern(one: TimeFormat) -> str:
    """Of the numbers that are read here by their format: exactly, as the core reads them."""
    return NUMBER if one.unit_us else NANOSECONDS


def _text_time_us(plan: DeltaPlan, text: pl.Expr, one: Format) -> pl.Expr:
    if isinstance(one, TimeFormat) and one.is_number:
        number = pl.when(text.str.contains(f"^(?:{_number_pattern(one)})$")).then(text)
        dtype = pl.Float64 if one.unit_us else pl.Int64
        return scaled_us(number.cast(dtype, strict=False), one)
    zone = None if plan.input.timezone is None else zone_offsets(plan.input.timezone)
    return text_us(text, one, zone)


def _may_be(value: pl.Expr, took: Took) -> pl.Expr:
    """Whether a time, or a duration, lies where one can; null for null."""
    return pick(took, can_be(value, True), can_be(value, False))
