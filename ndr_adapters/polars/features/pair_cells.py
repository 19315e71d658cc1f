"""The pairs of all windows of some hosts, each once, and their rows in the slices, sorted by pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.features.numbered import PAIR_VALUES, ROW, START, PairRows
from ndr_adapters.polars.features.numbers import PEER, PORT
from ndr_adapters.polars.keys import packed_keys
from ndr_adapters.polars.views import HOST

PAIR: Final = "pair"
"""Column: the place of a pair among all pairs."""
CONTACT: Final = "contact"
"""Column: the place of a host with a peer, on any port, among all of these."""
SEEN: Final = "seen"
"""Column: the set of intervals in which there are sessions."""
WINDOW: Final = "window"
"""Column of rows: the place of the smallest window that holds them."""
PART: Final = "part"
"""Column of rows: which of the `PairRows` they are of."""

_INDEX: Final = "index"

PAIR_KEYS: Final = (HOST, PEER, PORT)
CONTACT_KEYS: Final = (HOST, PEER)


@frozen
class PairCells:
    """Pairs of hosts, in the order of HOST, PEER and PORT."""

    pairs: pl.DataFrame
    """HOST, PEER, PORT, SEEN and CONTACT of each pair, by PAIR."""
    contacts: pl.DataFrame
    """HOST, PEER, SEEN, SIDE and SEGMENT of each host with a peer, by CONTACT."""
    rows: pl.DataFrame
    """PAIR, WINDOW, PART, ROW, START and PAIR_VALUES of the rows in windows, sorted by PAIR."""

    @classmethod
    def of(cls, parts: Sequence[PairRows], places: pl.DataFrame) -> PairCells:
        """Bring the rows of each pair together. `places`: as `Numbers.places`."""
        in_windows = [
            (place, one) for place, one in enumerate(parts) if one.interval.window is not None
        ]
        values = pl.concat(_values(one, place) for place, one in in_windows)
        rows = _in_order(_keys(parts))
        rows = rows.with_columns(
            _places(PAIR_KEYS).alias(PAIR), _places(CONTACT_KEYS).alias(CONTACT)
        )
        seen = pl.col(SEEN).bitwise_or()
        pairs = by_place(rows, PAIR, *_first(*PAIR_KEYS, CONTACT), seen)
        contacts = by_place(pairs, CONTACT, *_first(*CONTACT_KEYS), seen)
        placed = contacts.drop(CONTACT).join(places, on=PEER, how="left", maintain_order="left")
        chosen = rows.lazy().filter(pl.col(_INDEX).is_not_null()).select(PAIR, _INDEX).collect()
        of_pairs = values[chosen.get_column(_INDEX)].insert_column(0, chosen.get_column(PAIR))
        return cls(pairs.drop(PAIR), placed, of_pairs)

    def in_window(self, window: int) -> pl.DataFrame:
        """Give the pairs of a window: PAIR, PAIR_VALUES, added up, and the columns of `pairs`."""
        rows = self.rows.filter(pl.col(WINDOW) <= window)
        sums = by_place(rows, PAIR, pl.sum(*PAIR_VALUES))
        return sums.hstack(self.pairs[sums.get_column(PAIR)])


def by_place(rows: pl.DataFrame, place: str, *aggregates: pl.Expr) -> pl.DataFrame:
    """Aggregate rows that are sorted by a column; gives it, too, in the same order."""
    in_order = rows.lazy().with_columns(pl.col(place).set_sorted())
    return in_order.group_by(place, maintain_order=True).agg(*aggregates).collect()


def _keys(parts: Sequence[PairRows]) -> pl.DataFrame:
    """PAIR_KEYS and SEEN of all rows, and where the values of those in windows lie."""
    frames = []
    before = 0
    for one in parts:
        is_in_window = one.interval.window is not None
        index = pl.int_range(before, before + one.pairs.height, dtype=pl.UInt32)
        frames.append(
            one.pairs.select(
                *PAIR_KEYS,
                pl.lit(one.interval.bit, dtype=pl.UInt64).alias(SEEN),
                (index if is_in_window else pl.lit(None, dtype=pl.UInt32)).alias(_INDEX),
            )
        )
        before += one.pairs.height if is_in_window else 0
    return pl.concat(frames)


def _values(of: PairRows, part: int) -> pl.DataFrame:
    """WINDOW, PART, ROW, START and PAIR_VALUES of rows in a window."""
    return of.pairs.select(
        pl.lit(of.interval.window, dtype=pl.UInt8).alias(WINDOW),
        pl.lit(part, dtype=pl.UInt16).alias(PART),
        ROW,
        START,
        *PAIR_VALUES,
    )


def _in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Sort rows by PAIR_KEYS: by one number, where they fit into it."""
    keys = [key.packed() for key in packed_keys(rows.lazy(), PAIR_KEYS)]
    return rows[rows.select(pl.arg_sort_by(keys)).to_series()]


def _places(keys: Sequence[str]) -> pl.Expr:
    """Number the distinct keys of rows that are sorted by them."""
    is_other = pl.any_horizontal(pl.col(name) != pl.col(name).shift(1) for name in keys)
    return is_other.fill_null(False).cast(pl.UInt32).cum_sum()


def _first(*names: str) -> list[pl.Expr]:
    return [pl.col(name).first() for name in names]
