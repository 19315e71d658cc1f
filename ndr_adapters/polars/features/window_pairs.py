"""The pairs of one window, and what hosts have in it with their peers, ports and segments."""

from __future__ import annotations

from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.features.numbered import SENT_SUM, SESSIONS
from ndr_adapters.polars.features.numbers import PORT, SIDE, is_outbound
from ndr_adapters.polars.features.pair_cells import CONTACT, PairCells
from ndr_adapters.polars.keys import grouped
from ndr_adapters.polars.runs import run_sums
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
        failed = pl.col(FAILED).cast(pl.Int64)
        values = [pl.col(SESSIONS).alias("sessions"), pl.col(SENT_SUM).alias("bytes"), failed]
        contacts = run_sums(
            pairs.lazy(),
            [CONTACT],
            *values,
            (failed * (pl.col(PORT) > 0)).alias(FAILED_PORTS),
            pl.repeat(1, pl.len(), dtype=pl.Int64).alias(TARGETS),
        ).collect()
        contacts = contacts.hstack(cells.contacts[contacts.get_column(CONTACT)])
        sums = [value.sum() for value in values]
        ports = grouped(pairs.lazy(), (HOST, PORT), sums).collect()
        return cls(pairs, contacts, ports)
