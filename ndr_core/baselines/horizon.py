"""How far a baseline goes back: some local dates, and a gap before the date that it is for."""

from __future__ import annotations

from typing import Final

from attrs import frozen


@frozen(order=True)
class Horizon:
    """Local dates are days since 1970-01-01, as everywhere among baselines."""

    days: int
    """How many local dates it has."""
    gap: int
    """Days from the end of the last of them to the date that it is for."""

    @property
    def name(self) -> str:
        return f"{self.days}d"

    def dates(self, date: int) -> range:
        """Give its local dates for the baseline of a date: [date - gap - days, date - gap)."""
        return range(date - self.gap - self.days, date - self.gap)

    def date(self, dates: range) -> int:
        """Give the date for whose baseline its local dates are these."""
        return dates.stop + self.gap


WEEK_DAYS: Final = 7
MONTH_DAYS: Final = 30
DEFAULT_GAPS: Final = {WEEK_DAYS: 2, MONTH_DAYS: 7}
"""Days of a horizon -> its gap: 7d = [T - 9d, T - 2d), 30d = [T - 37d, T - 7d)."""
