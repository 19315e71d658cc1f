"""Values by way of their distinct ones: the core itself is asked what each of them means, once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import polars as pl

from ndr_core.flows.values import BadValueError

VALUE: Final = "value"
KNOWN: Final = "known"
"""Members of what a lookup gives: the answer, and whether the core has one."""

_WHOLE: Final = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)


def can_be_looked_up(dtype: pl.DataType) -> bool:
    """Whether the values of a column can be: strings, numbers and booleans."""
    return dtype in (pl.String(), pl.Boolean(), pl.Float64()) or isinstance(dtype, _WHOLE)


def looked_up(
    columns: Sequence[pl.Expr], ask: Callable[[list[Any]], Any], dtype: pl.DataType
) -> pl.Expr:
    """What `ask` says of the values of some columns, as VALUE and KNOWN: not where it raises BadValueError.

    `ask` gets a value of each column, as Python has it; the columns are of types that `can_be_looked_up`.
    """
    answer = pl.Struct({VALUE: dtype, KNOWN: pl.Boolean()})
    named = (column.alias(str(number)) for number, column in enumerate(columns))
    return pl.struct(named).map_batches(
        partial(_answers, ask=ask, dtype=dtype), return_dtype=answer, is_elementwise=True
    )


def _answers(rows: pl.Series, ask: Callable[[list[Any]], Any], dtype: pl.DataType) -> pl.Series:
    numbered = [_numbered(column) for column in rows.struct.unnest()]
    codes, values = numbered[0]
    distinct = [[value] for value in values]
    for more_codes, more_values in numbered[1:]:
        codes, distinct = _combined(codes, distinct, more_codes, more_values)
    found = [_asked(ask, one) for one in distinct]
    answers = pl.DataFrame(
        {
            VALUE: pl.Series([value for value, _ in found], dtype=dtype),
            KNOWN: pl.Series([known for _, known in found], dtype=pl.Boolean()),
        }
    )
    return answers.to_struct(rows.name).gather(codes)


def _asked(ask: Callable[[list[Any]], Any], values: list[Any]) -> tuple[Any, bool]:
    try:
        return ask(values), True
    except BadValueError:
        return None, False


def _numbered(column: pl.Series) -> tuple[pl.Series, list[Any]]:
    """A number for each row, and the values that the numbers stand for; the last one is null."""
    kind = pl.Categorical(pl.Categories.random())
    named = column.cast(pl.String).cast(kind)  # the numbers have their texts as long as this lives
    codes = named.to_physical()
    highest = codes.max()
    count = 0 if highest is None else int(str(highest)) + 1
    numbers = pl.int_range(0, count, dtype=pl.UInt32)
    texts = pl.select(numbers.cat.to(kind).cast(pl.String)).to_series()
    known = texts == "true" if column.dtype == pl.Boolean() else texts.cast(column.dtype)
    return codes.fill_null(count), [*known.to_list(), None]


def _combined(
    codes: pl.Series, distinct: list[list[Any]], more: pl.Series, values: list[Any]
) -> tuple[pl.Series, list[list[Any]]]:
    """Numbers for the pairs that there are, and the values that they stand for."""
    pairs = codes.cast(pl.UInt64) * len(values) + more.cast(pl.UInt64)
    there = pairs.unique()
    numbers = pl.Series(range(len(there)), dtype=pl.UInt32)
    found = [
        [*distinct[pair // len(values)], values[pair % len(values)]] for pair in there.to_list()
    ]
    return pairs.replace_strict(there, numbers, return_dtype=pl.UInt32), found
