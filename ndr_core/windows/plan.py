"""The plan of window jobs: all that an engine needs to know, compiled once from a JobSpec and the deltas' settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from attrs import asdict, frozen

from ndr_core.deltas.roles import INBOUND, OUTBOUND
from ndr_core.errors import Problem, SpecError
from ndr_core.expressions.expr import columns_of
from ndr_core.features.networks import Hosts, Networks, Side
from ndr_core.measures.kinds import Measure
from ndr_core.tables.slices import partition_of
from ndr_core.tables.table import Table
from ndr_core.windows.aggregates import AGGREGATES
from ndr_core.windows.calendar import Calendar
from ndr_core.windows.formulas import FORMULAS, OPERANDS
from ndr_core.windows.history_source import HistorySource
from ndr_core.windows.labels import WindowLabel, due
from ndr_core.windows.settings import DetectionPorts
from ndr_core.windows.tables import BEACON, FG_A, delta_columns, fg_a_table

ROLE_NAMES: Final = (OUTBOUND.name, INBOUND.name)
"""The roles whose rows are built: each pair of the one is a pair of the other, its sides swapped."""


@frozen
class WindowPlan:
    """Everything an engine needs to know of the windows that a job builds. `compile_window_plan` makes it."""

    measures: tuple[Measure, ...]
    """Those of the deltas that are read."""
    slice_minutes: int
    """Length of their slices."""
    labels: tuple[WindowLabel, ...]
    """All windows of the spec, the shortest first."""
    networks: Networks
    ports: DetectionPorts
    calendar: Calendar
    hosts: Hosts
    """Whose rows are built."""
    feature_spec_version: str
    """Of the rows that are built."""
    published_at: int
    """When the run was made, us: a column of its rows."""

    def due(self, anchor: int) -> tuple[WindowLabel, ...]:
        """Give the labels of which a window ends at a moment, us, the shortest first."""
        return due(self.labels, anchor)

    @property
    def fg_a(self) -> Table:
        """The table of windows over the deltas' measures."""
        return fg_a_table(self.measures)

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that a run makes."""
        return (self.fg_a, BEACON)

    def has_rows(self, host_ip: str) -> bool:
        """Whether rows are built of a host."""
        return self.hosts is Hosts.ALL or self.networks.side_of(host_ip) is Side.INTERNAL

    def constants(
        self, label: WindowLabel, anchor: int, coverage: int, history: HistorySource
    ) -> dict[str, Any]:
        """Give the columns of `fg_a` that are the same in all rows of a window, but for `role`.

        `anchor`: the end of the window, us; `coverage`: its published slices; `history`: where its history is from.
        """
        facts = self.calendar.facts(anchor, is_day=label.is_day)
        is_whole = coverage == label.slices(self.slice_minutes) and history.is_known
        return {
            "window_label": label.name,
            "window_start_ts": label.start(anchor),
            "window_end_ts": anchor,
            "coverage_slices": coverage,
            "is_partial": int(not is_whole),
            "hour_of_day": facts.hour_of_day,
            "day_of_week": facts.day_of_week,
            "time_band": facts.time_band.value,
            "is_weekend": int(facts.is_weekend),
            "is_holiday": int(facts.is_holiday),
            **self.run_constants(anchor),
        }

    def run_constants(self, anchor: int) -> dict[str, Any]:
        """Give the columns that are the same in all rows of a run, in both tables, but for `role`."""
        return {
            "published_at": self.published_at,
            "feature_spec_version": self.feature_spec_version,
            **partition_of(anchor),
        }


def compile_window_plan(
    *,
    measures: Sequence[Measure],
    roles: Iterable[Mapping[str, Any]],
    slice_minutes: int,
    labels: Sequence[WindowLabel],
    networks: Networks,
    ports: DetectionPorts,
    calendar: Calendar,
    hosts: Hosts,
    feature_spec_version: str,
    published_at: int,
) -> WindowPlan:
    """Make the plan of a job's windows over published deltas.

    `measures`, `roles` (as plain data), `slice_minutes`: those of the deltas. Raises SpecError, naming key or column,
    for windows that slices can't make, for roles that are not outbound and its mirror inbound, for measures that a
    column of `fg_a` needs and the deltas do not have, and for counters that have the name of a column of `fg_a`.
    """
    problems = [
        *(one.below("windows") for label in labels for one in label.problems(slice_minutes)),
        *_role_problems(roles),
        *_missing(measures),
        *_clashes(measures),
    ]
    if problems:
        raise SpecError("\n".join(map(str, problems)))
    return WindowPlan(
        measures=tuple(measures),
        slice_minutes=slice_minutes,
        labels=tuple(sorted(labels)),
        networks=networks,
        ports=ports,
        calendar=calendar,
        hosts=hosts,
        feature_spec_version=feature_spec_version,
        published_at=published_at,
    )


def _role_problems(roles: Iterable[Mapping[str, Any]]) -> list[Problem]:
    """The mirror is that of the built-in roles: others say something else of hosts and peers."""
    known = {role.name: asdict(role) for role in (OUTBOUND, INBOUND)}
    given = {role["name"]: dict(role) for role in roles}
    return (
        []
        if given == known
        else [
            Problem(
                "roles",
                f"the deltas have {', '.join(sorted(given)) or 'none'}; windows need the roles outbound and inbound, "
                "each the mirror of the other, as they are by default",
            )
        ]
    )


def _missing(measures: Sequence[Measure]) -> list[Problem]:
    """The measures that formulas read and deltas do not have."""
    made = {one.name for one in (*AGGREGATES, *FORMULAS)}
    known = {column.name for column in delta_columns(measures)}
    readers = {
        name: formula.name for formula in reversed(FORMULAS) for name in columns_of(formula.value)
    }
    return [
        Problem(
            name,
            f"the deltas do not have this measure, and the column {readers[name]} is made from it; build them with it "
            "(delta.measures, enrichment.port_sets)",
        )
        for name in sorted(OPERANDS - made - known)
    ]


def _clashes(measures: Sequence[Measure]) -> list[Problem]:
    """The counters of the deltas whose names are those of other columns of windows."""
    own = {column.name for column in delta_columns(measures)}
    others = {column.name for column in fg_a_table(()).columns}
    return [
        Problem(
            f"delta.counters.{name}",
            f"a column of the table {FG_A} has this name; choose another one and build the deltas with it",
        )
        for name in sorted(own & others)
    ]
