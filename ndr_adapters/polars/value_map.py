"""Value maps and the canonical vocabulary, over columns of texts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import polars as pl

from ndr_core.flows.mapping import FieldSource
from ndr_core.flows.record import FlowField
from ndr_core.flows.value_map import Default, Result, ValueMap
from ndr_core.flows.vocabulary import WORDS, Words


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
    results: dict[str, Result] = {}
    rest = found.default
    for row in found.rows:
        (cell,) = row.values
        if found.is_anything(cell):
            rest = row.result
            break
        results.setdefault(cell, row.result)
    values, known = list(results), pl.Series(list(results.values()), dtype=pl.String)
    if rest is Default.KEEP:
        return text.replace(values, known)
    default = pl.lit(rest, dtype=pl.String)
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
    return [None, *(cell for cell in cells if not found.is_anything(cell))]


def _other_than(cells: Sequence[str | None]) -> str:
    """A text that no row speaks of."""
    return "x".join(cell for cell in cells if cell is not None) + "x"


def _written(texts: pl.Series, words: Words) -> pl.Series:
    """Texts in the way of records, each distinct one worked out once."""
    distinct = texts.unique().drop_nulls()
    written = pl.Series([words.written(text) for text in distinct.to_list()], dtype=pl.String)
    return texts.replace_strict(distinct, written, default=None, return_dtype=pl.String)
