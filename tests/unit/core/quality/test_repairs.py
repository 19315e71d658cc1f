"""Each repair, on both sides of its edge."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import asdict
from hypothesis import given
from hypothesis import strategies as st

from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import Expr, operands
from ndr_core.flows.moment import Moment
from ndr_core.flows.record import FlowRecord
from ndr_core.int64 import is_int64
from ndr_core.quality.repairs import (
    END_KNOWN,
    MARKS,
    REPAIR_RULES,
    SETTLED_FIELDS,
    mark_column,
    marks,
    repaired_fields,
)
from ndr_core.tables.slices import SliceBounds

QUARTER = 15 * 60_000_000
START = 400 * QUARTER
BOUNDS = SliceBounds(START, START + QUARTER)
MOST, LEAST = (1 << 63) - 1, -(1 << 63)
MIB = 1 << 20
AMOUNTS = (
    *("source_bytes", "destination_bytes", "source_packets", "destination_packets"),
    *("source_ip_bytes", "destination_ip_bytes", "missed_bytes"),
)
PORTS = ("source_port", "destination_port")


def row(**changes: Any) -> dict[str, Any]:
    """A record that no rule applies to, changed."""
    record = FlowRecord(
        "10.0.0.1",
        "192.0.2.7",
        event_start=START,
        event_end=START + 1,
        source_port=50000,
        destination_port=443,
        source_bytes=100,
        destination_bytes=0,
    )
    return asdict(record) | changes


def applied(record: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The record after all rules, one after the other, and those that changed it."""
    names = []
    for rule in REPAIR_RULES:
        if evaluate(rule.condition, record):
            names.append(rule.name)
            record = record | {name: evaluate(fix, record) for name, fix in rule.fixes.items()}
    return record, names


def repaired(record: dict[str, Any]) -> dict[str, Any]:
    return applied(record)[0]


def repaired_by(record: dict[str, Any]) -> list[str]:
    return applied(record)[1]


def test_no_rule_applies_to_a_sound_record() -> None:
    assert repaired_by(row()) == []
    assert repaired(row()) == row()


@pytest.mark.parametrize(
    ("moment", "marked"),
    [
        (BOUNDS.start - 1, {"late"}),
        (BOUNDS.start, set()),
        (BOUNDS.end - 1, set()),
        (BOUNDS.end, {"early"}),
    ],
)
def test_kept_records_before_and_after_the_bounds_are_late_and_early(
    moment: int, marked: set[str]
) -> None:
    record = row() | {"moment": moment}

    def found(bounds: SliceBounds | None) -> set[str]:
        return {name for name, mark in marks(bounds).items() if evaluate(mark, record) is True}

    assert found(BOUNDS) == marked
    assert found(None) == set()


def test_marks_are_the_repairs_and_whether_a_record_is_late_or_early() -> None:
    assert tuple(marks(None)) == tuple(marks(BOUNDS)) == MARKS
    assert (*(rule.name for rule in REPAIR_RULES), "late", "early") == MARKS


@pytest.mark.parametrize("name", AMOUNTS)
@pytest.mark.parametrize(
    ("value", "after"), [(-1, None), (LEAST, None), (0, 0), (MOST, MOST), (None, None)]
)
def test_a_negative_count_of_bytes_or_packets_becomes_null(
    name: str, value: int | None, after: int | None
) -> None:
    record = row(**{name: value})

    assert repaired(record) == row(**{name: after})
    assert repaired_by(record) == ([] if value == after else ["negative_bytes"])


@pytest.mark.parametrize("name", ["source_port", "destination_port"])
@pytest.mark.parametrize(
    ("value", "after"),
    [
        (-1, None),
        (0, 0),
        (65535, 65535),
        (65536, None),
        (MOST, None),
        (LEAST, None),
        (None, None),
    ],
)
def test_a_port_outside_its_range_becomes_null(
    name: str, value: int | None, after: int | None
) -> None:
    record = row(**{name: value})

    assert repaired(record) == row(**{name: after})
    assert repaired_by(record) == ([] if value == after else ["invalid_port"])


@pytest.mark.parametrize(
    ("one", "other", "rule"),
    [
        ("source_bytes", "destination_bytes", "negative_bytes"),
        ("source_port", "destination_port", "invalid_port"),
    ],
)
def test_both_sides_are_repaired_by_one_rule_where_both_are_wrong(
    one: str, other: str, rule: str
) -> None:
    record = row(**{one: -1, other: -2})

    assert repaired_by(record) == [rule]
    assert repaired(record) == row(**{one: None, other: None})


def test_a_null_on_one_side_hides_nothing_on_the_other() -> None:
    assert repaired_by(row(source_bytes=None, destination_bytes=-1)) == ["negative_bytes"]
    assert repaired_by(row(source_bytes=-1, destination_bytes=None)) == ["negative_bytes"]
    assert repaired_by(row(source_port=None, destination_port=65536)) == ["invalid_port"]
    assert repaired_by(row(source_port=65536, destination_port=None)) == ["invalid_port"]


@pytest.mark.parametrize(
    ("event_end", "after", "rules"),
    [
        (START - 1, START, ["negative_duration"]),
        (START, START, []),
        (START + 1, START + 1, []),
        (None, START, ["missing_end"]),
    ],
)
def test_an_end_before_the_start_or_without_a_time_becomes_the_start(
    event_end: int | None, after: int, rules: list[str]
) -> None:
    record = row(event_end=event_end)

    assert repaired_by(record) == rules
    assert repaired(record) == row(event_end=after)


def test_repairs_have_a_fixed_order() -> None:
    assert [rule.name for rule in REPAIR_RULES] == [
        "negative_bytes",
        "invalid_port",
        "implausible_bytes",
        "negative_duration",
        "missing_end",
    ]


EDGES = (0, 1, 80, 99, 100, 101, MIB, 100 * MIB, 1 << 40, 1 << 62, MOST)
NUMBERS = st.one_of(
    st.none(),
    st.sampled_from([LEAST, -1]),
    st.builds(
        lambda edge, by: min(max(edge + by, LEAST), MOST),
        st.sampled_from(EDGES),
        st.sampled_from((-MIB - 1, -MIB, -100, -1, 0, 1, 100, MIB, MIB + 1)),
    ),
    st.integers(0, MOST),
)
TIMES = st.sampled_from([None, 0, START - 1, START, START + 1])
RECORDS = st.fixed_dictionaries(
    {
        **dict.fromkeys((*AMOUNTS, *PORTS), NUMBERS),
        "event_start": TIMES.filter(lambda time: time is not None),
        "event_end": TIMES,
    }
).map(lambda changes: row(**changes))


@given(RECORDS)
def test_all_repairs_at_once_are_those_one_after_the_other(record: dict[str, Any]) -> None:
    at_once = record | {name: evaluate(fix, record) for name, fix in repaired_fields().items()}
    marked = [name for name, mark in marks(None).items() if evaluate(mark, record)]

    assert (at_once, marked) == applied(record)
    assert repaired_by(at_once) == []


def is_implausible(record: dict[str, Any], side: str) -> bool:
    """What the rule means, in integers without bounds: its words, one after the other."""
    known = [record[f"{one}_ip_bytes"] for one in ("source", "destination")]
    known = [value for value in known if value is not None]
    sent, of_packets, missed = (
        record[name] for name in (f"{side}_bytes", f"{side}_ip_bytes", "missed_bytes")
    )
    if sent is None or of_packets is None:
        return False
    if missed is None or (missed > MIB and missed // 100 > max(known)):
        missed = 0
    return bool(sent - of_packets - missed > MIB and sent // 100 > of_packets)


@given(RECORDS)
def test_bytes_that_can_not_be_are_found_by_integers_without_bounds(record: dict[str, Any]) -> None:
    without = record | {
        name: None for name in AMOUNTS if record[name] is not None and record[name] < 0
    }
    expected = {
        f"{side}_bytes": None if is_implausible(without, side) else without[f"{side}_bytes"]
        for side in ("source", "destination")
    }

    assert repaired(record).items() >= expected.items()
    assert ("implausible_bytes" in repaired_by(record)) == any(
        is_implausible(without, side) for side in ("source", "destination")
    )


def parts_of(expr: Expr) -> list[Expr]:
    return [expr, *(part for operand in operands(expr) for part in parts_of(operand))]


ALL_PARTS = {
    part
    for expr in (*repaired_fields().values(), *marks(BOUNDS).values())
    for part in parts_of(expr)
}


@given(RECORDS)
def test_no_step_of_a_repair_leaves_int64(record: dict[str, Any]) -> None:
    values = [evaluate(part, record | {"moment": START}) for part in ALL_PARTS]

    assert all(value is None or is_int64(value) for value in values)


@pytest.mark.parametrize(
    ("changes", "after"),
    [
        # A reset that came late: gigabytes in two packets.
        ({"destination_bytes": 1_715_022_185, "destination_ip_bytes": 80}, None),
        ({"destination_bytes": 1_715_022_185, "destination_ip_bytes": 80, "missed_bytes": 0}, None),
        (
            {
                "destination_bytes": 1_715_022_185,
                "destination_ip_bytes": 80,
                "source_ip_bytes": 40,
                "missed_bytes": 1_715_022_185,
            },
            None,
        ),
        # Without their packets bytes can't be judged.
        ({"destination_bytes": 1_715_022_185}, 1_715_022_185),
        # A capture that lost packets.
        ({"destination_bytes": 5 * MIB, "destination_ip_bytes": MIB}, 5 * MIB),
        (
            {"destination_bytes": 5 * MIB, "destination_ip_bytes": 900, "missed_bytes": 5 * MIB},
            None,
        ),
        (
            {
                "destination_bytes": 5 * MIB,
                "destination_ip_bytes": 900,
                "source_ip_bytes": MIB,
                "missed_bytes": 5 * MIB,
            },
            5 * MIB,
        ),
        # On each edge.
        ({"destination_bytes": 80 + MIB, "destination_ip_bytes": 80}, 80 + MIB),
        ({"destination_bytes": 81 + MIB, "destination_ip_bytes": 80}, None),
        ({"destination_bytes": 200 * MIB + 99, "destination_ip_bytes": 2 * MIB}, 200 * MIB + 99),
        ({"destination_bytes": 200 * MIB + 100, "destination_ip_bytes": 2 * MIB}, None),
    ],
)
def test_bytes_far_above_those_of_their_packets_become_null(
    changes: dict[str, Any], after: int | None
) -> None:
    assert repaired(row(**changes))["destination_bytes"] == after
    mirrored = {
        name.replace("destination_", "swap_")
        .replace("source_", "destination_")
        .replace("swap_", "source_"): value
        for name, value in changes.items()
    }
    assert repaired(row(**mirrored))["source_bytes"] == after


def test_the_end_of_a_record_is_known_unless_it_was_repaired() -> None:
    for event_end, known in ((START, True), (START + 5, True), (START - 1, False), (None, False)):
        record = row(event_end=event_end)
        marked = {mark_column(name): evaluate(one, record) for name, one in marks(None).items()}

        assert evaluate(END_KNOWN, marked) is known


@pytest.mark.parametrize(("transport", "port"), [("ICMP", None), ("TCP", 135), (None, 135)])
def test_the_type_and_code_of_icmp_are_no_ports(transport: str | None, port: int | None) -> None:
    record = row(network_transport=transport, source_port=135, destination_port=135)

    settled = {name: evaluate(value, record) for name, value in SETTLED_FIELDS.items()}

    assert settled == {"source_port": port, "destination_port": port}


def test_each_repair_says_why() -> None:
    assert len({rule.why for rule in REPAIR_RULES}) == len(REPAIR_RULES)


def test_only_fields_that_some_rule_changes_are_repaired() -> None:
    assert set(repaired_fields()) == {*AMOUNTS, *PORTS, "event_end"}


@given(TIMES, TIMES, st.sampled_from(list(Moment)))
def test_no_repair_changes_the_moment(
    event_start: int | None, event_end: int | None, moment: Moment
) -> None:
    record = row(event_start=event_start, event_end=event_end)

    assert evaluate(moment.of_flow, repaired(record)) == evaluate(moment.of_flow, record)
