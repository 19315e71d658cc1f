"""The days on which hosts met peers, ports and segments, as a window sees them: `history.masks`, for many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.features.intervals import Intervals
from ndr_adapters.polars.features.numbered import MASK
from ndr_adapters.polars.features.pair_cells import SEEN
from ndr_adapters.polars.keys import grouped, places_in
from ndr_core.history.masks import ALL_DAYS, day_bit
from ndr_core.times import day_of
from ndr_core.windows.history_source import HistorySource

_DAYS: Final = "days "
"""How the columns begin that have what the history of a day knows."""


def seen_by(pairs: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Give `keys` and SEEN: the intervals in which any pair of the keys has sessions."""
    return grouped(pairs.lazy(), keys, [pl.col(SEEN).bitwise_or()]).collect()


def with_days(
    seen: pl.DataFrame, keys: Sequence[str], history: Mapping[int, pl.DataFrame]
) -> pl.DataFrame:
    """Add what the history of each day knows of keys, in the same order. `history`: day -> `keys` and MASK."""
    found = {
        _column(day): known.get_column(MASK).gather(places_in(known, seen, keys))
        for day, known in history.items()
    }
    return seen.with_columns(**found)


def united(rows: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Give the days of some keys on which any of their rows was active. `rows`: `keys` and MASK."""
    return rows.lazy().group_by(keys).agg(pl.col(MASK).bitwise_or()).collect()


@frozen
class Sight:
    """What a window sees of the history."""

    source: HistorySource
    intervals: Intervals

    def mask(self) -> pl.Expr:
        """Give the mask of a key, bit i being i days before the window's day, over the columns of `with_days`."""
        days = pl.lit(0, dtype=pl.Int64)
        if self.source.base is not None:
            later = self.source.day - self.source.base
            known = pl.col(_column(self.source.base)).fill_null(0)
            days = (known & (ALL_DAYS >> later)) * (1 << later)
        for since, until in self.source.slices:
            bits = pl.lit(self.intervals.bits(since, until), dtype=pl.UInt64)
            bit = day_bit(self.source.day - day_of(since))
            is_active = (pl.col(SEEN).fill_null(0) & bits) != 0
            days = days | pl.when(is_active).then(bit).otherwise(0).cast(pl.Int64)
        return days


def day_columns(rows: pl.DataFrame) -> list[str]:
    """Name the columns of `with_days` that masks are made of."""
    return [name for name in rows.columns if name == SEEN or name.startswith(_DAYS)]


def active_days(mask: pl.Expr) -> pl.Expr:
    """Count the active days of a mask."""
    return mask.bitwise_count_ones().cast(pl.Int64)


def first_day(mask: pl.Expr) -> pl.Expr:
    """Give how many days before its day the first active day of a mask lies; 0 where none is active."""
    return 63 - pl.max_horizontal(mask, pl.lit(1)).bitwise_leading_zeros().cast(pl.Int64)


def _column(day: int) -> str:
    return f"{_DAYS}{day}"
