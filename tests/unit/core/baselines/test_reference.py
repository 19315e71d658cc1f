"""Summaries and baselines in plain Python, by cases that were worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from ndr_core.baselines.metrics import Unit
from ndr_core.baselines.readout import Z
from ndr_core.baselines.reference import summary_tables
from ndr_core.baselines.rows import SummaryRows
from ndr_core.baselines.tables import BASELINE, BASELINE_ROWS, SUMMARY, SUMMARY_ROWS
from ndr_core.errors import NdrError
from ndr_core.expressions.evaluate import evaluate
from ndr_core.tables.merge import Row
from tests.baseline_cases import (
    BASELINE_CASES,
    EVERY_COLUMN,
    EVERY_COLUMN_OF_A_SUMMARY,
    HOST,
    OTHER_HOST,
    SUMMARY_CASES,
    TEN_FOR_SEVEN_DAYS,
    BaselineCase,
    SummaryCase,
    cells_of,
    summary_plan,
    summed,
    together,
    window,
)
from tests.window_cases import DAY

AT_WORK = ("wd_work", "w_1h")


@pytest.mark.parametrize("case", SUMMARY_CASES, ids=lambda case: case.name)
def test_a_summary_is_what_was_worked_out_by_hand(case: SummaryCase) -> None:
    built = case.build()

    assert built == {"summary": case.summary, "summary_rows": case.summary_rows}


@pytest.mark.parametrize("case", BASELINE_CASES, ids=lambda case: case.name)
def test_baselines_hold_what_was_worked_out_by_hand(case: BaselineCase) -> None:
    built = case.build()

    case.check(built["baseline"], built["baseline_rows"])


@pytest.mark.parametrize("case", BASELINE_CASES, ids=lambda case: case.name)
def test_yesterdays_baselines_and_a_date_in_and_out_are_those_of_all_dates(
    case: BaselineCase,
) -> None:
    assert case.build_on() == case.build()


def test_every_column_has_a_value_worked_out_by_hand() -> None:
    row, *_ = EVERY_COLUMN.baseline_rows.values()
    of_metric, *_ = EVERY_COLUMN.baseline.values()

    by_hand = {
        SUMMARY: EVERY_COLUMN_OF_A_SUMMARY.summary[0],
        SUMMARY_ROWS: EVERY_COLUMN_OF_A_SUMMARY.summary_rows[0],
        BASELINE: of_metric,
        BASELINE_ROWS: row,
    }

    for table, columns in by_hand.items():
        assert set(columns) == {column.name for column in table.columns}


def test_rows_have_the_columns_of_their_tables_and_are_sorted_by_their_keys() -> None:
    built = {**EVERY_COLUMN_OF_A_SUMMARY.build(), **EVERY_COLUMN.build()}

    for table in (SUMMARY, SUMMARY_ROWS, BASELINE, BASELINE_ROWS):
        rows = built[table.name]
        assert {tuple(row) for row in rows} == {tuple(column.name for column in table.columns)}
        assert [table.key_of(row) for row in rows] == sorted(map(table.key_of, rows))


def test_a_hundred_after_seven_days_of_ten_lies_90_scales_above_what_is_usual() -> None:
    (row,) = (row for row in TEN_FOR_SEVEN_DAYS.build()["baseline"] if row["scope"] == "host")

    assert evaluate(Z[Unit.COUNT], row | {"x": 100}) == 90.0


def test_a_column_that_the_windows_lack_is_unknown() -> None:
    row = window("2025-03-03T11:00", sessions_cnt=3, drop_cnt=1)
    del row["new_peer_cnt"], row["duration_us_sum"]

    built = summary_tables(summary_plan("2025-03-03"), SummaryRows([row]))

    found = {row["metric"]: row["included"] for row in built["summary"]}
    assert found == {
        "sessions_cnt": ((3, 1),),
        "drop_ratio": ((333, 1),),
        "new_peer_cnt": ((-1, 1),),
    }


def test_inbound_windows_and_those_of_less_than_a_day_have_no_cells_of_what_they_never_have() -> (
    None
):
    metrics = ("hscan_max_peers", "beacon_score_max", "sessions_cnt")
    values: dict[str, Any] = {"sessions_cnt": 1, "hscan_max_peers": 2, "beacon_score_max": None}
    rows = [
        window("2025-03-04T00:00", label=DAY, **values | {"beacon_score_max": 3}),
        window("2025-03-03T11:00", **values),
        window("2025-03-03T11:00", **values | {"role": "inbound", "hscan_max_peers": None}),
    ]

    built = summary_tables(summary_plan("2025-03-03", metrics, ["sessions_cnt"]), SummaryRows(rows))

    assert {(row["role"], row["window_label"], row["metric"]) for row in built["summary"]} == {
        ("outbound", "w_24h", "sessions_cnt"),
        ("outbound", "w_24h", "hscan_max_peers"),
        ("outbound", "w_24h", "beacon_score_max"),
        ("outbound", "w_1h", "sessions_cnt"),
        ("outbound", "w_1h", "hscan_max_peers"),
        ("inbound", "w_1h", "sessions_cnt"),
    }


def test_the_roles_of_a_host_have_baselines_of_their_own() -> None:
    case = BaselineCase(
        "both roles",
        together(
            [
                summed("2025-03-03", rows=(2, 0), cells=cells_of(5, 2)),
                summed("2025-03-04", rows=(1, 0), cells=cells_of(7, 1), role="inbound"),
            ]
        ),
        {date: {AT_WORK: 4} for date in ("2025-03-03", "2025-03-04")},
    )

    built = case.build()

    assert case.build_on() == built
    assert {
        (row["role"], row["scope"]): (row["windows_cnt"], row["dates_mask"])
        for row in built["baseline_rows"]
    } == {
        (role, scope): counts
        for role, counts in (("outbound", (8, 0b10000)), ("inbound", (4, 0b1000)))
        for scope in ("host", "segment", "network")
    }


def test_more_windows_of_a_host_than_were_summed_up_are_an_error_that_says_what_to_do() -> None:
    case = BaselineCase(
        "five of four",
        together(
            [
                summed("2025-03-03", rows=(4, 0)),
                summed("2025-03-03", OTHER_HOST, rows=(4, 1)),
                summed("2025-03-03", HOST + "0", rows=(1, 0), band="wd_off"),
            ]
        ),
        {"2025-03-03": {AT_WORK: 4, ("wd_off", "w_1h"): 0}},
    )

    with pytest.raises(NdrError) as raised:
        case.build()

    assert str(raised.value) == (
        "summary_rows: host 10.0.1.50 has more windows in the summaries of 2025-03-01 to 2025-03-07 than their "
        "manifests say were summed up; build these summaries again"
    )


def test_parts_of_the_week_without_windows_have_no_baselines() -> None:
    case = BaselineCase(
        "nothing in the evening",
        summed("2025-03-03", rows=(1, 0)),
        {"2025-03-03": {AT_WORK: 4, ("wd_off", "w_1h"): 0}},
    )

    rows: list[Row] = case.build()["baseline_rows"]

    assert {row["time_band"] for row in rows} == {"wd_work"}
