"""Random columns that depend on a seed and a name only: any part of a scenario can be drawn by itself.

A number is the mix of a counter (SplitMix64), not the next state of a generator: columns need no loop.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from statistics import NormalDist
from typing import Final

import polars as pl
from attrs import frozen

_STEP: Final = 0x9E37_79B9_7F4A_7C15
_FACTORS: Final = (0xBF58_476D_1CE4_E5B9, 0x94D0_49BB_1331_11EB)
_WORD: Final = 1 << 64
_QUANTILES: Final = 1 << 16
"""Normal values are looked up among so many."""


@frozen
class Draws:
    """Independent columns of random numbers, each by its name."""

    path: str
    """The seed, and what the columns are for."""

    def of(self, *names: object) -> Draws:
        """Give the draws of a part, say of one day."""
        return Draws("/".join([self.path, *map(str, names)]))

    def bits(self, name: str, size: int) -> pl.Series:
        """Draw 64 random bits each, as UInt64."""
        return self.mixed(name, pl.int_range(size, dtype=pl.UInt64, eager=True))

    def mixed(self, name: str, ids: pl.Series) -> pl.Series:
        """Draw 64 random bits for each id, a UInt64: equal ids get equal bits."""
        digest = hashlib.sha256(f"{self.path}/{name}".encode()).digest()
        mixed = pl.col("ids") * _word(_STEP) + _word(int.from_bytes(digest[:8], "little"))
        mixed = (mixed ^ (mixed // _word(1 << 30))) * _word(_FACTORS[0])
        mixed = (mixed ^ (mixed // _word(1 << 27))) * _word(_FACTORS[1])
        mixed = mixed ^ (mixed // _word(1 << 31))
        return pl.DataFrame({"ids": ids.cast(pl.UInt64)}).select(mixed.alias(name)).to_series()

    def uniform(self, name: str, size: int) -> pl.Series:
        """Draw floats from 0 up to and without 1."""
        return fraction(self.bits(name, size))

    def below(self, name: str, size: int, bound: int) -> pl.Series:
        """Draw whole numbers from 0 up to and without a bound, as Int64."""
        return (self.uniform(name, size) * bound).floor().cast(pl.Int64)

    def normal(self, name: str, size: int) -> pl.Series:
        """Draw floats with mean 0 and deviation 1, within 4.3 deviations."""
        return _normal_values().gather(self.bits(name, size) // (_WORD // _QUANTILES))

    def log_normal(self, name: str, size: int, mu: float, sigma: float) -> pl.Series:
        """Draw floats above 0 whose logarithm has mean `mu` and deviation `sigma`."""
        return (self.normal(name, size) * sigma + mu).exp()

    def chosen(self, name: str, size: int, weights: Sequence[float]) -> pl.Series:
        """Draw places in a list by their weights, as UInt32."""
        return place_of(self.uniform(name, size), cumulated(weights))

    def shuffled(self, name: str, ids: Sequence[int]) -> list[int]:
        """Give ids in random order."""
        order = self.bits(name, len(ids)).arg_sort()
        return pl.Series(ids, dtype=pl.Int64).gather(order).to_list()

    def number(self, name: str, least: int, most: int) -> int:
        """Draw one whole number between two limits, both included."""
        return least + int(self.below(name, 1, most - least + 1)[0])


def fraction(bits: pl.Series) -> pl.Series:
    """Bring 64 random bits each to floats from 0 up to and without 1."""
    return (bits // (1 << 11)).cast(pl.Float64) * 2.0**-53


def cumulated(weights: Sequence[float]) -> pl.Series:
    """Add up weights, so that the last one is 1."""
    total = sum(weights)
    return pl.Series([part / total for part in accumulate(weights)], dtype=pl.Float64)


def place_of(uniform: pl.Series, sums: pl.Series) -> pl.Series:
    """Give for each float from 0 to 1 the place in added weights where it falls, as UInt32."""
    return sums.search_sorted(uniform, side="right").clip(0, len(sums) - 1)


def zipf(size: int, exponent: float) -> pl.Series:
    """Give the added weights of ranks 1 to `size` under Zipf's law."""
    return cumulated([rank**-exponent for rank in range(1, size + 1)])


def _word(value: int) -> pl.Expr:
    return pl.lit(value, dtype=pl.UInt64)


@cache
def _normal_values() -> pl.Series:
    normal = NormalDist()
    values = [normal.inv_cdf((k + 0.5) / _QUANTILES) for k in range(_QUANTILES)]
    return pl.Series(values, dtype=pl.Float64)
