"""The moment of a record: the time by which it falls into a slice and into a minute."""

from __future__ import annotations

from enum import Enum
from typing import Final

from ndr_core.expressions.expr import Expr, col, when

MOMENT: Final = "moment"
"""Column of read records: engines compute it once, before all rules, and no repair changes it."""


class Moment(Enum):
    """Which time of a session is its moment."""

    EVENT_END = "event_end"
    """The greater of start and end: about when the log of the session is written. The start where no end is known."""
    EVENT_START = "event_start"

    @property
    def of_flow(self) -> Expr:
        """The moment, us, over a flow as read; null where the start is."""
        start, end = col("event_start"), col("event_end")
        if self is Moment.EVENT_START:
            return start
        return when(end > start, end, start)

    @property
    def other(self) -> Moment:
        """The other choice."""
        return Moment.EVENT_END if self is Moment.EVENT_START else Moment.EVENT_START
