"""Each rule, on both sides of its edge."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import asdict, evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.expressions.evaluate import evaluate
from ndr_core.flows.moment import Moment
from ndr_core.flows.record import FlowRecord
from ndr_core.quality.rules import (
    MARKS,
    REPAIR_RULES,
    Span,
    marks,
    reject_rules,
    repaired_fields,
)
from ndr_core.tables.slices import SliceBounds

QUARTER, HOUR, DAY = (minutes * 60_000_000 for minutes in (15, 60, 1440))
START = 400 * QUARTER
BOUNDS = SliceBounds(START, START + QUARTER)
SPAN = Span(BOUNDS, Moment.EVENT_END, lateness=DAY, earliness=HOUR)
BY_START = evolve(SPAN, moment=Moment.EVENT_START)
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


def timed(record: dict[str, Any], span: Span | None) -> dict[str, Any]:
    """The record with its moment."""
    moment = Moment.EVENT_END if span is None else span.moment
    return record | {"moment": evaluate(moment.of_flow, record)}


def rejected_by(record: dict[str, Any], span: Span | None = SPAN) -> list[str]:
    """The labels of the rules whose conditions are true."""
    return [
        rule.label
        for rule in reject_rules(span, deduplicates=True)
        if rule.condition is not None and evaluate(rule.condition, timed(record, span)) is True
    ]


def first_that_rejects(record: dict[str, Any], span: Span) -> str | None:
    return next(iter(rejected_by(record, span)), None)


def repaired_by(record: dict[str, Any]) -> list[str]:
    return [rule.name for rule in REPAIR_RULES if evaluate(rule.condition, record) is True]


def repaired(record: dict[str, Any]) -> dict[str, Any]:
    """The record after all rules, one after the other."""
    for rule in REPAIR_RULES:
        if evaluate(rule.condition, record):
            record = record | {name: evaluate(fix, record) for name, fix in rule.fixes.items()}
    return record


@pytest.mark.parametrize("span", [None, SPAN, BY_START])
def test_no_rule_applies_to_a_sound_record(span: Span | None) -> None:
    assert rejected_by(row(), span) == []
    assert repaired_by(row()) == []
    assert repaired(row()) == row()


ALWAYS = ["malformed_record", "bad_value", "non_traffic", "missing_event_start", "malformed_ip"]
OUTSIDE = [
    "out_of_slice: too_early, fits event_start",
    "out_of_slice: too_late",
    "out_of_slice: too_early",
]
OUTSIDE_BY_START = ["out_of_slice: too_late, fits event_end", *OUTSIDE[1:]]


@pytest.mark.parametrize(
    ("span", "deduplicates", "labels"),
    [
        (None, False, ALWAYS),
        (None, True, [*ALWAYS, "duplicate"]),
        (SPAN, False, [*ALWAYS, *OUTSIDE]),
        (SPAN, True, [*ALWAYS, *OUTSIDE, "duplicate"]),
        (BY_START, False, [*ALWAYS, *OUTSIDE_BY_START]),
    ],
)
def test_the_rules_that_reject_have_a_fixed_order(
    span: Span | None, deduplicates: bool, labels: list[str]
) -> None:
    rules = reject_rules(span, deduplicates=deduplicates)

    assert [rule.label for rule in rules] == labels
    structural = {rule.name for rule in rules if rule.condition is None}
    assert structural == {"malformed_record", "bad_value", "duplicate"} & set(labels)


def test_each_rule_says_why() -> None:
    rules: list[Any] = [*reject_rules(SPAN, deduplicates=True), *REPAIR_RULES]

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


@pytest.mark.parametrize("span", [SPAN, BY_START])
@pytest.mark.parametrize(
    ("time", "detail"),
    [
        (BOUNDS.start - DAY - 1, "too_late"),
        (BOUNDS.start - DAY, None),
        (BOUNDS.start - 1, None),
        (BOUNDS.end, None),
        (BOUNDS.end + HOUR - 1, None),
        (BOUNDS.end + HOUR, "too_early"),
    ],
)
def test_a_record_may_lie_outside_of_the_bounds_as_far_as_is_allowed(
    span: Span, time: int, detail: str | None
) -> None:
    record = row(event_start=time, event_end=time)

    expected = None if detail is None else f"out_of_slice: {detail}"
    assert first_that_rejects(record, span) == expected
    assert rejected_by(record, None) == []


def test_a_record_that_would_fit_by_its_other_time_says_so() -> None:
    begins_in = row(event_start=START, event_end=BOUNDS.end + HOUR)
    ends_in = row(event_start=START - DAY - 1, event_end=START)

    assert first_that_rejects(begins_in, SPAN) == "out_of_slice: too_early, fits event_start"
    assert first_that_rejects(begins_in, BY_START) is None
    assert first_that_rejects(ends_in, SPAN) is None
    assert first_that_rejects(ends_in, BY_START) == "out_of_slice: too_late, fits event_end"


def test_a_record_around_the_bounds_fits_by_neither_time() -> None:
    around = row(event_start=START - DAY - 1, event_end=BOUNDS.end + HOUR)

    assert first_that_rejects(around, SPAN) == "out_of_slice: too_early"
    assert first_that_rejects(around, BY_START) == "out_of_slice: too_late"


@pytest.mark.parametrize("event_end", [None, START - DAY - 1])
def test_a_record_without_an_end_after_its_start_fits_by_its_start(event_end: int | None) -> None:
    assert first_that_rejects(row(event_end=event_end), SPAN) is None
    late = row(event_start=START - DAY - 1, event_end=event_end)
    assert first_that_rejects(late, BY_START) == "out_of_slice: too_late"


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


@settings(max_examples=50, deadline=None)
@given(TIMES, TIMES, st.sampled_from(list(Moment)))
def test_no_repair_changes_the_moment(
    event_start: int | None, event_end: int | None, moment: Moment
) -> None:
    record = row(event_start=event_start, event_end=event_end)

    assert evaluate(moment.of_flow, repaired(record)) == evaluate(moment.of_flow, record)
