"""The semantics of windows in plain Python over plain rows: slow, obvious, the oracle of every test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import frozen

from ndr_core.deltas.roles import OUTBOUND
from ndr_core.deltas.tables import PAIR, delta_table
from ndr_core.deltas.timing import shifted
from ndr_core.expressions.evaluate import evaluate
from ndr_core.history.prevalence import OF_WINDOW, Prevalence, prevalence_of
from ndr_core.measures.derive import derive_row
from ndr_core.tables.merge import Row, group, merge_rows, nulls_first
from ndr_core.tables.table import Table
from ndr_core.times import SECOND_US
from ndr_core.windows.aggregates import BEACON_AGGREGATES, DETECTION_AGGREGATES
from ndr_core.windows.detection import detections, segments
from ndr_core.windows.formulas import FORMULAS
from ndr_core.windows.history_source import HistorySource
from ndr_core.windows.labels import WindowLabel
from ndr_core.windows.novelty import HostHistory, histories, novelty
from ndr_core.windows.plan import WindowPlan
from ndr_core.windows.regularity import beacon_rows
from ndr_core.windows.tables import BEACON, window_place

HostKey = tuple[str, str]
"""Host and role."""


@frozen
class WindowRows:
    """What the windows of one label are made of. Rows are as the core or as a reader gives them."""

    deltas: Sequence[Mapping[str, Any]]
    """Rows of the delta table, of any split of the records; those of slices outside of the window are left out."""
    pairs: Sequence[Mapping[str, Any]]
    """Rows of the pair table, likewise: those of the window, and those of the slices of `source`."""
    coverage: int
    """Published slices of the window."""
    source: HistorySource
    history: Sequence[Mapping[str, Any]] = ()
    """Rows of the pair history of the day `source.base`."""


@frozen
class HostWindow:
    """What one host in one role has done in a window."""

    values: Row
    """All columns of `fg_a`, and the aggregates and the histograms that they are made of."""
    beacons: list[Row]
    """Its rows of `beacon`, with what they are made of."""


@frozen
class WindowTables:
    """The rows that a run makes: times are us since 1970-01-01 UTC."""

    fg_a: list[Row]
    """Sorted by role, host, label."""
    beacons: list[Row]
    """Sorted by host, peer, port, nulls first."""


def build_windows(
    plan: WindowPlan, anchor: int, windows: Mapping[WindowLabel, WindowRows]
) -> WindowTables:
    """Build the windows that end at one moment, us: what each label's is made of -> the tables.

    Raises OverflowingColumnError where a sum leaves int64.
    """
    fg_a: list[Row] = []
    beacons: list[Row] = []
    for label, rows in sorted(windows.items(), key=lambda item: item[0]):
        of_label = _build_window(plan, anchor, label, rows)
        fg_a += of_label[0]
        beacons += of_label[1]
    return WindowTables(_finished(fg_a, plan.fg_a), _finished(beacons, BEACON))


def _build_window(
    plan: WindowPlan, anchor: int, label: WindowLabel, rows: WindowRows
) -> tuple[list[Row], list[Row]]:
    """Rows of `fg_a` and of `beacon`, in no order."""
    constants = plan.constants(label, anchor, rows.coverage, rows.source)
    deltas = [row for row in rows.deltas if plan.has_rows(row["host_ip"])]
    stored = merged_window(deltas, delta_table(plan.measures), constants)
    pairs_of = group(
        merged_window(
            [row for row in rows.pairs if plan.has_rows(row["host_ip"])], PAIR, constants
        ),
        ("host_ip", "role"),
    )
    known, prevalence = history_of(plan, rows)
    fg_a: list[Row] = []
    beacons: list[Row] = []
    for row in stored:
        host = row["host_ip"], row["role"]
        history = None if known is None else known.get(host, HostHistory())
        found = host_window(
            plan, label, constants, row, pairs_of.get(host, []), history, prevalence
        )
        fg_a.append(found.values)
        beacons += found.beacons
    return fg_a, beacons


def merged_window(
    parts: Iterable[Mapping[str, Any]], table: Table, constants: Mapping[str, Any]
) -> list[Row]:
    """Merge the rows of a window's slices as if the window were one slice; others are left out.

    `parts`: rows of the delta or the pair table, of any split of the records; `constants`: of the window, as
    `WindowPlan.constants`. `starts` become whole seconds since 1970. Raises OverflowingColumnError.
    """
    start, end = constants["window_start_ts"], constants["window_end_ts"]
    same = {
        "slice_start_ts": start,
        "slice_end_ts": end,
        "mini_batch_id": "",
        **{name: constants[name] for name in table.levels if name in constants},
    }
    rows = []
    for row in map(table.plain_row, parts):
        if start <= row["slice_start_ts"] < end:
            starts = row.get("starts")
            if starts is not None:
                row["starts"] = shifted(starts, row["slice_start_ts"] // SECOND_US)
            rows.append(row | same)
    return merge_rows(rows, table, lambda row: window_place({**row, **constants}))


def host_window(
    plan: WindowPlan,
    label: WindowLabel,
    constants: Mapping[str, Any],
    stored: Mapping[str, Any],
    pairs: Sequence[Mapping[str, Any]],
    history: HostHistory | None,
    prevalence: Prevalence | None,
) -> HostWindow:
    """Work out the window of one host in one role.

    `stored`, `pairs`: its merged rows, as `merged_window` gives them; `history`, `prevalence`: None where the history
    is not known.
    """
    role = stored["role"]
    regular = []
    if role == OUTBOUND.name and label.is_day:
        regular = beacon_rows(pairs, history, prevalence, plan.networks)
    values = {
        **derive_row(stored, pairs, plan.measures),
        **segments(pairs, plan.networks),
        **novelty(pairs, history, plan.networks),
        **_detections(plan, role, pairs, history),
        **_beacon_maxima(role, label, regular),
    }
    for formula in FORMULAS:
        values[formula.name] = evaluate(formula.value, values)
    same = {**constants, "role": role}
    return HostWindow(
        {**values, **same, "host_ip": stored["host_ip"]}, [row | same for row in regular]
    )


def history_of(
    plan: WindowPlan, rows: WindowRows
) -> tuple[dict[HostKey, HostHistory] | None, Prevalence | None]:
    """Give the histories of all hosts, and the prevalence of peers among the internal ones; None where not known."""
    if not rows.source.is_known:
        return None, None
    known = histories(rows.source, rows.history, rows.pairs)
    contacts = (
        (host, peer, mask)
        for (host, role), history in known.items()
        if role == OUTBOUND.name
        for (peer, _), mask in history.pairs.items()
    )
    return known, prevalence_of(contacts, OF_WINDOW, plan.networks)


def _detections(
    plan: WindowPlan, role: str, pairs: Sequence[Mapping[str, Any]], history: HostHistory | None
) -> Row:
    if role != OUTBOUND.name:
        return dict.fromkeys(one.name for one in DETECTION_AGGREGATES)
    return detections(pairs, history, plan.networks, plan.ports)


def _beacon_maxima(role: str, label: WindowLabel, regular: Sequence[Row]) -> Row:
    """The largest score and the largest threat of external peers, each by itself."""
    names = [one.name for one in BEACON_AGGREGATES]
    if role != OUTBOUND.name or not label.is_day:
        return dict.fromkeys(names)
    external = [row for row in regular if row["is_external"]]
    return {
        name: max((row[name.removesuffix("_max")] for row in external), default=0) for name in names
    }


def _finished(rows: Iterable[Row], table: Table) -> list[Row]:
    """Rows in the columns of their table, sorted by its keys."""
    whole = [{column.name: row[column.name] for column in table.columns} for row in rows]
    return sorted(whole, key=lambda row: nulls_first(table.key_of(row)))
