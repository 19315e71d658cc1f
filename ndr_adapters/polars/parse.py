"""Lines -> flow records as read: `ndr_core.json_line`, compiled for Polars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import polars as pl

from ndr_adapters.polars.screen import Token, ascii_part, column_tokens, plain_line_pattern
from ndr_core.flow import FLOW_FIELDS, TIME_LIMIT_US, Case, FieldKind, FlowField
from ndr_core.input_mapping import FieldSource, TimeFormat
from ndr_core.ip_address import canonical_ip
from ndr_core.job_spec import JobSpec
from ndr_core.json_line import MAX_LINE_BYTES, Blank, LineReader, Malformed, cut_raw, line_text

READ, BLANK, MALFORMED = 0, 1, 2
"""What became of a line, in the column `outcome`."""

FIELD_DTYPES: Final[dict[str, pl.DataType]] = {
    flow_field.name: pl.Int64()
    if flow_field.kind in (FieldKind.INTEGER, FieldKind.TIMESTAMP)
    else pl.String()
    for flow_field in FLOW_FIELDS
}
"""Flow fields as columns; times are us since 1970-01-01 UTC."""


def key_column(name: str) -> str:
    """Column that holds a source column which only deduplication reads."""
    return f"key:{name}"


def parse_lines(
    lines: pl.LazyFrame, spec: JobSpec, key_orders: Sequence[tuple[str, ...]]
) -> pl.LazyFrame:
    """Flow fields, deduplication keys, `outcome` and `fault` (the field at fault), and `line` itself.

    `lines`: the columns `line`, text, and `undecodable`, whether its bytes were no UTF-8.
    """
    reader = _CarefulReader(spec)
    tokens = column_tokens(spec.input, spec.key_columns)
    pattern = plain_line_pattern(key_orders, tokens) if tokens else None
    if tokens is None or pattern is None:
        frame = lines.with_columns(reader.expression(pl.col("line")).alias("careful")).select(
            "line", "undecodable", *(pl.col("careful").struct.field(name) for name in reader.dtypes)
        )
        return _judge_undecodable(frame)
    decoded = (
        pl.when(pl.col("plain"))
        .then(pl.col("line"))
        .str.json_decode(pl.Struct({column: token.dtype for column, token in tokens.items()}))
        .struct.rename_fields([_member(column) for column in tokens])
    )
    fast = _fast_fields(spec, tokens)
    unfit = pl.any_horizontal(~pl.col("plain"), *(name for name in fast if name.startswith("bad:")))
    frame = (
        _screened(lines, pattern)
        .with_columns(decoded.alias("source"))
        .with_columns(value.alias(name) for name, value in fast.items())
        .with_columns(unfit.alias("unfit"))
        .with_columns(
            reader.expression(pl.when(pl.col("unfit")).then(pl.col("line"))).alias("careful")
        )
    )
    unfit_column = pl.col("unfit")
    careful = pl.col("careful").struct
    merged = frame.select(
        "line",
        "undecodable",
        *(
            pl.when(unfit_column)
            .then(careful.field(name))
            .otherwise(
                pl.col(f"fast:{name}") if f"fast:{name}" in fast else pl.lit(None, dtype=dtype)
            )
            .alias(name)
            for name, dtype in reader.dtypes.items()
        ),
    )
    return _judge_undecodable(merged.with_columns(pl.col("outcome").fill_null(READ)))


def _screened(lines: pl.LazyFrame, pattern: str) -> pl.LazyFrame:
    """Adds `plain`: whether Polars' own JSON reader may have the line.

    Only lines that the pattern's ASCII part leaves out are looked at by the whole of it.
    """
    line, of_ascii = pl.col("line"), pl.col("plain_ascii")
    other_plain = pl.when(~of_ascii).then(line).str.contains(pattern).fill_null(False)
    closed = (line.str.len_bytes() <= MAX_LINE_BYTES) & line.str.ends_with("}")
    return lines.with_columns(
        line.str.contains(ascii_part(pattern)).alias("plain_ascii")
    ).with_columns((closed & (of_ascii | other_plain)).alias("plain"))


def _judge_undecodable(frame: pl.LazyFrame) -> pl.LazyFrame:
    undecodable = pl.col("undecodable")
    return frame.with_columns(
        pl.when(undecodable).then(MALFORMED).otherwise("outcome").cast(pl.Int64).alias("outcome"),
        pl.when(~undecodable).then("fault").alias("fault"),
    ).drop("undecodable")


def _fast_fields(spec: JobSpec, tokens: dict[str, Token]) -> dict[str, pl.Expr]:
    """`fast:<field>` of plain lines; `bad:<time>` is true where a value is no time that can be."""
    values: dict[str, pl.Expr] = {}
    checks: dict[str, pl.Expr] = {}
    source = pl.col("source").struct
    for flow_field, field_source in spec.input.bound_fields():
        assert field_source.column is not None
        raw = source.field(_member(field_source.column))
        if tokens[field_source.column].dtype == pl.String and spec.input.null_values:
            raw = _without(raw, spec.input.null_values)
        match flow_field.kind:
            case FieldKind.INTEGER:
                value = raw
            case FieldKind.IP:
                value = _canonical(raw)
            case FieldKind.TIMESTAMP:
                assert field_source.format is not None
                value = _time_us(raw, field_source.format)
                limit = -TIME_LIMIT_US if field_source.format.is_duration else -1
                in_range = (value > limit) & (value < TIME_LIMIT_US)
                checks[f"bad:{flow_field.name}"] = raw.is_not_null() & ~in_range.fill_null(False)
            case _:
                value = _text(raw, flow_field, field_source)
        values[flow_field.name] = value
    for name, constant in spec.input.constants().items():
        values[name] = pl.lit(constant)
    if _end_is_duration(spec):
        values["event_end"] = values["event_start"] + values["event_end"]
    for column in spec.key_columns:
        values[key_column(column)] = _without(source.field(_member(column)), spec.input.null_values)
    return {f"fast:{name}": value for name, value in values.items()} | checks


def _member(column: str) -> str:
    """Name of a decoded source column: Polars takes a bare `*` or `^..$` for a pattern of names."""
    return f"column:{column}"


def _end_is_duration(spec: JobSpec) -> bool:
    end = spec.input.fields.get("event_end")
    return end is not None and end.format is not None and end.format.is_duration


def _without(text: pl.Expr, null_values: Sequence[str]) -> pl.Expr:
    return pl.when(~text.is_in(list(null_values))).then(text) if null_values else text


def _text(text: pl.Expr, flow_field: FlowField, source: FieldSource) -> pl.Expr:
    if source.map:
        text = text.replace(dict(source.map))
    match flow_field.case:
        case Case.LOWER:
            return text.str.to_lowercase()
        case Case.UPPER:
            return text.str.to_uppercase()
    return text


def _canonical(text: pl.Expr) -> pl.Expr:
    """The screen lets canonical IPv4 and texts with a colon pass; only the latter need a look."""
    has_colon = text.str.contains(":", literal=True)
    looked_up = (
        pl.when(has_colon)
        .then(text)
        .map_batches(_canonical_ipv6, return_dtype=pl.String, is_elementwise=True)
    )
    return pl.when(has_colon).then(looked_up).otherwise(text)


def _canonical_ipv6(texts: pl.Series) -> pl.Series:
    if texts.null_count() == len(texts):
        return texts
    return pl.Series([canonical_ip(text) for text in texts.to_list()], dtype=pl.String)


def _time_us(value: pl.Expr, time_format: TimeFormat) -> pl.Expr:
    if time_format is TimeFormat.ISO8601:
        return _iso_us(value)
    scaled = value * float(time_format.unit_us) + 0.5
    return pl.when(scaled.abs() < float(TIME_LIMIT_US)).then(scaled.floor()).cast(pl.Int64)


def _iso_us(text: pl.Expr) -> pl.Expr:
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
    scale = pl.lit(10, dtype=pl.Int64).pow(6 - fraction.str.len_bytes().cast(pl.Int64))
    micros = (fraction.cast(pl.Int64, strict=False) * scale).fill_null(0)
    offset = other.str.extract(r"([+-][0-9]{2}:[0-9]{2})$", 1)
    shift = _digits(offset, 1) * 3600 + _digits(offset, 4) * 60
    east = pl.when(offset.str.starts_with("-")).then(-shift).otherwise(shift).fill_null(0)
    return (seconds - east) * 1_000_000 + micros


def _digits(text: pl.Expr, place: int) -> pl.Expr:
    return text.str.slice(place, 2).cast(pl.Int64, strict=False)


class _CarefulReader:
    """The core's own reader for the lines that the screen holds back."""

    def __init__(self, spec: JobSpec) -> None:
        self._reader = LineReader(spec.input, spec.key_columns)
        self._key_columns = spec.key_columns
        self.dtypes: dict[str, pl.DataType] = {
            **FIELD_DTYPES,
            **{key_column(name): pl.String() for name in spec.key_columns},
            "outcome": pl.Int64(),
            "fault": pl.String(),
        }

    def expression(self, lines: pl.Expr) -> pl.Expr:
        """Struct of `dtypes` per line; of nulls for a null line."""
        return lines.map_batches(
            self._read, return_dtype=pl.Struct(self.dtypes), is_elementwise=True
        )

    def _read(self, lines: pl.Series) -> pl.Series:
        if lines.null_count() == len(lines):
            return pl.Series([None], dtype=pl.Struct(self.dtypes)).new_from_index(0, len(lines))
        rows = [None if line is None else self._row(line) for line in lines.to_list()]
        return pl.Series(rows, dtype=pl.Struct(self.dtypes))

    def _row(self, line: str) -> dict[str, Any]:
        match self._reader.read(line):
            case Blank():
                return {"outcome": BLANK}
            case Malformed(_, fault):
                return {"outcome": MALFORMED, "fault": fault}
            case found:
                flow = found.flow
                keys = zip(map(key_column, self._key_columns), flow.keys, strict=True)
                fields = {name: getattr(flow, name) for name in FIELD_DTYPES}
                return {**fields, **dict(keys), "outcome": READ}


def quarantined_text(lines: pl.Expr) -> pl.Expr:
    """Text of rejected lines as the quarantine keeps it."""
    return lines.map_batches(
        lambda texts: pl.Series(
            [None if text is None else cut_raw(line_text(text)) for text in texts.to_list()],
            dtype=pl.String,
        ),
        return_dtype=pl.String,
        is_elementwise=True,
    )
