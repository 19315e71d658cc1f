"""Summaries and baselines in plain Python, by cases that were worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from ndr_core.baselines.metrics import Unit
from ndr_core.baselines.readout import Z
from ndr_core.baselines.reference import summary_tables
from ndr_core.baselines.rows import BaselineTables, SummaryRows, SummaryTables
from ndr_core.baselines.tables import BASELINE, BASELINE_ROWS, SUMMARY, SUMMARY_ROWS
from ndr_core.errors import NdrError
from ndr_core.expressions.evaluate import evaluate
from ndr_core.features.days import day_of_date
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
    date_range,
    of_dates,
    summary_plan,
    summed,
    tables_of,
    together,
    window,
)
from tests.window_cases import DAY

AT_WORK = ("wd_work", "w_1h")


def cells(bucket: int, count: int) -> dict[str, tuple[tuple[tuple[int, int], ...], tuple[()]]]:
    return {"sessions_cnt": (((bucket, count),), ())}


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
        "drop_ratio": ((211, 1),),
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


def test_a_window_is_judged_by_its_own_role_and_part_of_the_week() -> None:
    days = summed("2025-03-03", rows=(20, 0), cells=cells(10, 20))
    case = BaselineCase("usual", days, {"2025-03-03": {AT_WORK: 20, ("wd_off", "w_1h"): 20}})
    judge = tables_of(case.build())
    rows = [
        window("2025-03-10T11:00", sessions_cnt=100),
        window("2025-03-10T11:00", sessions_cnt=100, role="inbound"),
        # In the evening the host was silent: 9 stands out.
        window("2025-03-10T20:00", sessions_cnt=9),
    ]
    plan = summary_plan("2025-03-10", ["sessions_cnt"], ["sessions_cnt"])

    built = summary_tables(plan, SummaryRows(rows, judge=judge))["summary_rows"]

    assert {
        (row["role"], row["time_band"]): (row["rows_included"], row["rows_excluded"])
        for row in built
    } == {
        ("outbound", "wd_work"): (0, 1),
        ("inbound", "wd_work"): (1, 0),
        ("outbound", "wd_off"): (0, 1),
    }


def test_a_window_that_stands_out_in_one_metric_is_excluded_in_all() -> None:
    days = summed("2025-03-03", rows=(20, 0), cells=cells(10, 20))
    judge = tables_of(BaselineCase("usual", days, {"2025-03-03": {AT_WORK: 20}}).build())
    row = window("2025-03-10T11:00", sessions_cnt=100, drop_cnt=0, new_peer_cnt=1)

    built = summary_tables(summary_plan("2025-03-10"), SummaryRows([row], judge=judge))

    assert {row["metric"]: (row["included"], row["excluded"]) for row in built["summary"]} == {
        "sessions_cnt": ((), ((100, 1),)),
        "drop_ratio": ((), ((0, 1),)),
        "new_peer_cnt": ((), ((1, 1),)),
    }


def test_the_roles_of_a_host_have_baselines_of_their_own() -> None:
    case = BaselineCase(
        "both roles",
        together(
            [
                summed("2025-03-03", rows=(2, 0), cells=cells(5, 2)),
                summed("2025-03-04", rows=(1, 0), cells=cells(7, 1), role="inbound"),
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


def ten_days(windows: int = 4) -> BaselineCase:
    """Ten dates of two hosts, of other values each."""
    dates = date_range("2025-02-28", 10)
    return BaselineCase(
        "ten days",
        together(
            summed(
                date,
                host,
                rows=(2, 1),
                band="all",
                label="w_24h",
                cells={"sessions_cnt": (((number + 1, 2),), ((50 + number, 1),))},
            )
            for number, date in enumerate(dates)
            for host in (HOST, OTHER_HOST)
            if host == HOST or number % 3
        ),
        {date: {("all", "w_24h"): windows} for date in dates},
        date=day_of_date("2025-03-10"),
    )


def test_baselines_go_on_from_day_to_day_as_they_are_of_all_dates() -> None:
    case = ten_days()
    days = range(case.date - 12, case.date + 13)
    former = BaselineTables()

    for date in days:
        of_date = evolve(case, date=date)
        built = of_date.build(of_date.gone_on(former))
        assert built == of_date.build()
        former = tables_of(built)

    assert former == BaselineTables([], [])


def test_after_a_day_in_the_middle_was_rebuilt_they_go_on_from_rebuilt_baselines() -> None:
    before = ten_days()
    in_the_middle = "2025-03-04"
    kept = of_dates(
        before.summaries,
        (day_of_date(date) for date in date_range("2025-02-28", 10) if date != in_the_middle),
    )
    late = summed(
        in_the_middle,
        rows=(4, 0),
        band="all",
        label="w_24h",
        cells={"sessions_cnt": (((90, 4),), ())},
    )
    after = evolve(before, summaries=together([kept, late]))
    old = tables_of(before.the_day_before.build())

    assert after.build_on() == after.build()
    assert after.build(after.gone_on(old)) != after.build()


def removed_with(change: Callable[[SummaryTables], SummaryTables]) -> BaselineCase:
    """Ten days, where the summary of the date that leaves was changed after the baselines were made."""
    case = ten_days()
    left = of_dates(case.summaries, [day_of_date("2025-02-28")])
    rest = of_dates(case.summaries, map(day_of_date, date_range("2025-03-01", 9)))
    return evolve(case, summaries=together([rest, change(left)]))


def one_row_more(left: SummaryTables) -> SummaryTables:
    return SummaryTables(left.summary, [{**row, "rows_included": 99} for row in left.rows])


def one_cell_more(left: SummaryTables) -> SummaryTables:
    return SummaryTables([{**row, "included": ((77, 1),)} for row in left.summary], left.rows)


def another_host(left: SummaryTables) -> SummaryTables:
    rows = [{**row, "rows_included": 0, "rows_excluded": 0} for row in left.rows]
    return SummaryTables(
        left.summary, [*left.rows, *({**row, "host_ip": HOST + "0"} for row in rows)]
    )


@pytest.mark.parametrize("change", [one_row_more, one_cell_more, another_host])
def test_a_summary_that_changed_since_the_baselines_were_made_is_an_error_that_says_what_to_do(
    change: Callable[[SummaryTables], SummaryTables],
) -> None:
    former = tables_of(ten_days().the_day_before.build())
    changed = removed_with(change)

    with pytest.raises(NdrError) as raised:
        changed.build(changed.gone_on(former))

    host = HOST + "0" if change is another_host else HOST
    assert str(raised.value) == (
        "baseline: the 7d baselines of 2025-03-09 were not made from the summary of 2025-02-28 as it is now "
        f"(host {host}); build the baselines of 2025-03-09 again"
    )


def test_a_summary_that_is_missing_since_the_baselines_were_made_is_the_same_error() -> None:
    former = tables_of(ten_days().the_day_before.build())
    missing = removed_with(lambda _: SummaryTables())

    with pytest.raises(NdrError, match=r"summary of 2025-02-28 as it is now \(host 10\.0\.1\.5\);"):
        missing.build(missing.gone_on(former))


def test_a_host_that_has_left_and_of_which_something_is_left_is_the_same_error() -> None:
    one = summed("2025-02-28", rows=(2, 0), cells=cells(5, 2))
    case = BaselineCase("one day", one, {"2025-02-28": {AT_WORK: 4}})
    former = tables_of(case.the_day_before.build())
    less = evolve(case, summaries=SummaryTables((), one.rows))

    with pytest.raises(NdrError, match=r"summary of 2025-02-28 as it is now \(host 10\.0\.1\.5\);"):
        less.build(less.gone_on(former))


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
