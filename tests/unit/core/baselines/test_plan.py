"""What engines are told of summaries and baselines."""

from __future__ import annotations

from ndr_core.features.days import date_of, day_of_date
from tests.baseline_cases import DATE, WEEK, baseline_plan, horizon_plan, summary_plan
from tests.window_cases import PUBLISHED_AT

AT_WORK = ("wd_work", "w_1h")
EVENING = ("wd_off", "w_1h")
WINDOWS = {
    "2025-02-28": {AT_WORK: 99},  # before the horizon
    "2025-03-03": {AT_WORK: 4},
    "2025-03-04": {AT_WORK: 3, EVENING: 0},
    "2025-03-05": {AT_WORK: 0, EVENING: 2},
}


def test_windows_and_dates_with_windows_are_counted_from_the_first_date_on() -> None:
    plan = horizon_plan(WEEK, DATE, WINDOWS)

    fourth, third = day_of_date("2025-03-04"), day_of_date("2025-03-03")

    assert plan.windows_since(third) == {AT_WORK: 7, EVENING: 2}
    assert plan.support_since(third) == {AT_WORK: 2, EVENING: 1}
    assert plan.windows_since(fourth) == {AT_WORK: 3, EVENING: 2}
    assert plan.support_since(fourth) == {AT_WORK: 1, EVENING: 1}


def test_the_lowest_bit_of_a_mask_is_the_last_date() -> None:
    plan = horizon_plan(WEEK, DATE, {})

    bits = [plan.date_bit(date) for date in plan.dates]

    assert bits == [0b1000000, 0b100000, 0b10000, 0b1000, 0b100, 0b10, 0b1]
    assert [date_of(plan.first_date(bit | 1)) for bit in bits] == [
        f"2025-03-0{day}" for day in range(1, 8)
    ]


def test_less_than_half_of_the_dates_of_a_part_of_the_week_is_too_little() -> None:
    plan = horizon_plan(WEEK, DATE, {})

    found = {band: plan.least_support(band) for band in ("wd_work", "we", "all", "other")}

    assert found == {"wd_work": 3, "we": 1, "all": 4, "other": 0}


def test_rows_of_a_run_have_its_time_its_version_and_its_date() -> None:
    same = {"published_at": PUBLISHED_AT, "feature_spec_version": "v1"}

    assert baseline_plan({}).constants() == same | {"dt": "2025-03-10"}
    assert summary_plan("2025-03-09").constants() == same | {"dt": "2025-03-09"}


def test_windows_are_judged_by_the_key_metrics() -> None:
    plan = summary_plan("2025-03-09", key_metrics=("drop_ratio", "sessions_cnt"))

    assert [metric.name for metric in plan.judging] == ["sessions_cnt", "drop_ratio"]


def test_a_name_of_a_host_that_is_no_text_can_be_shown() -> None:
    plan = horizon_plan(WEEK, DATE, {})

    assert "(segment a\\n)" in str(plan.misfit("segment", "a\n"))
    assert "host a\\n has" in str(plan.too_many("a\n"))
