"""The semantics of deltas in plain Python over flow records: slow, obvious, the oracle of every test."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import asdict, frozen

from ndr_core.deltas.pair_up import pair_up
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.deltas.tables import PAIR_SUMS, overflow_place
from ndr_core.deltas.timing import TIMING_COLUMNS, TIMING_HISTOGRAMS, TIMING_SUMS
from ndr_core.expressions.evaluate import evaluate
from ndr_core.flows.json_line import read_json
from ndr_core.flows.json_text import cut_raw
from ndr_core.flows.moment import MOMENT
from ndr_core.flows.object_reader import Skipped
from ndr_core.flows.outcome import key_column
from ndr_core.flows.raw_record import Blank, Malformed, RawRecord
from ndr_core.flows.record_reader import BadRecord, ReadFlow, RecordReader
from ndr_core.flows.vocabulary import UNKNOWN, UNKNOWN_CHARACTERS
from ndr_core.measures.derive import derive_row
from ndr_core.measures.kinds import IS_SESSION
from ndr_core.quality.duplicates import ALSO_EQUAL, LONGEST
from ndr_core.quality.quarantine import Quarantined
from ndr_core.quality.repairs import REPAIR_RULES, SETTLED_FIELDS, mark_column
from ndr_core.quality.report import FlowCounts, QualityReport, make_report
from ndr_core.quality.rules import BAD_VALUE, DUPLICATE, MALFORMED_RECORD, RejectRule
from ndr_core.tables.columns import add_histograms
from ndr_core.tables.merge import Row, check_int64, nulls_first
from ndr_core.tables.slices import partition_of

GroupKey = tuple[int, str, str]
"""(slice start in us, role, host)"""


@frozen
class Tables:
    """All that a run makes, as plain rows. Times are us since 1970-01-01 UTC, histograms tuples of pairs."""

    deltas: list[Row]
    """Sorted by slice, role, host."""
    pairs: list[Row]
    """Sorted by slice, role, host, peer, port."""
    quarantine: list[Quarantined]
    report: QualityReport


def build_tables(
    lines: Iterable[bytes | str],
    plan: DeltaPlan,
    unreadable_files: Mapping[str, str] | None = None,
) -> Tables:
    """Build as `tables_of`, from the JSON lines of a mini-batch."""
    return tables_of(map(read_json, lines), plan, unreadable_files)


def tables_of(
    records: Iterable[Blank | Malformed | RawRecord],
    plan: DeltaPlan,
    unreadable_files: Mapping[str, str] | None = None,
) -> Tables:
    """Build deltas, pair table, quarantine and report from the records of a mini-batch.

    Raises OverflowingColumnError when a sum leaves int64.
    """
    reader = RecordReader(plan.input, plan.key_columns)
    read: list[ReadFlow] = []
    quarantine: list[Quarantined] = []
    blank_lines = skipped = 0
    for record in records:
        match reader.read(record):
            case Blank():
                blank_lines += 1
            case Malformed(raw):
                quarantine.append(Quarantined(MALFORMED_RECORD, None, raw))
            case BadRecord(raw, name, text):
                quarantine.append(Quarantined(BAD_VALUE, name, raw, object=text))
            case Skipped():
                skipped += 1
            case flow:
                read.append(flow)
    kept, rejected = _judge(read, plan)
    quarantine += rejected
    flows = [_settled(row) for row in kept]
    found = None
    if plan.pairing is not None:
        flows, unpaired = pair_up(flows, plan.pairing)
        found = FlowCounts(len(flows), unpaired)
    report = make_report(
        plan.reject_rules,
        len(kept),
        Counter(item.label for item in quarantine),
        {name: sum(row[mark_column(name)] for row in kept) for name in plan.marks},
        blank_lines,
        unreadable_files or {},
        skipped,
        _examples(quarantine),
        _unknown(kept),
        found,
    )
    return Tables(*_aggregate(flows, plan), quarantine, report)


def _judge(read: Sequence[ReadFlow], plan: DeltaPlan) -> tuple[list[Row], list[Quarantined]]:
    """Flows that no rule rejects, as repaired rows, and the rejected ones under the first rule that does."""
    rows = [_row(item, plan) for item in read]
    rules = [_first_rule(row, plan) for row in rows]
    repaired = [
        _repaired(row, plan) if rule is None else row for row, rule in zip(rows, rules, strict=True)
    ]
    if plan.deduplicate_on:
        _mark_duplicates(repaired, [(item.raw, item.object or "") for item in read], rules, plan)
    kept: list[Row] = []
    rejected: list[Quarantined] = []
    judged = zip(read, repaired, rules, strict=True)
    for item, row, rule in sorted(
        judged, key=lambda one: (one[0].flow.event_start or 0, one[0].raw, one[0].object or "")
    ):
        if rule is None:
            kept.append(row)
        else:
            raw = cut_raw(item.raw)
            text = None if item.object is None else cut_raw(item.object)
            rejected.append(Quarantined(rule.name, rule.field, raw, rule.detail, text))
    return kept, rejected


def _row(item: ReadFlow, plan: DeltaPlan) -> Row:
    """A flow as read, as a row with its keys and its moment."""
    row = asdict(item.flow, recurse=False)
    keys = zip(map(key_column, plan.key_columns), row.pop("keys"), strict=True)
    return row | dict(keys) | {MOMENT: evaluate(plan.moment.of_flow, row)}


def _first_rule(row: Row, plan: DeltaPlan) -> RejectRule | None:
    for rule in plan.reject_rules:
        if rule.condition is not None and evaluate(rule.condition, row):
            return rule
    return None


def _repaired(row: Row, plan: DeltaPlan) -> Row:
    """The row after the repairs, one after the other, with its marks."""
    marks = {mark_column(name): evaluate(mark, row) for name, mark in plan.marks.items()}
    for rule in REPAIR_RULES:
        row = row | {name: evaluate(fix, row) for name, fix in rule.fixes.items()}
    return row | marks


def _mark_duplicates(
    rows: Sequence[Row],
    texts: Sequence[tuple[str, str]],
    rules: list[RejectRule | None],
    plan: DeltaPlan,
) -> None:
    """Give all kept records of one key the rule `duplicate`, but for the longest."""
    (duplicate,) = (rule for rule in plan.reject_rules if rule.name == DUPLICATE)
    places: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        key = tuple(row[name] for name in plan.duplicate_keys)
        if rules[place] is None and None not in key:
            places[*key, row[ALSO_EQUAL]].append(place)
    for equal in places.values():
        _, *others = sorted(equal, key=lambda place: (_shortness(rows[place]), texts[place]))
        for place in others:
            rules[place] = duplicate


def _shortness(row: Row) -> tuple[Any, ...]:
    """What sorts the longest record first, null after all values."""
    values = [row[name] for name in LONGEST]
    return tuple((value is None, 0 if value is None else -value) for value in values)


def _settled(row: Row) -> Row:
    return row | {name: evaluate(value, row) for name, value in SETTLED_FIELDS.items()}


def _examples(quarantine: Iterable[Quarantined]) -> dict[str, str]:
    """The least example of each label."""
    texts: dict[str, list[str]] = defaultdict(list)
    for item in quarantine:
        texts[item.label].append(item.example)
    return {label: min(found) for label, found in texts.items()}


def _unknown(kept: Sequence[Row]) -> dict[str, Counter[str]]:
    """Records by field and value that no measure knows."""
    return {
        name: Counter(row[name][:UNKNOWN_CHARACTERS] for row in kept if evaluate(is_unknown, row))
        for name, is_unknown in UNKNOWN.items()
    }


def _aggregate(flows: Sequence[Row], plan: DeltaPlan) -> tuple[list[Row], list[Row]]:
    """Delta rows and pair rows, sorted by their keys."""
    groups: dict[GroupKey, list[Row]] = defaultdict(list)
    slice_start = plan.slice_start
    role_views = [(role.name, role.view()) for role in plan.roles]
    for flow in flows:
        start = evaluate(slice_start, flow)
        for role, columns in role_views:
            view = {name: evaluate(value, flow) for name, value in columns.items()}
            groups[start, role, view["host_ip"]].append(view)
    stored = {key: _stored(views, plan) for key, views in sorted(groups.items())}
    _check_overflow(stored, plan)
    delta_columns = plan.delta.columns
    deltas: list[Row] = []
    pairs: list[Row] = []
    for key, views in sorted(groups.items()):
        host_pairs = _pairs(views, plan, key)
        measured = derive_row(stored[key], host_pairs, plan.measures)
        row = {"host_ip": key[2], **_key_columns(plan, key), **measured}
        deltas.append({column.name: row[column.name] for column in delta_columns})
        pairs += host_pairs
    return deltas, pairs


def _stored(views: Sequence[Row], plan: DeltaPlan) -> Row:
    stored: Row = {}
    for measure in plan.stored_sums:
        stored[measure.name] = sum(evaluate(measure.contribution, view) for view in views)
    for distribution in plan.distributions:
        buckets = (evaluate(distribution.bucket, view) for view in views)
        stored[distribution.histogram] = add_histograms(
            [(bucket, 1)] for bucket in buckets if bucket is not None
        )
    return stored


def _check_overflow(stored: Mapping[GroupKey, Row], plan: DeltaPlan) -> None:
    for measure in plan.stored_sums:
        for key, row in stored.items():
            check_int64(measure.name, row[measure.name], overflow_place(*key))


def _pairs(views: Sequence[Row], plan: DeltaPlan, key: GroupKey) -> list[Row]:
    groups: dict[tuple[str, int | None], list[Row]] = defaultdict(list)
    for view in views:
        if evaluate(IS_SESSION, view):
            groups[view["peer_ip"], view["peer_port"]].append(view)
    ordered = sorted(groups.items(), key=lambda item: nulls_first(item[0]))
    return [
        {
            "host_ip": key[2],
            "peer_ip": peer_ip,
            "peer_port": peer_port,
            **_key_columns(plan, key),
            **{
                measure.name: sum(evaluate(measure.contribution, view) for view in members)
                for measure in PAIR_SUMS
            },
            "event_ts": max(view["event_ts"] for view in members),
            **_timing(members, plan, key),
        }
        for (peer_ip, peer_port), members in ordered
    ]


def _timing(sessions: Sequence[Row], plan: DeltaPlan, key: GroupKey) -> Row:
    """The columns of `deltas.timing` for the sessions of a pair."""
    if not plan.timing:
        return {}
    start, role, _ = key
    timed = plan.timed_role
    if timed is None or plan.roles[timed].name != role:
        return dict.fromkeys(column.name for column in TIMING_COLUMNS)
    views = [session | {"slice_start": start} for session in sessions]
    return {
        **{
            one.name: add_histograms([(evaluate(one.bucket, view), 1)] for view in views)
            for one in TIMING_HISTOGRAMS
        },
        **{
            one.name: sum(evaluate(one.contribution, view) for view in views) for one in TIMING_SUMS
        },
    }


def _key_columns(plan: DeltaPlan, key: GroupKey) -> Row:
    start, role, _ = key
    return {
        "slice_start_ts": start,
        "slice_end_ts": evaluate(plan.slice_end, {"slice_start": start}),
        **plan.constants(),
        **partition_of(start),
        "role": role,
    }
