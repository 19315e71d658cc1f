"""How each field is read from its decoded source column, on plain lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from ndr_adapters.polars.ip_address import canonical_ips
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.mapping import FieldSource
from ndr_core.flows.outcome import key_column
from ndr_core.flows.record import (
    FLOW_FIELDS,
    FieldKind,
    FlowField,
)
from ndr_core.flows.time_format import TimeFormat
from ndr_core.flows.vocabulary import WORDS, Words
from ndr_core.times import TIME_LIMIT_US

FIELD_DTYPES: Final[dict[str, pl.DataType]] = {
    flow_field.name: pl.Int64()
    if flow_field.kind in (FieldKind.INTEGER, FieldKind.TIMESTAMP)
    else pl.String()
    for flow_field in FLOW_FIELDS
}
"""Flow fields as columns; times are us since 1970-01-01 UTC."""

Sources = Mapping[str, pl.Expr]
"""Source column -> its value on a plain line, decoded as the type of its token."""


def columns_of(plan: DeltaPlan) -> dict[str, pl.DataType]:
    """Columns of read lines: flow fields, deduplication keys, `outcome` and `fault` (the field at fault)."""
    return {
        **FIELD_DTYPES,
        **{key_column(name): pl.String() for name in plan.key_columns},
        "outcome": pl.Int64(),
        "fault": pl.String(),
    }


def canonical(plan: DeltaPlan, sources: Sources) -> dict[str, pl.Expr]:
    """Flow fields and deduplication keys, in the canonical vocabulary; those that no line has are absent."""
    null_values = plan.input.null_values
    values: dict[str, pl.Expr] = {}
    for flow_field, source in plan.input.bound_fields():
        raw = _raw(source, flow_field, sources, null_values)
        match flow_field.kind:
            case FieldKind.INTEGER:
                value = raw
            case FieldKind.IP:
                value = canonical_ips(raw)
            case FieldKind.TIMESTAMP:
                value = _time_us(raw, source)
            case FieldKind.TEXT:
                value = canonical_text(raw, flow_field, source)
        values[flow_field.name] = value
    values |= {name: pl.lit(constant) for name, constant in plan.input.constants().items()}
    if end_is_duration(plan):
        values["event_end"] = values["event_start"] + values["event_end"]
    for column in plan.key_columns:
        values[key_column(column)] = without(sources[column], null_values)
    return values


def doubts(plan: DeltaPlan, sources: Sources) -> list[pl.Expr]:
    """For each time whether its value is none that can be; such a line needs more care."""
    found = []
    for flow_field, source in plan.input.bound_fields():
        if flow_field.kind is FieldKind.TIMESTAMP:
            raw = _raw(source, flow_field, sources, plan.input.null_values)
            in_range = can_be(_time_us(raw, source), source)
            found.append(raw.is_not_null() & ~in_range.fill_null(False))
    return found


def _raw(
    source: FieldSource, flow_field: FlowField, sources: Sources, null_values: Sequence[str]
) -> pl.Expr:
    """Value as decoded, without what stands for no value."""
    assert source.column is not None
    raw = sources[source.column]
    return without(raw, null_values) if _is_text(flow_field, source) else raw


def _is_text(flow_field: FlowField, source: FieldSource) -> bool:
    """Whether the column is decoded as text."""
    if flow_field.kind is FieldKind.TIMESTAMP:
        return source.format == (TimeFormat.ISO8601,)
    return flow_field.kind is not FieldKind.INTEGER


def without(text: pl.Expr, null_values: Sequence[str]) -> pl.Expr:
    """Give a text, null where it stands for no value."""
    return pl.when(~text.is_in(list(null_values))).then(text) if null_values else text


def canonical_text(text: pl.Expr, flow_field: FlowField, source: FieldSource) -> pl.Expr:
    """Text of a field in the canonical vocabulary."""
    words = WORDS[flow_field.name]
    return _mapped(text, source).map_batches(
        lambda texts: _written(texts, words), return_dtype=pl.String, is_elementwise=True
    )


def _mapped(text: pl.Expr, source: FieldSource) -> pl.Expr:
    if source.map is None:
        return text
    return text.replace({row.values[0]: row.result for row in source.map.rows})


def _written(texts: pl.Series, words: Words) -> pl.Series:
    """Texts in the way of records, each distinct one worked out once."""
    distinct = texts.unique().drop_nulls()
    written = pl.Series([words.written(text) for text in distinct.to_list()], dtype=pl.String)
    return texts.replace_strict(distinct, written, default=None, return_dtype=pl.String)


def end_is_duration(plan: DeltaPlan) -> bool:
    """Whether the source has a duration in place of the end."""
    end = plan.input.fields.get("event_end")
    return end is not None and end.is_duration


def _time_us(value: pl.Expr, source: FieldSource) -> pl.Expr:
    if source.format == (TimeFormat.ISO8601,):
        return iso_us(value)
    return scaled_us(value, source)


def can_be(time_us: pl.Expr, source: FieldSource) -> pl.Expr:
    """Whether a time, or a duration, lies where one can; null for null."""
    limit = -TIME_LIMIT_US if source.is_duration else -1
    return (time_us > limit) & (time_us < TIME_LIMIT_US)


def scaled_us(number: pl.Expr, source: FieldSource) -> pl.Expr:
    """us of a number in the unit of its format, null where it is far out of range."""
    (time_format,) = source.format
    assert isinstance(time_format, TimeFormat)
    scaled = number * float(time_format.unit_us) + 0.5
    return pl.when(scaled.abs() < float(TIME_LIMIT_US)).then(scaled.floor()).cast(pl.Int64)


def iso_us(text: pl.Expr) -> pl.Expr:
    """us of a text that matches ISO_TIME, null for a date that does not exist.

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
