"""Each rule that rejects, on both sides of its edge."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import asdict, evolve

from ndr_core.expressions.evaluate import evaluate
from ndr_core.flows.mapping import Lost
from ndr_core.flows.moment import Moment
from ndr_core.flows.record import FlowRecord
from ndr_core.quality.rules import Span, reject_rules
from ndr_core.tables.slices import SliceBounds

QUARTER, HOUR, DAY = (minutes * 60_000_000 for minutes in (15, 60, 1440))
START = 400 * QUARTER
BOUNDS = SliceBounds(START, START + QUARTER)
SPAN = Span(BOUNDS, Moment.EVENT_END, lateness=DAY, earliness=HOUR)
BY_START = evolve(SPAN, moment=Moment.EVENT_START)
NO_SIDE = dict.fromkeys(
    f"{side}_{amount}"
    for side in ("source", "destination")
    for amount in ("bytes", "packets", "port")
)
LOST = Lost("log_status", "SKIPDATA")


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


@pytest.mark.parametrize("span", [None, SPAN, BY_START])
def test_no_rule_applies_to_a_sound_record(span: Span | None) -> None:
    assert rejected_by(row(), span) == []


ALWAYS = [
    "malformed_record",
    "bad_value: source_port",
    "non_traffic",
    "missing_time",
    "malformed_ip: source_ip",
    "malformed_ip: destination_ip",
]
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
    rules = reject_rules(span, deduplicates=deduplicates, readable=["source_port", "source_port"])

    assert [rule.label for rule in rules] == labels
    structural = {rule.name for rule in rules if rule.condition is None}
    assert structural == {"malformed_record", "bad_value"} | {"duplicate"} & set(labels)


def test_each_rule_says_why() -> None:
    rules = reject_rules(SPAN, deduplicates=True, readable=["a", "b"], lost=LOST)

    assert len({rule.why for rule in rules}) == len(rules)
    assert all(rule.why for rule in rules)


@pytest.mark.parametrize("transport", ["TCP", None])
def test_without_bytes_packets_and_ports_of_both_sides_there_was_no_traffic(
    transport: str | None,
) -> None:
    assert rejected_by(row(**NO_SIDE, network_transport=transport)) == ["non_traffic"]


def test_icmp_is_traffic_though_all_is_null() -> None:
    assert rejected_by(row(**NO_SIDE, network_transport="ICMP")) == []


@pytest.mark.parametrize(
    ("status", "labels"),
    [
        ("SKIPDATA", ["non_traffic: lost", "non_traffic"]),
        ("NODATA", ["non_traffic"]),
        (None, ["non_traffic"]),
    ],
)
def test_records_that_tell_of_lost_data_are_counted_apart(
    status: str | None, labels: list[str]
) -> None:
    rules = reject_rules(None, deduplicates=False, lost=LOST)
    status_of = {"key:log_status": status}

    found = [
        rule.label
        for rule in rules
        if rule.condition is not None and evaluate(rule.condition, row(**NO_SIDE) | status_of)
    ]

    assert found == labels
    assert [rule.name for rule in rules if rule.detail == "lost"] == ["non_traffic"]
    traffic = row() | status_of
    assert not any(
        evaluate(rule.condition, traffic) for rule in rules if rule.condition is not None
    )


@pytest.mark.parametrize("name", list(NO_SIDE))
def test_one_amount_or_port_is_traffic_though_it_is_0(name: str) -> None:
    assert rejected_by(row(**{**NO_SIDE, name: 0})) == []


def test_a_record_without_a_start_has_no_slice() -> None:
    assert rejected_by(row(event_start=None)) == ["missing_time"]
    assert rejected_by(row(event_start=0), None) == []


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"source_ip": None}, ["source_ip"]),
        ({"destination_ip": None}, ["destination_ip"]),
        ({"source_ip": None, "destination_ip": None}, ["source_ip", "destination_ip"]),
    ],
)
def test_a_record_needs_the_addresses_of_both_hosts(
    changes: dict[str, Any], fields: list[str]
) -> None:
    assert rejected_by(row(**changes)) == [f"malformed_ip: {name}" for name in fields]


def test_a_rule_about_a_field_names_it() -> None:
    rules = reject_rules(None, deduplicates=True, readable=["event_action"])

    assert {rule.label: rule.field for rule in rules if rule.field is not None} == {
        "bad_value: event_action": "event_action",
        "malformed_ip: source_ip": "source_ip",
        "malformed_ip: destination_ip": "destination_ip",
    }


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
    ("hyphen", "underscore", "is_lost"),
    [
        ("SKIPDATA", None, True),
        (None, "SKIPDATA", True),
        ("NODATA", None, False),
        (None, None, False),
    ],
)
def test_the_column_that_tells_of_lost_data_may_have_another_name(
    hyphen: str | None, underscore: str | None, is_lost: bool
) -> None:
    lost = Lost("log-status", "SKIPDATA", also=("log_status",))
    (rule,) = [
        rule
        for rule in reject_rules(None, deduplicates=False, lost=lost)
        if rule.label == "non_traffic: lost"
    ]
    status_of = {"key:log-status": hyphen, "key:log_status": underscore}

    assert rule.condition is not None
    assert evaluate(rule.condition, row(**NO_SIDE) | status_of) is is_lost
