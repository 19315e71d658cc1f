"""Which windows stand out."""

from __future__ import annotations

from ndr_core.baselines.judge import Judge, judge_by
from ndr_core.baselines.metrics import metrics_named
from ndr_core.baselines.readout import read_off
from ndr_core.baselines.reference import summary_tables
from ndr_core.baselines.rows import BaselineTables, HostKey, SummaryRows
from tests.baseline_cases import (
    HOST,
    MONTH,
    WEEK,
    BaselineCase,
    cells_of,
    summary_plan,
    summed,
    tables_of,
    window,
)

AT_WORK = ("wd_work", "w_1h")
KEY = HostKey("outbound", "wd_work", HOST, "w_1h")
SESSIONS = metrics_named(["sessions_cnt"])


def test_windows_are_judged_by_the_seven_days_of_the_host_itself() -> None:
    case = BaselineCase(
        "both horizons",
        summed("2025-03-02", rows=(20, 0), cells=cells_of(10, 20)),
        {"2025-03-02": {AT_WORK: 20}},
        horizons=(WEEK, MONTH),
    )
    month_only = BaselineCase(
        "30 days only",
        summed("2025-02-20", rows=(20, 0), cells=cells_of(10, 20)),
        {"2025-02-20": {AT_WORK: 20}},
        horizons=(WEEK, MONTH),
    )

    assert judge_by(tables_of(case.build()), SESSIONS) == Judge(
        {(KEY, "sessions_cnt"): read_off(((10, 20),))}
    )
    assert judge_by(tables_of(month_only.build()), SESSIONS) == Judge({})


def test_without_baselines_nothing_stands_out() -> None:
    judge = judge_by(BaselineTables(), SESSIONS)

    assert not judge.stands_out(KEY, {"sessions_cnt": 10**9}, SESSIONS)


def test_eight_scales_above_what_is_usual_do_not_stand_out_and_a_little_more_does() -> None:
    judge = Judge({(KEY, "sessions_cnt"): read_off(((10, 20),))})

    found = [judge.stands_out(KEY, {"sessions_cnt": count}, SESSIONS) for count in (0, 18, 19)]

    assert found == [False, False, True]


def test_a_window_is_judged_by_its_own_role_and_part_of_the_week() -> None:
    days = summed("2025-03-03", rows=(20, 0), cells=cells_of(10, 20))
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
    days = summed("2025-03-03", rows=(20, 0), cells=cells_of(10, 20))
    judge = tables_of(BaselineCase("usual", days, {"2025-03-03": {AT_WORK: 20}}).build())
    row = window("2025-03-10T11:00", sessions_cnt=100, drop_cnt=0, new_peer_cnt=1)

    built = summary_tables(summary_plan("2025-03-10"), SummaryRows([row], judge=judge))

    assert {row["metric"]: (row["included"], row["excluded"]) for row in built["summary"]} == {
        "sessions_cnt": ((), ((100, 1),)),
        "drop_ratio": ((), ((0, 1),)),
        "new_peer_cnt": ((), ((1, 1),)),
    }
