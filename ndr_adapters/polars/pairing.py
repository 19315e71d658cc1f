"""One-way records -> flows, compiled for Polars."""

from __future__ import annotations

from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.addresses import Addresses
from ndr_adapters.polars.expr import compile_expr, with_columns
from ndr_adapters.polars.fields import FIELD_DTYPES
from ndr_core.deltas.pairing import (
    FROM_LOWER,
    FROM_LOWER_END,
    HIGHER_IP,
    LOWER_BEGAN,
    LOWER_IP,
    FlowPairs,
    How,
)
from ndr_core.expressions.expr import col, substitute
from ndr_core.flows.moment import MOMENT
from ndr_core.int64 import INT64_MAX
from ndr_core.quality.repairs import MARKS, mark_column

PAIR_KEYS: Final = (LOWER_IP, HIGHER_IP)
"""Numbers of addresses: what is gathered of one flow lies where these are equal."""

_UNPAIRED: Final = "unpaired"
_OVERFLOWS: Final = "overflows:"
_TEXTS: Final = {"source_ip": "source_text", "destination_ip": "destination_text"}
_OTHERS: Final[dict[str, pl.DataType]] = {
    MOMENT: pl.Int64(),
    **{mark_column(name): pl.Boolean() for name in MARKS},
}


@frozen
class Paired:
    """The flows of some records."""

    flows: pl.DataFrame
    """In the columns of settled records, with numbers in place of addresses."""
    overflowing: pl.DataFrame
    """The same flows in part: added up, their amounts leave int64. Empty where those of no flow do."""
    unpaired: int
    """Flows with records of one end only."""


def gather(records: pl.LazyFrame, pairs: FlowPairs, addresses: Addresses) -> pl.LazyFrame:
    """Gather what belongs to one flow. `records`: from `quality.settled`, with numbers in place of addresses."""
    texts = (addresses.text(pl.col(name)).alias(text) for name, text in _TEXTS.items())
    ends = substitute(FROM_LOWER_END, {name: col(text) for name, text in _TEXTS.items()})
    ordered = with_columns(records.with_columns(texts), {FROM_LOWER: ends})
    values = {one.name: one.value for one in pairs.gathered}
    seen = ordered.select(
        compile_expr(value).alias(name) for name, value in {**pairs.keys, **values}.items()
    )
    return gather_again(seen, pairs)


def gather_again(parts: pl.LazyFrame, pairs: FlowPairs) -> pl.LazyFrame:
    """Gather what was gathered of several parts of the records."""
    return parts.group_by(list(pairs.keys)).agg(
        _gathered(pl.col(one.name), one.how) for one in pairs.gathered
    )


def _gathered(values: pl.Expr, how: How) -> pl.Expr:
    match how:
        case "sum":
            return values.sum()
        case "min":
            return values.min()
        case "max":
            return values.max()


def paired(gathered: pl.DataFrame, pairs: FlowPairs) -> Paired:
    """Make the flows. `gathered`: from `gather`, of all records with the same addresses."""
    began = with_columns(gathered.lazy(), {LOWER_BEGAN: pairs.lower_began})
    nulls = {**FIELD_DTYPES, **_OTHERS}
    values = {name: compile_expr(value) for name, value in pairs.flow.items()}
    amounts = {name: compile_expr(value) for name, value in pairs.overflows.items()}
    held = {
        name: pl.when(amounts[name]).then(INT64_MAX).otherwise(value) if name in amounts else value
        for name, value in values.items()
    }
    made = began.select(
        *(held.get(name, pl.lit(None, dtype=dtype)).alias(name) for name, dtype in nulls.items()),
        *(value.alias(_OVERFLOWS + name) for name, value in amounts.items()),
        compile_expr(pairs.unpaired).alias(_UNPAIRED),
    ).collect()
    return Paired(
        made.select(*nulls),
        _overflowing(made, list(amounts)).select(*nulls),
        int(made.get_column(_UNPAIRED).sum()),
    )


def _overflowing(made: pl.DataFrame, amounts: list[str]) -> pl.DataFrame:
    """Flows of which an amount leaves int64, twice: the second time with these amounts only, which are INT64_MAX."""
    flows = made.filter(pl.any_horizontal(pl.col(_OVERFLOWS + name) for name in amounts))
    rest = (pl.when(pl.col(_OVERFLOWS + name)).then(name).alias(name) for name in amounts)
    return pl.concat([flows, flows.with_columns(rest)])
