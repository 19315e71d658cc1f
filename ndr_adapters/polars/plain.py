"""Lines -> flow records as read, where that is plain: by Polars' own JSON reader.

It fails a whole query on one malformed line, takes the first of a repeated key, and casts between types. So it
gets only lines that match a pattern (`plain_pattern.py`) on which none of this can happen; the others are left
UNFIT, for `careful.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from ndr_adapters.polars.fields import canonical, columns_of, doubts
from ndr_adapters.polars.plain_pattern import (
    Token,
    ascii_part,
    column_tokens,
    plain_line_pattern,
)
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.json_line import MAX_LINE_BYTES
from ndr_core.flows.outcome import MALFORMED, READ, UNFIT


def read_plain(
    lines: pl.LazyFrame, plan: DeltaPlan, key_orders: Sequence[tuple[str, ...]]
) -> pl.LazyFrame:
    """Flow fields, deduplication keys, `outcome`, `fault` (the field at fault) and `line`.

    `lines`: the columns `line`, text, and `undecodable`, whether its bytes were no UTF-8. What the fields of an
    UNFIT line hold means nothing.
    """
    tokens = column_tokens(plan.input, plan.key_columns)
    pattern = plain_line_pattern(key_orders, tokens) if tokens else None
    columns = columns_of(plan)
    if tokens is None or pattern is None:
        nulls = (pl.lit(None, dtype=dtype).alias(name) for name, dtype in columns.items())
        return lines.with_columns(nulls).with_columns(_outcome(pl.lit(True)))
    source = _source_columns(tokens)
    values = canonical(plan, source)
    in_doubt = doubts(plan, source)
    fields = (
        values.get(name, pl.lit(None, dtype=dtype)).alias(name) for name, dtype in columns.items()
    )
    unfit = pl.any_horizontal(~pl.col("plain"), *in_doubt)
    return (
        _screened(lines, pattern)
        .with_columns(_decoded(tokens).alias("source"))
        .with_columns(*fields, unfit.alias("unfit"))
        .with_columns(_outcome(pl.col("unfit")))
    )


def _outcome(unfit: pl.Expr) -> pl.Expr:
    outcome = pl.when("undecodable").then(MALFORMED).when(unfit).then(UNFIT).otherwise(READ)
    return outcome.cast(pl.Int64).alias("outcome")


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


def _decoded(tokens: Mapping[str, Token]) -> pl.Expr:
    """The source columns of a plain line as a struct, null for another line."""
    return (
        pl.when("plain")
        .then("line")
        .str.json_decode(pl.Struct({column: token.dtype for column, token in tokens.items()}))
        .struct.rename_fields([_member(column) for column in tokens])
    )


def _source_columns(tokens: Mapping[str, Token]) -> dict[str, pl.Expr]:
    return {column: pl.col("source").struct.field(_member(column)) for column in tokens}


def _member(column: str) -> str:
    """Name of a decoded source column: Polars takes a bare `*` or `^..$` for a pattern of names."""
    return f"column:{column}"
