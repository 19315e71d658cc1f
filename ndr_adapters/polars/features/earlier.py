"""Whom hosts met in the slices that only histories hold: looked up for what windows have, and never sorted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import polars as pl
from attrs import frozen

from ndr_adapters.polars.features.numbered import PairRows
from ndr_adapters.polars.features.numbers import PEER, SEGMENT
from ndr_adapters.polars.features.pair_cells import SEEN
from ndr_adapters.polars.keys import are_met, with_keys_of


@frozen
class Earlier:
    """The pairs of hosts in the intervals that no window holds."""

    pairs: tuple[tuple[int, pl.DataFrame], ...]
    """Bit of an interval, and its pairs: HOST, PEER, PORT and SEGMENT."""

    @classmethod
    def of(cls, parts: Iterable[PairRows], places: pl.DataFrame) -> Earlier:
        """Choose the rows that no window holds. `places`: as `Numbers.places`."""
        segments = places.select(PEER, SEGMENT)
        return cls(
            tuple(
                (one.interval.bit, one.pairs.join(segments, on=PEER, how="left"))
                for one in parts
                if one.interval.window is None
            )
        )

    def among(self, rows: pl.DataFrame, keys: Sequence[str]) -> Earlier:
        """Keep the pairs whose keys some rows have, too, such as HOST and PEER."""
        return self._mapped(lambda pairs: with_keys_of(pairs, rows, keys))

    def where(self, condition: pl.Expr) -> Earlier:
        """Keep the pairs for which a condition holds."""
        return self._mapped(lambda pairs: pairs.filter(condition))

    def added_to(self, seen: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
        """Add to SEEN of rows the intervals with a pair of their keys, in the same order. `seen`: `keys` and SEEN."""
        for bit, pairs in self.pairs:
            met = (
                pl.when(are_met(seen, pairs, keys)).then(pl.lit(bit, dtype=pl.UInt64)).otherwise(0)
            )
            seen = seen.with_columns(pl.col(SEEN).fill_null(0) | met)
        return seen

    def _mapped(self, change: Callable[[pl.DataFrame], pl.DataFrame]) -> Earlier:
        return Earlier(tuple((bit, change(pairs)) for bit, pairs in self.pairs))
