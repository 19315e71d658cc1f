"""The plan of a run of the pair history: all that an engine needs to know of one day."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from ndr_core.deltas.roles import INBOUND, OUTBOUND
from ndr_core.errors import NdrError
from ndr_core.features.days import date_of
from ndr_core.features.networks import Hosts, Networks, Side
from ndr_core.history.masks import DAYS
from ndr_core.history.spec import PairHistorySpec
from ndr_core.times import day_start

ROLES: Final = (OUTBOUND.name, INBOUND.name)
"""Whose history there is: the pairs of roles with other names are not read."""


@frozen
class HistoryPlan:
    """Everything an engine needs to know of one day."""

    day: int
    """UTC day, whole days since 1970-01-01."""
    networks: Networks
    feature_spec_version: str
    """Of the history itself."""
    published_at: int
    """The time of the run, us."""
    deltas_version: str
    """The feature_spec_version of the pair slices that are read."""
    hosts: Hosts = Hosts.INTERNAL
    """Whose rows are built."""

    @property
    def start(self) -> int:
        """The time, us, at which the day begins."""
        return day_start(self.day)

    @property
    def leaving_day(self) -> int:
        """The day that drops out of the 30 days: the history of the day before still holds it."""
        return self.day - DAYS

    @property
    def earlier_days(self) -> tuple[int, ...]:
        """The days of the history before the day itself, the first one first."""
        return tuple(range(self.leaving_day + 1, self.day))

    def has_rows(self, host_ip: str) -> bool:
        """Whether rows are built of a host."""
        return self.hosts is Hosts.ALL or self.networks.side_of(host_ip) is Side.INTERNAL

    def constants(self) -> dict[str, object]:
        """Give the columns that are the same in all rows of the run, but for the role; times in us."""
        return {
            "day_ts": self.start,
            "published_at": self.published_at,
            "feature_spec_version": self.feature_spec_version,
            "dt": date_of(self.day),
        }

    def misfit(self, host: str) -> NdrError:
        """Make the error that the history of the day before does not fit the tile of the leaving day."""
        former = date_of(self.day - 1)
        return NdrError(
            f"pair_history: the history of {former} was not made from the pair tile of {date_of(self.leaving_day)} "
            f"as it is now (host {host}); build the history of {former} again"
        )


def compile_history_plan(spec: PairHistorySpec, day: int, published_at: int) -> HistoryPlan:
    """Make the plan of the run of one UTC day (days since 1970-01-01). `spec` must be valid; `published_at`: us."""
    return HistoryPlan(
        day=day,
        networks=spec.networks,
        feature_spec_version=spec.feature_spec_version,
        published_at=published_at,
        deltas_version=spec.inputs.deltas_version(spec.feature_spec_version),
        hosts=spec.hosts,
    )


def row_place(table: str, day: int, role: str, host: str) -> str:
    """Name the rows of a host in the message of an overflow."""
    return f"host {host} ({role}, {table} of {date_of(day)})"
