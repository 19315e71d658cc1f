"""Addresses as numbers while records are aggregated: integers group several times faster than texts."""

from __future__ import annotations

import polars as pl
from attrs import field, frozen


@frozen
class Addresses:
    """The addresses of one build, numbered in the order in which they are met.

    The numbers differ from build to build: nothing that is published may depend on them.
    """

    _held: pl.Series = field(
        factory=lambda: pl.Series(dtype=pl.Categorical(pl.Categories.random())), eq=False
    )
    """Of no address: Polars forgets the numbers as soon as no column holds them."""

    @property
    def _dtype(self) -> pl.DataType:
        return self._held.dtype

    def number(self, text: pl.Expr) -> pl.Expr:
        """Give the number of an address, below 2^32; null for null."""
        return text.cast(self._dtype).to_physical()

    def known(self, number: pl.Expr) -> pl.Expr:
        """Give the address with a number, without making its text: `number` takes it in place of one."""
        return number.cast(pl.UInt32).cat.to(self._dtype)

    def ranks(self, numbers: pl.Series) -> pl.Series:
        """Give numbers that sort as the texts of some addresses do. `numbers`: those of the addresses, no null."""
        known = numbers.unique()
        texts = pl.select(self.text(pl.lit(known))).to_series()
        ordered = known.gather(texts.arg_sort())
        places = pl.int_range(ordered.len(), dtype=pl.UInt32, eager=True)
        largest = ordered.max()
        assert largest is None or isinstance(largest, int)
        by_number = pl.zeros((largest or 0) + 1, dtype=pl.UInt32, eager=True)
        return by_number.scatter(ordered, places).gather(numbers).rename(numbers.name)

    def text(self, number: pl.Expr) -> pl.Expr:
        """Give the address with a number."""
        return self.known(number).cast(pl.String)
