"""The pairs in windows of some hosts, each once, and their rows in the slices, sorted by pair."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.features.numbered import PAIR_VALUES, ROW, START, PairRows
from ndr_adapters.polars.features.numbers import PEER, PORT
from ndr_adapters.polars.keys import order_by
from ndr_adapters.polars.marks import marks
from ndr_adapters.polars.runs import run_sums, united
from ndr_adapters.polars.views import HOST

PAIR: Final = "pair"
"""Column: the place of a pair among all pairs in windows."""
CONTACT: Final = "contact"
"""Column: the place of a host with a peer, on any port, among all of these."""
SEEN: Final = "seen"
"""Column: the set of intervals in which there are sessions."""
WINDOW: Final = "window"
"""Column of rows: the place of the smallest window that holds them."""
PART: Final = "part"
"""Column of rows: which of the `PairRows` they are of."""

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
        rows = pl.concat(
            [_rows(one, part) for part, one in enumerate(parts) if one.interval.window is not None],
            rechunk=True,
        )
        rows = rows[order_by(rows.select(PAIR_KEYS))].with_columns(
            _places(PAIR_KEYS).alias(PAIR), _places(CONTACT_KEYS).alias(CONTACT)
        )
        bits = {one.interval.bit for one in parts if one.interval.window is not None}
        pairs = _each_once(rows, PAIR, (*PAIR_KEYS, CONTACT), bits)
        contacts = _each_once(pairs, CONTACT, CONTACT_KEYS, bits)
        placed = contacts.join(places, on=PEER, how="left", maintain_order="left")
        of_pairs = rows.select(PAIR, WINDOW, PART, ROW, START, *PAIR_VALUES)
        return cls(pairs, placed, of_pairs)

    def rows_of(self, pairs: pl.Series, window: int) -> pl.DataFrame:
        """Give those of `rows` that are of some pairs and in a window. `pairs`: values of PAIR."""
        is_chosen = marks(pairs, self.pairs.height)
        rows = self.rows.get_column(PAIR)
        return self.rows.filter(is_chosen.gather(rows), pl.col(WINDOW) <= window)

    def in_window(self, window: int) -> pl.DataFrame:
        """Give the pairs of a window: PAIR, PAIR_VALUES, added up, and the columns of `pairs`."""
        rows = self.rows.lazy().filter(pl.col(WINDOW) <= window)
        sums = run_sums(rows, [PAIR], *map(pl.col, PAIR_VALUES)).collect()
        return sums.hstack(self.pairs[sums.get_column(PAIR)])


def _rows(of: PairRows, part: int) -> pl.DataFrame:
    """PAIR_KEYS, SEEN, WINDOW, PART, ROW, START and PAIR_VALUES of rows in a window."""
    return of.pairs.select(
        *PAIR_KEYS,
        pl.lit(of.interval.bit, dtype=pl.UInt64).alias(SEEN),
        pl.lit(of.interval.window, dtype=pl.UInt8).alias(WINDOW),
        pl.lit(part, dtype=pl.UInt16).alias(PART),
        ROW,
        START,
        *PAIR_VALUES,
    )


def _places(keys: Sequence[str]) -> pl.Expr:
    """Number the distinct keys of rows that are sorted by them."""
    is_other = pl.any_horizontal(pl.col(name) != pl.col(name).shift(1) for name in keys)
    return is_other.fill_null(False).cast(pl.UInt32).cum_sum()


def _each_once(
    rows: pl.DataFrame, place: str, kept: Sequence[str], bits: Iterable[int]
) -> pl.DataFrame:
    """What is kept of rows, and SEEN, once for each value of a column that numbers them in their order from 0 on."""
    each = run_sums(rows.lazy(), [place], kept=kept).drop(place).collect()
    return each.with_columns(
        united(rows.get_column(place), rows.get_column(SEEN), bits, each.height)
    )
