"""Texts by way of their distinct values: what is the same in many rows is worked out once."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
from attrs import define, field


@define
class Distinct:
    """The distinct texts of some columns of a frame, numbered from 0 on."""

    _columns: list[str] = field(factory=list, init=False)
    _dtype: pl.DataType = field(factory=lambda: pl.Categorical(pl.Categories.random()), init=False)

    def number(self, name: str, text: pl.Expr) -> pl.Expr:
        """Give the numbers of some texts, as the column `name`."""
        self._columns.append(name)
        return text.cast(self._dtype).alias(name)

    def answers(self, numbered: pl.DataFrame, questions: Mapping[str, pl.Expr]) -> pl.DataFrame:
        """Ask all texts the questions, over a column of texts; a row for each number.

        `numbered`: has the columns of numbers. The column of texts goes by the name of each of them.
        """
        highest = numbered.select(
            pl.max_horizontal(pl.col(self._columns).to_physical().max())
        ).item()
        numbers = pl.int_range(0 if highest is None else highest + 1, dtype=pl.UInt32)
        texts = pl.select(numbers.cat.to(self._dtype).cast(pl.String)).to_series()
        return pl.DataFrame([texts.alias(name) for name in self._columns]).select(**questions)
