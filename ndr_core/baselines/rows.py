"""The plain rows that summaries and baselines are made of, as the core or as a reader gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import field, frozen

from ndr_core.tables.merge import Row

PlainRow = Mapping[str, Any]


@frozen(order=True)
class HostKey:
    """Whose windows are counted together: a host's in a role, a part of the week and of a length."""

    role: str
    time_band: str
    host_ip: str
    window_label: str

    @staticmethod
    def of(row: PlainRow) -> HostKey:
        """Read it off a row of windows, or of their summary."""
        return HostKey(row["role"], row["time_band"], row["host_ip"], row["window_label"])

    @staticmethod
    def of_baseline(row: PlainRow) -> HostKey:
        """Read it off a host's row of a baseline."""
        return HostKey(row["role"], row["time_band"], row["name"], row["window_label"])

    def columns(self) -> Row:
        """Give its columns."""
        return {
            "role": self.role,
            "time_band": self.time_band,
            "host_ip": self.host_ip,
            "window_label": self.window_label,
        }


@frozen
class SummaryTables:
    """Rows of the summaries of some local dates, told apart by their `dt`."""

    summary: Sequence[PlainRow] = field(default=())
    rows: Sequence[PlainRow] = field(default=())
    """Of `summary_rows`."""


@frozen
class BaselineTables:
    """Rows of the baselines of a date, of any scope and horizon."""

    baseline: Sequence[PlainRow] = field(default=())
    rows: Sequence[PlainRow] = field(default=())
    """Of `baseline_rows`."""


@frozen
class SummaryRows:
    """What the summary of a local date is made of."""

    included: Sequence[PlainRow]
    """Rows of `fg_a`: of the windows that are summed up, in no excluded period. A column that they lack is null."""
    excluded: Sequence[PlainRow] = field(default=())
    """The same of excluded periods."""
    judge: BaselineTables = field(factory=BaselineTables)
    """The baselines of this date, by which windows are judged; without rows there is nothing to judge by."""


@frozen
class HorizonRows:
    """What the hosts' part of one horizon is made of. All rows are of the plan's labels and metrics."""

    added: SummaryTables
    """Summaries of local dates that are added: of all dates of the horizon, or of the last one."""
    removed: SummaryTables = field(factory=SummaryTables)
    """Those of the date that has left the horizon, where it goes on from `former`."""
    former: BaselineTables | None = None
    """The baselines of the date before, to go on from; None: all dates are added up."""
