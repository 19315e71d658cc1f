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

    def text(self, number: pl.Expr) -> pl.Expr:
        """Give the address with a number."""
        return number.cast(pl.UInt32).cat.to(self._dtype).cast(pl.String)
