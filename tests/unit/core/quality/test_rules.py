"""Each rule, on both sides of its edge."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import asdict
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.expressions.evaluate import evaluate
from ndr_core.flows.record import FlowRecord
from ndr_core.quality.rules import REPAIR_RULES, reject_rules, repaired_fields
from ndr_core.tables.slices import SLICE_US, SliceBounds

START = 40 * SLICE_US
BOUNDS = SliceBounds(START, START + SLICE_US)
NO_SIDE = dict.fromkeys(("source_bytes", "destination_bytes", "source_port", "destination_port"))
MOST, LEAST = (1 << 63) - 1, -(1 << 63)


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


def rejected_by(record: dict[str, Any], bounds: SliceBounds | None = BOUNDS) -> list[str]:
    """The rules whose conditions are true."""
    return [
        rule.name
        for rule in reject_rules(bounds, deduplicates=True)
        if rule.condition is not None and evaluate(rule.condition, record) is True
    ]


def repaired_by(record: dict[str, Any]) -> list[str]:
    return [rule.name for rule in REPAIR_RULES if evaluate(rule.condition, record) is True]


def repaired(record: dict[str, Any]) -> dict[str, Any]:
    """The record after all rules, one after the other."""
    for rule in REPAIR_RULES:
        if evaluate(rule.condition, record):
            record = record | {name: evaluate(fix, record) for name, fix in rule.fixes.items()}
    return record


@pytest.mark.parametrize("bounds", [None, BOUNDS])
def test_no_rule_applies_to_a_sound_record(bounds: SliceBounds | None) -> None:
    assert rejected_by(row(), bounds) == []
    assert repaired_by(row()) == []
    assert repaired(row()) == row()


ALWAYS = ["malformed_json", "non_traffic", "missing_event_start", "malformed_ip"]


@pytest.mark.parametrize(
    ("bounds", "deduplicates", "names"),
    [
        (None, False, ALWAYS),
        (None, True, [*ALWAYS, "duplicate"]),
        (BOUNDS, False, [*ALWAYS, "out_of_slice"]),
        (BOUNDS, True, [*ALWAYS, "out_of_slice", "duplicate"]),
    ],
)
def test_the_rules_that_reject_have_a_fixed_order(
    bounds: SliceBounds | None, deduplicates: bool, names: list[str]
) -> None:
    rules = reject_rules(bounds, deduplicates=deduplicates)

    assert [rule.name for rule in rules] == names
    structural = {rule.name for rule in rules if rule.condition is None}
    assert structural == {"malformed_json", "duplicate"} & set(names)


def test_each_rule_says_why() -> None:
    rules: list[Any] = [*reject_rules(BOUNDS, deduplicates=True), *REPAIR_RULES]

    assert len({rule.why for rule in rules}) == len(rules)
    assert all(rule.why for rule in rules)


def test_without_bytes_and_ports_of_both_sides_there_was_no_traffic() -> None:
    assert rejected_by(row(**NO_SIDE)) == ["non_traffic"]


@pytest.mark.parametrize("name", list(NO_SIDE))
def test_one_count_or_port_is_traffic_though_it_is_0(name: str) -> None:
    assert rejected_by(row(**{**NO_SIDE, name: 0})) == []


def test_a_record_without_a_start_has_no_slice() -> None:
    assert rejected_by(row(event_start=None)) == ["missing_event_start"]
    assert rejected_by(row(event_start=0), None) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"source_ip": None},
        {"destination_ip": None},
        {"source_ip": None, "destination_ip": None},
    ],
)
def test_a_record_needs_the_addresses_of_both_hosts(changes: dict[str, Any]) -> None:
    assert rejected_by(row(**changes)) == ["malformed_ip"]


@pytest.mark.parametrize(
    ("event_start", "outside"),
    [
        (0, True),
        (BOUNDS.start - 1, True),
        (BOUNDS.start, False),
        (BOUNDS.end - 1, False),
        (BOUNDS.end, True),
        (BOUNDS.end + 1, True),
    ],
)
def test_a_slice_holds_its_start_and_not_its_end(event_start: int, outside: bool) -> None:
    record = row(event_start=event_start)

    assert rejected_by(record) == (["out_of_slice"] if outside else [])
    assert rejected_by(record, None) == []


def test_the_end_of_a_record_may_lie_outside_its_slice() -> None:
    assert rejected_by(row(event_end=BOUNDS.end + 1)) == []


@pytest.mark.parametrize("name", ["source_bytes", "destination_bytes"])
@pytest.mark.parametrize(
    ("value", "after"), [(-1, None), (LEAST, None), (0, 0), (MOST, MOST), (None, None)]
)
def test_a_negative_count_of_bytes_becomes_null(
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
        "negative_duration",
        "missing_end",
    ]


NUMBERS = st.sampled_from([None, LEAST, -1, 0, 1, 65535, 65536, MOST])
TIMES = st.sampled_from([None, 0, START - 1, START, START + 1])


@settings(max_examples=50, deadline=None)
@given(
    st.fixed_dictionaries(
        {
            **dict.fromkeys(NO_SIDE, NUMBERS),
            "event_start": TIMES.filter(lambda time: time is not None),
            "event_end": TIMES,
        }
    )
)
def test_all_repairs_at_once_are_those_one_after_the_other(changes: dict[str, Any]) -> None:
    record = row(**changes)

    at_once = record | {name: evaluate(fix, record) for name, fix in repaired_fields().items()}

    assert at_once == repaired(record)
    assert repaired_by(at_once) == []


def test_only_fields_that_some_rule_changes_are_repaired() -> None:
    assert set(repaired_fields()) == {*NO_SIDE, "event_end"}
