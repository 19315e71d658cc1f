"""The catalogue says of each column meaning, formula, unit, type, inputs, and where it is null."""

from __future__ import annotations

from typing import Any

import pytest

from ndr_core.baselines.metrics import METRICS
from ndr_core.baselines.tables import BASELINE
from ndr_core.catalog.entries import Entry, TableEntries, entries_of
from ndr_core.catalog.tables import feature_tables_of, tables_of
from ndr_core.correlations.formulas import ANOMALY_METRICS, anomaly_strength
from ndr_core.correlations.tables import fg_c_table
from ndr_core.expressions.spell import spell
from ndr_core.flows.record import FLOW_FIELDS
from ndr_core.tables.columns import ColumnType, Merge, OutputColumn, key_column
from ndr_core.tables.origin import FOLDER, KEY, Origin
from ndr_core.tables.slices import DAY_COLUMNS, DAY_LEVELS
from ndr_core.tables.table import Table
from ndr_core.tables.units import UNITS
from ndr_core.windows.formulas import FORMULAS
from ndr_core.windows.novelty import RARITY_BITS
from tests.makers import make_spec

SPEC = make_spec()
TABLES = {table.name: table for table in (*tables_of(SPEC), *feature_tables_of(SPEC))}
ENTRIES = entries_of(TABLES.values())
ALL = [(name, entry) for name, one in ENTRIES.items() for entry in (*one.columns, *one.numbers)]


def entry_of(table: str, name: str) -> Entry:
    found = {one.name: one for one in (*ENTRIES[table].columns, *ENTRIES[table].numbers)}
    return found[name]


@pytest.mark.parametrize("name", list(TABLES))
def test_each_column_of_a_table_has_an_entry_in_its_place(name: str) -> None:
    table, entries = TABLES[name], ENTRIES[name]

    assert [one.name for one in entries.columns] == [one.name for one in table.columns]
    assert [one.type for one in entries.columns] == [one.type.value for one in table.columns]
    assert entries.table == name
    assert entries.keys == table.keys


@pytest.mark.parametrize(("table", "entry"), ALL, ids=lambda one: getattr(one, "name", one))
def test_an_entry_leaves_nothing_out(table: str, entry: Entry) -> None:
    assert entry.meaning
    assert entry.formula
    assert entry.unit in UNITS
    assert "None" not in entry.formula + entry.null, table


@pytest.mark.parametrize(("table", "entry"), ALL, ids=lambda one: getattr(one, "name", one))
def test_what_an_entry_is_made_of_is_in_the_catalogue(table: str, entry: Entry) -> None:
    own = {one.name for one in (*ENTRIES[table].columns, *ENTRIES[table].numbers)}
    records = {
        *(flow_field.name for flow_field in FLOW_FIELDS),
        *("is_session", "bytes_sent", "bytes_recv", "packets_sent", "packets_recv", "duration_us"),
        *("reply", "end_known", "peer_port", "minute", "slice_start"),
    }

    for name in entry.inputs:
        other, _, column = name.partition(".")
        if other == "record":
            assert column in records
        elif other in ENTRIES:
            assert column in {one.name for one in ENTRIES[other].columns}, name
        else:
            assert name in {*own, "exfil.min_bytes", "fg_a: the columns of the metric"}


def test_a_formula_is_spelled_from_its_expression() -> None:
    for formula in FORMULAS:
        assert entry_of("fg_a", formula.name).formula == spell(formula.value)
    strength = entry_of("fg_c", "anomaly_strength").formula
    assert strength.startswith(f"{spell(anomaly_strength(ANOMALY_METRICS))}; ")


@pytest.mark.parametrize(
    ("table", "column", "said"),
    [
        ("fg_a", "host_ip", (KEY, (), "")),
        ("fg_a", "dt", (FOLDER, (), "")),
        ("pair", "peer_port", (KEY, (), "where the port is not known")),
        (
            "delta",
            "rst_cnt",
            (
                "sum over the records of 1 if is_session and event_reason starts with 'tcp-rst', else 0",
                ("record.event_reason", "record.is_session"),
                "",
            ),
        ),
        ("fg_a", "rst_cnt", ("sum over the slices of the window", ("delta.rst_cnt",), "")),
        (
            "fg_a",
            "bytes_sent_p95",
            (
                "bucket_middle(bucket), bucket: that of bytes_sent_hist with rank ceil(95 / 100 n) of n sessions",
                ("delta.bytes_sent_hist",),
                "without a session of which the value is known",
            ),
        ),
        (
            "fg_a",
            "drop_ratio",
            (
                "drop_cnt / sessions_cnt if sessions_cnt > 0, else null",
                ("drop_cnt", "sessions_cnt"),
                "where sessions_cnt <= 0",
            ),
        ),
        (
            "fg_a",
            "new_port_cnt",
            (
                "novelty:new_ports if history_days >= 7, else null",
                ("history_days", "novelty:new_ports"),
                "where history_days < 7; history_days is null",
            ),
        ),
        (
            "fg_a",
            "lateral_score",
            (
                "new_admin_peer_cnt / (new_admin_peer_cnt + 3)",
                ("new_admin_peer_cnt",),
                "where new_admin_peer_cnt is null",
            ),
        ),
        ("baseline", "iqr", ("p75 - p25", ("p25", "p75"), "where p25 is null")),
        (
            "fg_c",
            "drop_ratio_ratio",
            (
                "x / median if median > 0, else null; "
                "x = drop_cnt * 1000 // sessions_cnt if sessions_cnt > 0, else null",
                ("fg_a.drop_cnt", "fg_a.sessions_cnt", "baseline.median"),
                "where median <= 0; drop_ratio_scope is null; x is null",
            ),
        ),
        (
            "fg_c",
            "new_port_cnt_z",
            (
                "null if scan_score >= 0.5, else (x - median) / "
                "max(max(max(mad * 1.4826, iqr * 0.7413), median * 0.05), 1); x = new_port_cnt",
                (
                    *("fg_a.new_port_cnt", "scan_score"),
                    *("baseline.median", "baseline.mad", "baseline.iqr"),
                ),
                "where scan_score >= 0.5; x is null; new_port_cnt_scope is null",
            ),
        ),
    ],
)
def test_a_column_is_described_by_formula_inputs_and_nulls(
    table: str, column: str, said: tuple[Any, ...]
) -> None:
    entry = entry_of(table, column)

    assert (entry.formula, entry.inputs, entry.null) == said


def test_a_score_of_several_metrics_is_null_where_all_of_them_are() -> None:
    null = entry_of("fg_c", "anomaly_strength").null

    assert null == "where " + " and ".join(f"{name}_upper_z is null" for name in ANOMALY_METRICS)


def test_a_formula_may_read_columns_of_another_table() -> None:
    assert entry_of("fg_c", "exfil_score").null == (
        "where fg_a.ext_bytes_sent_sum >= exfil.min_bytes and ext_bytes_sent_sum_z is null"
    )


def test_packets_are_null_where_a_slice_has_none_that_are_known() -> None:
    untold = entries_of(tables_of(make_spec(input={"preset": "fortigate"})))
    told = ENTRIES["delta"]

    assert entry_of("fg_a", "packets_sent_sum").null == "where it is null in a slice"
    assert {one.null for one in told.columns if one.name == "packets_sent_sum"} == {
        "where the source tells the packets of no side"
    }
    assert untold.keys() == {"delta", "pair"}


def test_the_rarity_of_a_pair_is_said_as_it_is_computed() -> None:
    assert spell(RARITY_BITS) in entry_of("fg_a", "novelty:rarity_max").formula


def test_numbers_are_those_that_formulas_read_and_no_column_holds() -> None:
    assert [one.name for one in ENTRIES["baseline"].numbers] == []
    assert {one.name for one in ENTRIES["fg_c"].numbers} == {
        *("x", "n", "median", "p99", "mad", "iqr", "n_ge")
    }
    assert "novelty:new_ports" in {one.name for one in ENTRIES["fg_a"].numbers}


def test_columns_of_metrics_are_listed_one_by_one() -> None:
    names = [one.name for one in ENTRIES["fg_c"].columns]

    assert len(fg_c_table(METRICS).columns) == len(names)
    assert "long_pair_seconds_max_excess_p99" in names


def test_a_table_is_plain_data() -> None:
    plain = ENTRIES["baseline"].plain()

    assert plain["keys"] == BASELINE.keys
    assert next(iter(plain["columns"])) == {  # type: ignore[call-overload]
        "name": "scope",
        "type": "string",
        "unit": "text",
        "meaning": "whose baseline it is: host, segment or network",
        "formula": KEY,
        "inputs": (),
        "null": "",
    }


def made_of(*columns: OutputColumn) -> TableEntries:
    host = key_column("host", ColumnType.STRING, "the host")
    table = Table("any", ("host",), (host, *columns, *DAY_COLUMNS), DAY_LEVELS)
    return entries_of([table])["any"]


def test_a_column_whose_null_rule_is_said_keeps_it() -> None:
    origin = Origin("count", "as it comes", ("host",), "on Sundays", note="or later")

    made = made_of(OutputColumn("a", ColumnType.INT64, Merge.NEVER, "any", origin))

    assert made.columns[1] == Entry(
        "a", "int64", "count", "any", "as it comes; or later", ("host",), "on Sundays"
    )
