"""`ndr schema` describes every column of every table."""

from __future__ import annotations

from ndr_core.catalog.schema import describe, markdown
from ndr_core.catalog.tables import feature_tables_of, tables_of
from ndr_core.deltas.tables import PAIR
from ndr_core.flows.record import FLOW_FIELDS
from tests.makers import make_spec

SPEC = make_spec()


def test_every_field_and_every_column_is_described_once() -> None:
    described = describe(SPEC)

    tables = (*tables_of(SPEC), *feature_tables_of(SPEC))
    titles = [f"{table.name.capitalize()} table" for table in tables]
    assert titles == [
        *("Delta table", "Pair table", "Fg_a table", "Beacon table", "Pair_history table"),
        *("Host_peer_history table", "Host_port_history table", "Host_segment_history table"),
        *("Prevalence table", "Pair_tile table", "Summary table", "Summary_rows table"),
        *("Baseline table", "Baseline_rows table", "Fg_c table"),
    ]
    assert list(described) == [
        *("Flow record", *titles, "Histograms", "Histograms of summaries and baselines"),
        "Action classes",
    ]
    assert [row["field"] for row in described["Flow record"]] == [one.name for one in FLOW_FIELDS]
    for title, table in zip(titles, tables, strict=True):
        assert [row["column"] for row in described[title]] == [one.name for one in table.columns]


def test_windows_have_the_columns_of_the_measures_that_a_spec_chooses() -> None:
    chosen = make_spec(delta={"measures": ["allow_cnt"]})

    columns = [row["column"] for row in describe(chosen)["Fg_a table"]]

    assert "allow_cnt" in columns
    assert "drop_cnt" not in columns


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
    tables = (*tables_of(SPEC), *feature_tables_of(SPEC))

    assert all(column.meaning for table in tables for column in table.columns)
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
