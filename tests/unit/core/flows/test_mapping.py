"""A mapping says where each field comes from, and what is wrong with itself."""

from __future__ import annotations

import pytest

from ndr_core.errors import Problem
from ndr_core.flows.mapping import FieldSource, InputMapping, TimeFormat

REQUIRED = {
    "source_ip": FieldSource(column="src"),
    "destination_ip": FieldSource(column="dst"),
    "event_start": FieldSource(column="ts", format=TimeFormat.EPOCH_S),
}


def problems(**changes: FieldSource) -> list[Problem]:
    return InputMapping(REQUIRED | changes).problems()


@pytest.mark.parametrize(
    ("time_format", "is_duration", "unit_us"),
    [
        (TimeFormat.ISO8601, False, 0),
        (TimeFormat.EPOCH_S, False, 1_000_000),
        (TimeFormat.EPOCH_MS, False, 1_000),
        (TimeFormat.EPOCH_US, False, 1),
        (TimeFormat.DURATION_S, True, 1_000_000),
        (TimeFormat.DURATION_MS, True, 1_000),
        (TimeFormat.DURATION_US, True, 1),
    ],
)
def test_a_time_format_has_a_unit_and_is_a_duration_or_not(
    time_format: TimeFormat, is_duration: bool, unit_us: int
) -> None:
    assert (time_format.is_duration, time_format.unit_us) == (is_duration, unit_us)


def test_fields_with_a_column_are_bound_in_canonical_order() -> None:
    mapping = InputMapping(
        {
            "event_name": FieldSource(constant="TRAFFIC"),
            "event_start": FieldSource(column="ts", format=TimeFormat.EPOCH_S),
            "source_ip": FieldSource(column="src"),
        }
    )

    bound = [(field.name, source.column) for field, source in mapping.bound_fields()]

    assert bound == [("source_ip", "src"), ("event_start", "ts")]


def test_constants_are_the_fields_without_a_column() -> None:
    mapping = InputMapping(
        {"event_name": FieldSource(constant=""), "source_ip": FieldSource(column="src")}
    )

    assert mapping.constants() == {"event_name": ""}


def test_a_mapping_of_the_required_fields_is_enough() -> None:
    assert problems() == []


@pytest.mark.parametrize("name", list(REQUIRED))
def test_a_required_field_must_be_there(name: str) -> None:
    mapping = InputMapping({key: source for key, source in REQUIRED.items() if key != name})

    assert mapping.problems() == [
        Problem(f"fields.{name}", "is required: no delta can be built without it")
    ]


@pytest.mark.parametrize(
    ("name", "source", "problem"),
    [
        (
            "source_prot",
            FieldSource(column="p"),
            Problem("fields.source_prot", "unknown field, did you mean 'source_port'?"),
        ),
        (
            "event_name",
            FieldSource(),
            Problem("fields.event_name", "needs either a column or a constant"),
        ),
        (
            "event_name",
            FieldSource(column="a", constant="b"),
            Problem("fields.event_name", "needs either a column or a constant"),
        ),
        (
            "source_port",
            FieldSource(constant="443"),
            Problem("fields.source_port", "a constant is for text fields only"),
        ),
        (
            "source_port",
            FieldSource(column="p", map={"http": "80"}),
            Problem("fields.source_port.map", "a value map is for text fields only"),
        ),
        (
            "event_end",
            FieldSource(column="end"),
            Problem("fields.event_end.format", "is required for a time, e.g. iso8601 or epoch_s"),
        ),
        (
            "event_start",
            FieldSource(column="d", format=TimeFormat.DURATION_S),
            Problem("fields.event_start.format", "a duration can only stand for event_end"),
        ),
        (
            "event_name",
            FieldSource(column="n", format=TimeFormat.ISO8601),
            Problem("fields.event_name.format", "is for times only"),
        ),
    ],
)
def test_what_is_wrong_with_a_source_is_named_by_its_key(
    name: str, source: FieldSource, problem: Problem
) -> None:
    assert problems(**{name: source}) == [problem]


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("event_end", FieldSource(column="d", format=TimeFormat.DURATION_MS)),
        ("event_end", FieldSource(column="end", format=TimeFormat.ISO8601)),
        ("event_name", FieldSource(constant="TRAFFIC")),
        ("event_name", FieldSource(column="n", map={"t": "TRAFFIC"}, optional=True)),
    ],
)
def test_what_a_source_may_be(name: str, source: FieldSource) -> None:
    assert problems(**{name: source}) == []


def test_every_problem_is_listed() -> None:
    mapping = InputMapping({"event_start": FieldSource(constant="now")})

    assert [problem.key for problem in mapping.problems()] == [
        "fields.source_ip",
        "fields.destination_ip",
        "fields.event_start",
        "fields.event_start.format",
    ]
