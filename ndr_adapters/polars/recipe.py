"""What to compute of the pieces of lines: step by step, and once for each distinct text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl
from attrs import define, field, frozen

Columns = dict[str, pl.Expr]


@frozen
class Piece:
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

    def quoted(self) -> Piece:
        """The same, of a value between quotes."""
        return Piece(self.name, f'{self.start}"', f'"{self.end}')

    def is_like(self, pattern: str) -> pl.Expr:
        """Whether it is one whose value matches a pattern."""
        whole = f"^{re.escape(self.start)}(?:{pattern}){re.escape(self.end)}$"
        return self.text.str.contains(whole)

    def holds(self, *values: str) -> pl.Expr:
        """Whether its value is one of these."""
        if len(values) == 1:
            return self.text == self.holding(values[0])
        return self.text.is_in([self.holding(value) for value in values])

    def holding(self, value: str) -> str:
        return f"{self.start}{value}{self.end}"

    @property
    def ends(self) -> pl.Expr:
        return self.text.str.ends_with(self.end)


@define
class Recipe:
    """What to compute of the pieces of lines, in three steps."""

    aliases: dict[str, str] = field(factory=dict)
    """Further names of pieces: each use of a piece has a name of its own."""
    steps: Columns = field(factory=dict)
    """First, over the pieces."""
    texts: dict[str, tuple[str, pl.Expr]] = field(factory=dict)
    """With them: column -> texts to look up, and the group that they are numbered with."""
    meanings: dict[str, tuple[str, pl.Expr]] = field(factory=dict)
    """Second: column -> the column of texts, and what each of its distinct ones means."""
    values: Columns = field(factory=dict)
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

    def look_up(self, piece: Piece, group: str, text: pl.Expr) -> None:
        """Note which texts of a piece are to be looked up."""
        self.texts[piece.name] = (group, text)

    def told(self, piece: Piece, what: str, meaning: pl.Expr) -> pl.Expr:
        """Note what is to be found out of the texts of a piece; gives the column that will have it."""
        name = f"{piece.name} {what}"
        self.meanings[name] = (piece.name, meaning)
        return pl.col(name)

    def step(self, piece: Piece, what: str, value: pl.Expr) -> pl.Expr:
        """Note what is to be computed of a piece; gives the column that will have it."""
        name = f"{piece.name} {what}"
        self.steps[name] = value
        return pl.col(name)


def each(text: pl.Expr, function: Callable[[str], Any], dtype: pl.DataType) -> pl.Expr:
    """What a function gives of each text; null for null. For distinct texts, of which there are few."""

    def apply(texts: pl.Series) -> pl.Series:
        found: Sequence[Any] = [None if one is None else function(one) for one in texts.to_list()]
        return pl.Series(found, dtype=dtype)

    return text.map_batches(apply, return_dtype=dtype, is_elementwise=True)
