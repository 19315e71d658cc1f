"""Why the values of a window are what they are: each column with its formula, its numbers, and what they count.

The values are those of the reference semantics, made of the same functions; what is shown beside them is made of the
same merged rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from ndr_core.deltas.roles import INBOUND, OUTBOUND
from ndr_core.deltas.tables import PAIR, PAIR_SUMS, delta_table
from ndr_core.expressions.expr import columns_of
from ndr_core.expressions.portable import nearest_rank
from ndr_core.history.prevalence import Prevalence
from ndr_core.measures.derive import cell_row
from ndr_core.measures.kinds import (
    CELL_AGGREGATES,
    Distribution,
    LargestCount,
    Measure,
    PairDerived,
)
from ndr_core.tables.columns import Merge, OutputColumn
from ndr_core.tables.merge import group
from ndr_core.times import MINUTE_US, iso_text
from ndr_core.windows.aggregates import AGGREGATES, PAIR_AGGREGATES
from ndr_core.windows.beacon import BEACON_FORMULAS
from ndr_core.windows.evidence import HostFacts, by_sessions, evidence_of, pair_row, summed
from ndr_core.windows.explained import (
    BeaconExplanation,
    Evidence,
    Explained,
    Operand,
    RoleExplanation,
    of_formula,
    top,
)
from ndr_core.windows.formulas import FORMULAS
from ndr_core.windows.labels import WindowLabel
from ndr_core.windows.medians import middle
from ndr_core.windows.novelty import HostHistory, histories
from ndr_core.windows.plan import WindowPlan
from ndr_core.windows.reference import WindowRows, host_window, merged_window

_FORMULAS: Final = {one.name: one for one in FORMULAS}
_BEACON_FORMULAS: Final = {one.name: one for one in BEACON_FORMULAS}
_MEANINGS: Final = {one.name: one.meaning for one in (*AGGREGATES, *FORMULAS)}
_PAIR_MEANINGS: Final = {one.name: one.meaning for one in (*PAIR_AGGREGATES, *BEACON_FORMULAS)}
_CELLS: Final = {"peer_ip": "peers", "peer_port": "known ports"}
_OF_PAIRS: Final = frozenset(column.name for one in PAIR_SUMS for column in one.columns())


def explain_host(
    plan: WindowPlan,
    anchor: int,
    label: WindowLabel,
    rows: WindowRows,
    prevalence: Prevalence | None,
    most: int,
) -> tuple[RoleExplanation, ...]:
    """Explain the rows of one host in the window that ends at `anchor`, us: outbound, inbound, those that it has.

    `rows`: those of the host alone, with its history; `prevalence`: of its peers, None where the history is not known;
    `most`: rows of each evidence, `explained.ALL` for all. Raises OverflowingColumnError where a sum leaves int64.
    """
    constants = plan.constants(label, anchor, rows.coverage, rows.source)
    pairs_of = group(merged_window(rows.pairs, PAIR, constants), ("role",))
    known = histories(rows.source, rows.history, rows.pairs) if rows.source.is_known else None
    table = delta_table(plan.measures)
    parts = [table.plain_row(row) for row in rows.deltas]
    stored_of = {row["role"]: row for row in merged_window(parts, table, constants)}
    explanations = []
    for role in (OUTBOUND.name, INBOUND.name):
        if (stored := stored_of.get(role)) is None:
            continue
        host = stored["host_ip"], role
        history = None if known is None else known.get(host, HostHistory())
        pairs = pairs_of.get((role,), [])
        found = host_window(plan, label, constants, stored, pairs, history, prevalence)
        facts = HostFacts(plan, role, pairs, found.beacons, history, rows.source.day, most)
        its = [row for row in parts if row["role"] == role and _is_within(row, constants)]
        explanations.append(_explained(facts, found.values, its))
    return tuple(explanations)


def _is_within(row: Mapping[str, Any], window: Mapping[str, Any]) -> bool:
    start: int = row["slice_start_ts"]
    return bool(window["window_start_ts"] <= start < window["window_end_ts"])


def _explained(
    facts: HostFacts, values: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]
) -> RoleExplanation:
    table = facts.plan.fg_a
    measure_of = {
        column.name: measure for measure in facts.plan.measures for column in measure.columns()
    }
    meanings = {column.name: column.meaning for column in table.columns} | _MEANINGS
    slices = _by_slice(parts)
    columns = []
    for column in table.columns:
        if (formula := _FORMULAS.get(column.name)) is not None:
            read = sorted(columns_of(formula.value))
            shown = [one for name in read if ":" in name for one in evidence_of(name, facts)]
            columns.append(of_formula(column, formula.value, values, meanings, tuple(shown)))
        elif (measure := measure_of.get(column.name)) is not None:
            columns.append(_measured(column, measure, facts, values, slices))
        else:
            columns.append(
                Explained(
                    column.name,
                    values[column.name],
                    column.meaning,
                    evidence=evidence_of(column.name, facts),
                )
            )
    return RoleExplanation(
        facts.role,
        {column.name: values[column.name] for column in table.columns},
        tuple(columns),
        top("pairs", (pair_row(pair, facts) for pair in facts.pairs), facts.most, by_sessions),
        _beacons(facts),
        len(facts.beacons),
    )


def _by_slice(
    parts: Iterable[Mapping[str, Any]],
) -> list[tuple[int, list[Mapping[str, Any]]]]:
    """Start of each slice, us, with the rows of its contributions."""
    return [(start, its) for (start,), its in sorted(group(parts, ("slice_start_ts",)).items())]


def _measured(
    column: OutputColumn,
    measure: Measure,
    facts: HostFacts,
    values: Mapping[str, Any],
    slices: Sequence[tuple[int, list[Mapping[str, Any]]]],
) -> Explained:
    """A column of the deltas, over the slices of the window."""
    match measure:
        case PairDerived():
            return _of_cells(column, measure, facts, values)
        case Distribution():
            return _read_out(column, measure, facts, values)
    rows = [
        {
            "slice_start": iso_text(start),
            column.name: Merge.SUM.merged([row[column.name] for row in its]),
        }
        for start, its in slices
    ]
    rows = [row for row in rows if row[column.name]]
    evidence = [top("slices", rows, facts.most, lambda row: row[column.name])]
    if column.name in _OF_PAIRS:
        keys = ("peer_ip", "peer_port", column.name)
        its = [{key: pair[key] for key in keys} for pair in facts.pairs if pair[column.name]]
        evidence.append(top("pairs", its, facts.most, lambda row: row[column.name]))
    return Explained(
        column.name,
        values[column.name],
        column.meaning,
        "sum over the slices",
        evidence=tuple(one for one in evidence if one.total),
    )


def _of_cells(
    column: OutputColumn, measure: PairDerived, facts: HostFacts, values: Mapping[str, Any]
) -> Explained:
    """A formula over distinct peers or ports."""
    key = measure.key
    known = {**cell_row(facts.pairs, key), column.name: values[column.name]}
    meanings = {one.name: one.meaning for one in CELL_AGGREGATES[key]}
    by = "bytes_sent_sum" if "bytes" in column.name else "sessions_cnt"
    rows = summed(facts.pairs, key, lambda pair: pair[key])
    shown = top(_CELLS[key], rows, facts.most, lambda row: row[by])
    return of_formula(column, measure.value, known, meanings, (shown,) if shown.total else ())


def _read_out(
    column: OutputColumn, measure: Distribution, facts: HostFacts, values: Mapping[str, Any]
) -> Explained:
    """A value read off a histogram."""
    readout = next(one for one in measure.readouts if one.name == column.name)
    histogram = values[measure.histogram] or ()
    if isinstance(readout, LargestCount):
        minutes = [
            {"minute": iso_text(bucket * MINUTE_US), "sessions_cnt": count}
            for bucket, count in histogram
        ]
        shown = top("minutes", minutes, facts.most, lambda row: row["sessions_cnt"])
        return Explained(
            column.name,
            values[column.name],
            column.meaning,
            "largest count of a minute",
            evidence=(shown,) if shown.total else (),
        )
    count = sum(number for _, number in histogram)
    rank = max((readout.percent * count + 99) // 100, 1)
    bucket = nearest_rank(histogram, readout.percent)
    held: tuple[Evidence, ...] = ()
    if bucket is not None:
        before = sum(number for other, number in histogram if other < bucket)
        own = dict(histogram)[bucket]
        row = {
            "bucket_middle": middle(bucket),
            "sessions_cnt": own,
            "first_rank": before + 1,
            "last_rank": before + own,
        }
        held = (Evidence(f"the bucket of rank {rank:,}", (row,), 1),)
    return Explained(
        column.name,
        values[column.name],
        column.meaning,
        f"the value of rank ceil({readout.percent} / 100 * n) of n sessions, the smallest first",
        f"rank {rank:,} of {count:,}" if count else None,
        (Operand("n", count, "sessions of which the value is known"),),
        held,
    )


def _beacons(facts: HostFacts) -> tuple[BeaconExplanation, ...]:
    """The most regular pairs, each with its arithmetic."""
    ordered = sorted(
        facts.beacons, key=lambda row: (row["beacon_score"], row["sessions_cnt"]), reverse=True
    )
    return tuple(
        BeaconExplanation(row["peer_ip"], row["peer_port"], tuple(_beacon_columns(row)))
        for row in ordered[: facts.most or None]
    )


def _beacon_columns(row: Mapping[str, Any]) -> Iterable[Explained]:
    for aggregate in PAIR_AGGREGATES:
        yield Explained(aggregate.name, row[aggregate.name], aggregate.meaning)
    for formula in _BEACON_FORMULAS.values():
        yield of_formula(formula, formula.value, row, _PAIR_MEANINGS)
