"""A mapping says where each field comes from, and what is wrong with itself."""

from __future__ import annotations

import pytest

from ndr_core.errors import Problem
from ndr_core.flows.formats import FileFormat
from ndr_core.flows.mapping import FieldSource, InputMapping, Pairing
from ndr_core.flows.selection import Condition, Selection
from ndr_core.flows.time_format import TimeFormat, TimePattern
from ndr_core.flows.value_map import ValueMap

REQUIRED = {
    "source_ip": FieldSource(column="src"),
    "destination_ip": FieldSource(column="dst"),
    "event_start": FieldSource(column="ts", format=TimeFormat.EPOCH_S),
}


PLACES = "needs one of column, path, any_of, constant, or a map that names its columns"


def problems(**changes: FieldSource) -> list[Problem]:
    return InputMapping(REQUIRED | changes).problems()


@pytest.mark.parametrize(
    ("mapping", "beyond"),
    [
        (InputMapping(REQUIRED), None),
        (InputMapping(REQUIRED, format=FileFormat.PARQUET), "input.format: parquet"),
        (InputMapping(REQUIRED, pairing=Pairing.BIFLOW), "input.pairing: biflow"),
    ],
)
def test_what_spark_sql_can_not_do_is_told_by_its_key(
    mapping: InputMapping, beyond: str | None
) -> None:
    assert mapping.beyond_sql == beyond


@pytest.mark.parametrize(
    ("time_format", "is_duration", "unit_us"),
    [
        (TimeFormat.ISO8601, False, 0),
        (TimeFormat.EPOCH_S, False, 1_000_000),
        (TimeFormat.EPOCH_MS, False, 1_000),
        (TimeFormat.EPOCH_US, False, 1),
        (TimeFormat.EPOCH_NS, False, 0),
        (TimeFormat.DURATION_NS, True, 0),
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
            Problem(
                "fields.event_name",
                "needs one of column, path, any_of, constant, or a map that names its columns",
            ),
        ),
        (
            "event_name",
            FieldSource(column="a", constant="b"),
            Problem(
                "fields.event_name",
                "needs one of column, path, any_of, constant, or a map that names its columns",
            ),
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
            Problem(
                "fields.event_start.format", "a duration needs event_end as a time, to count from"
            ),
        ),
        (
            "event_name",
            FieldSource(column="n", path=("a", "b")),
            Problem("fields.event_name", PLACES),
        ),
        (
            "event_action",
            FieldSource(column="n", map=ValueMap((), (("a",), ("b",)))),
            Problem("fields.event_action", PLACES),
        ),
        (
            "event_name",
            FieldSource(path=()),
            Problem("fields.event_name", "a path has 1 to 16 names, one has 0"),
        ),
        (
            "event_name",
            FieldSource(any_of=(("a",), ("b",) * 17)),
            Problem("fields.event_name", "a path has 1 to 16 names, one has 17"),
        ),
        (
            "event_name",
            FieldSource("?"),
            Problem("fields.event_name", "replace '?' by the name of a column"),
        ),
        (
            "event_name",
            FieldSource(any_of=(("name",), ("event", "?"))),
            Problem("fields.event_name", "replace '?' by the name of a column"),
        ),
        (
            "event_end",
            FieldSource(column="e", format=TimePattern("%Y-%m")),
            Problem("fields.event_end.format", "'%Y-%m' has no %d: a time needs its day"),
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
        (
            "event_end",
            FieldSource(column="end", format=(TimeFormat.ISO8601, TimePattern("%Y%m%d"))),
        ),
        ("event_name", FieldSource(constant="TRAFFIC")),
        ("event_name", FieldSource(path=("log", "name"))),
        ("event_name", FieldSource(any_of=(("name",), ("log", "name")))),
        ("event_name", FieldSource(map=ValueMap((), (("a",), ("b", "c"))))),
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


def test_a_start_may_be_given_by_the_end_and_a_duration_but_not_both_by_durations() -> None:
    took = FieldSource(column="took", format=TimeFormat.DURATION_S)
    end = FieldSource(column="end", format=TimeFormat.EPOCH_S)

    assert problems(event_start=took, event_end=end) == []
    assert [one.key for one in problems(event_start=took, event_end=took)] == [
        "fields.event_start.format",
        "fields.event_end.format",
    ]


def test_a_duration_of_another_field_is_told_once() -> None:
    assert problems(event_name=FieldSource(column="n", format=TimeFormat.DURATION_S)) == [
        Problem("fields.event_name.format", "is for times only")
    ]


def test_a_time_zone_must_be_known() -> None:
    zone = "Europe/Berln"

    (problem,) = InputMapping(REQUIRED, timezone=zone).problems()

    assert (problem.key, problem.message) == (
        "timezone",
        "unknown time zone 'Europe/Berln', did you mean 'Europe/Berlin'?",
    )
    assert InputMapping(REQUIRED, timezone="Europe/Berlin").problems() == []


def test_all_places_that_are_looked_at_are_given_once() -> None:
    mapping = InputMapping(
        {
            "source_ip": FieldSource(any_of=(("src",), ("id", "orig_h"))),
            "event_action": FieldSource(map=ValueMap((), (("proto",), ("state",)))),
            "network_transport": FieldSource(column="proto"),
            "event_name": FieldSource(constant="TRAFFIC"),
        },
        only=Selection((Condition(("_path",), ("conn",)),)),
    )

    assert mapping.leaves() == (("_path",), ("src",), ("id", "orig_h"), ("proto",), ("state",))


@pytest.mark.parametrize(
    ("start", "end", "keys"),
    [
        ((TimeFormat.ISO8601,), (TimeFormat.ISO8601, TimeFormat.DURATION_S), []),
        ((TimeFormat.DURATION_S, TimeFormat.EPOCH_S), (TimeFormat.EPOCH_S,), []),
        (
            (TimeFormat.DURATION_S, TimeFormat.EPOCH_S),
            (TimeFormat.EPOCH_S, TimeFormat.DURATION_S),
            [],
        ),
        ((TimeFormat.DURATION_S,), (TimeFormat.DURATION_S,), ["event_start", "event_end"]),
        ((TimeFormat.DURATION_S,), (TimeFormat.DURATION_S, TimeFormat.EPOCH_S), ["event_end"]),
    ],
)
def test_one_of_start_and_end_may_be_a_time(
    start: tuple[TimeFormat, ...], end: tuple[TimeFormat, ...], keys: list[str]
) -> None:
    found = problems(
        event_start=FieldSource(column="s", format=start),
        event_end=FieldSource(column="e", format=end),
    )

    assert [problem.key for problem in found] == [f"fields.{key}.format" for key in keys]


def test_formats_are_one_several_or_none() -> None:
    one, two = TimeFormat.ISO8601, TimeFormat.EPOCH_S

    assert FieldSource(column="t", format=None).format == ()
    assert FieldSource(column="t", format=one).format == (one,)
    assert FieldSource(column="t", format=[one, two]).format == (one, two)


@pytest.mark.parametrize(
    ("start_leaves", "end", "may_be"),
    [
        (("took", "written"), FieldSource(column="written", format=TimeFormat.EPOCH_S), True),
        (("took", "begun"), FieldSource(column="written", format=TimeFormat.EPOCH_S), False),
        (("took", "written"), FieldSource(column="written", format=TimeFormat.DURATION_S), False),
        (("took", "written"), None, False),
    ],
)
def test_a_start_may_be_the_end_where_it_is_a_duration_or_else_read_from_the_same_place(
    start_leaves: tuple[str, ...], end: FieldSource | None, may_be: bool
) -> None:
    start = FieldSource(
        any_of=tuple((name,) for name in start_leaves),
        format=(TimeFormat.DURATION_S, TimeFormat.EPOCH_MS),
    )
    ends = {} if end is None else {"event_end": end}

    assert InputMapping({**REQUIRED, "event_start": start, **ends}).start_may_be_end == may_be


def test_a_start_that_is_no_duration_is_never_the_end() -> None:
    end = FieldSource(column="ts", format=TimeFormat.EPOCH_S)

    assert not InputMapping({**REQUIRED, "event_end": end}).start_may_be_end
