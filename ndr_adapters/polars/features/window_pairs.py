"""The pairs of one window, and what hosts have in it with their peers, ports and segments."""

from __future__ import annotations

from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.features.numbered import SENT_SUM, SESSIONS
from ndr_adapters.polars.features.numbers import PORT, SIDE, is_outbound
from ndr_adapters.polars.features.pair_cells import CONTACT, PairCells, by_place
from ndr_adapters.polars.keys import grouped
from ndr_adapters.polars.views import HOST
from ndr_core.deltas.timing import UNANSWERED
from ndr_core.features.networks import Side

FAILED: Final = "failed"
"""Column: whether no session was answered, of outbound pairs with single hosts; or how many of such there are."""
FAILED_PORTS: Final = "failed_ports"
"""Column: how many failed pairs of known ports there are."""
TARGETS: Final = "targets"
"""Column: how many pairs there are."""


@frozen
class WindowPairs:
    """Sums over the slices of one window."""

    pairs: pl.DataFrame
    """As `PairCells.in_window`, with SIDE and FAILED."""
    contacts: pl.DataFrame
    """CONTACT, `sessions`, `bytes`, FAILED, FAILED_PORTS, TARGETS, HOST, PEER, SEEN, SIDE and SEGMENT."""
    ports: pl.DataFrame
    """HOST, PORT, `sessions`, `bytes` and FAILED."""

    @classmethod
    def of(cls, cells: PairCells, window: int) -> WindowPairs:
        """Add up the rows of a window."""
        pairs = cells.in_window(window)
        sides = cells.contacts.get_column(SIDE).gather(pairs.get_column(CONTACT))
        is_failed = (
            is_outbound()
            & (pl.col(SIDE) != Side.NEITHER.value)
            & (pl.col(UNANSWERED.name) == pl.col(SESSIONS))
        )
        pairs = pairs.with_columns(sides).with_columns(is_failed.alias(FAILED))
        sums = [pl.sum(SESSIONS).alias("sessions"), pl.sum(SENT_SUM).alias("bytes")]
        failed = pl.col(FAILED).cast(pl.Int64)
        contacts = by_place(
            pairs,
            CONTACT,
            *sums,
            failed.sum(),
            (failed * (pl.col(PORT) > 0)).sum().alias(FAILED_PORTS),
            pl.len().cast(pl.Int64).alias(TARGETS),
        )
        contacts = contacts.hstack(cells.contacts[contacts.get_column(CONTACT)])
        ports = grouped(pairs.lazy(), (HOST, PORT), [*sums, failed.sum()]).collect()
        return cls(pairs, contacts, ports)
