"""What baselines are made of, as frames: the summaries of local dates, and the hosts' baselines of the date before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import polars as pl
from attrs import evolve, field, frozen

from ndr_adapters.polars.addresses import Addresses
from ndr_core.baselines.engine import HorizonInputs

_KEY: Final = ("host_ip", "role", "time_band", "window_label")
NAMES_TOGETHER: Final = 256
"""Names whose histograms lie together in a file: who compares windows of some hosts, reads few others."""
DATE: Final = "date"
"""Column: a local date, days since 1970-01-01, Int64."""
SEGMENT: Final = "segment"
"""Column: the name of a segment, or of the network."""

SUMMARY_COLUMNS: Final = (*_KEY, "metric", "included", "excluded", DATE)
"""What is read of `summary`."""
SUMMARY_ROWS_COLUMNS: Final = (*_KEY, "rows_included", "rows_excluded", DATE)
"""What is read of `summary_rows`."""
FORMER_COLUMNS: Final = (*_KEY, "metric", "horizon", "included", "excluded")
"""What is read of the hosts' `baseline` of the date before, whose `name` is the host."""
FORMER_ROWS_COLUMNS: Final = (*_KEY, "horizon", "rows_included", "rows_excluded", "dates_mask")
"""What is read of the hosts' `baseline_rows` of the date before, likewise."""
FORMER_SCOPES_COLUMNS: Final = (
    "scope",
    SEGMENT,
    *_KEY[1:],
    "metric",
    "horizon",
    "included",
)
"""What is read of the `baseline` of segments and of the network of the date before, whose `name` is the SEGMENT."""


@frozen
class HorizonDates:
    """The local dates whose summaries make one horizon."""

    added: tuple[int, ...]
    removed: tuple[int, ...] = field(default=())
    goes_on: bool = field(default=False)
    """Whether they are added to the baselines of the date before."""

    @classmethod
    def of(cls, horizons: Iterable[HorizonInputs]) -> tuple[HorizonDates, ...]:
        """Take what the inputs of a run say of each horizon."""
        return tuple(cls(one.added, one.removed, one.former is not None) for one in horizons)


@frozen
class CellFrames:
    """Histograms of hosts, all of some roles and bands: no others have the same key."""

    summaries: pl.LazyFrame
    """SUMMARY_COLUMNS."""
    former: pl.LazyFrame
    """FORMER_COLUMNS."""


@frozen
class BaselineFrames:
    """Rows of some hosts, or of all."""

    rows: pl.LazyFrame
    """SUMMARY_ROWS_COLUMNS."""
    former_rows: pl.LazyFrame
    """FORMER_ROWS_COLUMNS."""
    cells: Sequence[CellFrames]
    """One after the other is in memory."""
    former_scopes: pl.LazyFrame
    """FORMER_SCOPES_COLUMNS: of all segments, and of the network."""
    addresses: Addresses = field(factory=Addresses)
    """Hosts in the rows may be texts, or what this knows by its numbers (`Addresses.known`)."""

    def where(self, is_chosen: pl.Expr) -> BaselineFrames:
        """Give the rows of some hosts. `is_chosen`: over `host_ip`."""

        def chosen(rows: pl.LazyFrame) -> pl.LazyFrame:
            return rows.filter(is_chosen)

        return self._each(chosen)

    def _each(self, change: Callable[[pl.LazyFrame], pl.LazyFrame]) -> BaselineFrames:
        return evolve(
            self,
            rows=change(self.rows),
            former_rows=change(self.former_rows),
            cells=[CellFrames(change(one.summaries), change(one.former)) for one in self.cells],
        )
