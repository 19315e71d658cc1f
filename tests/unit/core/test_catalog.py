"""The catalogue describes every column of every table."""

from __future__ import annotations

from ndr_core.catalog import describe, markdown, tables_of
from ndr_core.deltas.tables import PAIR
from ndr_core.flows.record import FLOW_FIELDS
from tests.makers import make_plan, make_spec

SPEC = make_spec()


def test_the_tables_of_a_spec_are_those_that_its_runs_make() -> None:
    chosen = make_spec(delta={"measures": ["allow_cnt"]})
    untimed = make_spec(pair={"timing": False})

    assert tables_of(SPEC) == make_plan(SPEC).tables
    assert tables_of(chosen) == make_plan(chosen).tables
    assert tables_of(untimed) == make_plan(untimed).tables != tables_of(SPEC)


def test_every_field_and_every_column_is_described_once() -> None:
    described = describe(SPEC)

    delta, pair = tables_of(SPEC)
    assert list(described) == [
        *("Flow record", "Delta table", "Pair table", "Histograms", "Action classes")
    ]
    assert [row["field"] for row in described["Flow record"]] == [one.name for one in FLOW_FIELDS]
    assert [row["column"] for row in described["Delta table"]] == [
        one.name for one in delta.columns
    ]
    assert [row["column"] for row in described["Pair table"]] == [one.name for one in pair.columns]


def test_a_column_is_described_by_type_merge_and_meaning() -> None:
    described = describe(SPEC)

    assert described["Pair table"][-10] == {
        "column": "event_ts",
        "type": "timestamp[us, UTC]",
        "merges by": "maximum",
        "meaning": "latest end of a session, in whole seconds, rounded down",
    }
    assert described["Flow record"][0] == {
        "field": "source_ip",
        "type": "ip",
        "required": "yes",
        "note": "IPv4 or IPv6, canonical text",
    }
    assert described["Flow record"][2]["required"] == ""


def test_a_class_of_actions_is_described_by_its_patterns() -> None:
    described = {row["class"]: row["actions"] for row in describe(SPEC)["Action classes"]}

    assert described["allow"] == "accept*, allow*, pass*, permit*, trust"
    assert list(described) == ["allow", "drop", "alert"]


def test_no_column_is_without_a_meaning() -> None:
    assert all(column.meaning for table in tables_of(SPEC) for column in table.columns)
    assert PAIR in tables_of(SPEC)


def test_descriptions_are_written_as_a_page_with_a_table_each() -> None:
    page = markdown(
        {"A table": [{"column": "a", "meaning": "x | y"}, {"column": "b", "meaning": ""}]}
    )

    assert page == (
        "# Tables\n"
        "\n"
        "Made by `ndr schema --markdown`; do not edit.\n"
        "\n"
        "## A table\n"
        "\n"
        "| column | meaning |\n"
        "| --- | --- |\n"
        "| a | x \\| y |\n"
        "| b |  |\n"
    )


def test_every_column_has_a_line_of_the_page() -> None:
    page = markdown(describe(SPEC))

    lines = [line for line in page.splitlines() if line.startswith("| ")]
    rows = sum(len(rows) for rows in describe(SPEC).values())
    assert len(lines) == rows + 2 * len(describe(SPEC))
