"""What a JobSpec says of the deltas themselves: measures, and what they know of the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import field, frozen

from ndr_core.deltas.counters import COUNTER_ENDING, Counter
from ndr_core.errors import Problem, too_many
from ndr_core.flows.moment import Moment
from ndr_core.flows.record import MAX_PORT
from ndr_core.names import COLUMN_NAME, COLUMN_NAME_RULE, is_column_name, whole
from ndr_core.tables.slices import SLICE_MINUTES
from ndr_core.times import LAST_DAY, SECOND_US, TIME_LIMIT_US

_MOST_PORT_SETS: Final = 256
"""Far above any use: each set is a column of work for every record."""

_MOST_COUNTERS: Final = 256
"""As for port sets."""

_SLICE_MINUTES: Final = tuple(minutes for minutes in range(1, 61) if 60 % minutes == 0)

PortSets = Mapping[str, frozenset[int]]

DEFAULT_PORT_SETS: PortSets = {
    "high_risk": frozenset({23, 135, 139, 445, 1433, 3389, 4444, 5554, 5900, 6667, 9001, 31337}),
    "admin": frozenset({22, 23, 3389, 5900, 5901, 5985, 5986, 10000}),
    "fileshare": frozenset({20, 21, 69, 111, 137, 138, 139, 445, 548, 873, 989, 990, 2049}),
    "directory": frozenset({88, 389, 464, 636, 3268, 3269}),
    "db": frozenset({1433, 1434, 1521, 3306, 5432, 5984, 6379, 9042, 9200, 11211, 27017}),
    "web": frozenset({80, 443, 8000, 8080, 8443}),
    "dns": frozenset({53, 853, 5353}),
    "mail": frozenset({25, 110, 143, 465, 587, 993, 995}),
}


@frozen
class Delta:
    """What goes into the delta rows."""

    measures: tuple[str, ...] | None = field(
        default=None, metadata={"doc": "measures to build, by name (`ndr schema`); all if absent"}
    )
    short_session_seconds: float = field(
        default=1.0,
        metadata={"doc": "a session shorter than this is short", "schema": {"minimum": 0}},
    )
    slice_minutes: int = field(
        default=SLICE_MINUTES,
        metadata={
            "doc": "length of a slice; a number of minutes that divides 60",
            "schema": {"enum": list(_SLICE_MINUTES)},
        },
    )
    moment: Moment = field(
        default=Moment.EVENT_END,
        metadata={
            "doc": "the time by which a session falls into a slice: event_end (when its log is "
            "written; the start where no end is known) or event_start"
        },
    )
    counters: Mapping[str, Counter] = field(
        factory=dict,
        metadata={
            "doc": "name of a column, which ends in _cnt -> which sessions it counts; built beside the measures",
            "schema": {
                "maxProperties": _MOST_COUNTERS,
                "propertyNames": {
                    "allOf": [{"pattern": whole(COLUMN_NAME)}, {"pattern": f"{COUNTER_ENDING}$"}]
                },
            },
        },
    )

    def problems(self) -> list[Problem]:
        """List what is wrong, by key; nothing when all is well."""
        found = []
        longest = TIME_LIMIT_US // SECOND_US
        if self.short_session_seconds < 0:
            found.append(Problem("short_session_seconds", "must not be negative"))
        elif not self.short_session_seconds <= longest:
            found.append(
                Problem(
                    "short_session_seconds", f"at most {longest}, the time from 1970 to {LAST_DAY}"
                )
            )
        if self.slice_minutes not in _SLICE_MINUTES:
            choices = ", ".join(map(str, _SLICE_MINUTES))
            found.append(
                Problem(
                    "slice_minutes", f"{self.slice_minutes} does not divide 60; one of {choices}"
                )
            )
        return found + self._counter_problems()

    def _counter_problems(self) -> list[Problem]:
        found = []
        if len(self.counters) > _MOST_COUNTERS:
            found.append(Problem("counters", too_many(len(self.counters), _MOST_COUNTERS)))
        for name, counter in self.counters.items():
            key = f"counters.{name}"
            if not is_column_name(name):
                found.append(Problem(key, f"the name {COLUMN_NAME_RULE}"))
            elif not name.endswith(COUNTER_ENDING):
                found.append(
                    Problem(
                        key, f"the name must end in {COUNTER_ENDING}, as those of all counts do"
                    )
                )
            found += [problem.below(key) for problem in counter.problems()]
        return found


@frozen
class Pair:
    """What goes into the pair rows, beside sessions and bytes."""

    timing: bool = field(
        default=True,
        metadata={
            "doc": "starts, sizes, lengths and missing answers of outbound sessions, for beacons, scans and the like"
        },
    )


@frozen
class Enrichment:
    """Knowledge about the network that measures use."""

    port_sets: PortSets = field(
        factory=lambda: dict(DEFAULT_PORT_SETS),
        metadata={
            "doc": "name -> ports or 'low-high' ranges; each gives <name>_sessions_cnt",
            "schema": {
                "maxProperties": _MOST_PORT_SETS,
                "propertyNames": {"pattern": whole(COLUMN_NAME)},
            },
        },
    )

    def problems(self) -> list[Problem]:
        """List what is wrong, by key; nothing when all is well."""
        found = []
        if len(self.port_sets) > _MOST_PORT_SETS:
            found.append(Problem("port_sets", too_many(len(self.port_sets), _MOST_PORT_SETS)))
        for name, ports in self.port_sets.items():
            if not is_column_name(name):
                found.append(Problem(f"port_sets.{name}", f"the name {COLUMN_NAME_RULE}"))
            if any(not 0 <= port <= MAX_PORT for port in ports):
                found.append(Problem(f"port_sets.{name}", f"ports lie between 0 and {MAX_PORT}"))
        return found
