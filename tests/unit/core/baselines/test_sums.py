"""Sums of summaries that go on from day to day."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve

from ndr_core.baselines.rows import BaselineTables, HorizonRows, HostKey, SummaryTables
from ndr_core.baselines.sums import Sums, horizon_sums
from ndr_core.errors import NdrError
from ndr_core.features.days import day_of_date
from tests.baseline_cases import (
    DATE,
    HOST,
    OTHER_HOST,
    WEEK,
    BaselineCase,
    cells_of,
    date_range,
    horizon_plan,
    of_dates,
    summed,
    tables_of,
    together,
)

AT_WORK = ("wd_work", "w_1h")


def test_rows_and_cells_of_some_dates_add_up() -> None:
    days = together(
        [
            summed(
                "2025-03-03", rows=(3, 1), cells={"sessions_cnt": (((2, 1), (5, 2)), ((9, 1),))}
            ),
            summed("2025-03-05", rows=(2, 0), cells={"sessions_cnt": (((5, 1), (7, 1)), ())}),
            summed("2025-03-05", rows=(1, 0), band="wd_off"),
        ]
    )

    found = horizon_sums(HorizonRows(days), horizon_plan(WEEK, DATE, {}))

    at_work, in_the_evening = (
        HostKey("outbound", band, HOST, "w_1h") for band in ("wd_work", "wd_off")
    )
    assert found == Sums(
        masks={(HOST, "outbound"): 0b10100},
        rows={at_work: (5, 1), in_the_evening: (1, 0)},
        cells={(at_work, "sessions_cnt"): (((2, 1), (5, 3), (7, 1)), ((9, 1),))},
    )


def test_what_is_taken_away_leaves_no_counts_of_0() -> None:
    left = summed("2025-02-28", rows=(2, 0), cells=cells_of(5, 2))
    stays = summed("2025-03-03", rows=(1, 0), cells=cells_of(6, 1))
    windows = {date: {AT_WORK: 4} for date in ("2025-02-28", "2025-03-03")}
    case = BaselineCase("one leaves", together([left, stays]), windows)
    former = tables_of(case.the_day_before.build())

    (rows,) = case.gone_on(former)
    found = horizon_sums(rows, case.plan.horizons[0])

    key = HostKey("outbound", "wd_work", HOST, "w_1h")
    assert found == Sums(
        masks={(HOST, "outbound"): 0b10000},
        rows={key: (1, 0)},
        cells={(key, "sessions_cnt"): (((6, 1),), ())},
    )


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
    one = summed("2025-02-28", rows=(2, 0), cells=cells_of(5, 2))
    case = BaselineCase("one day", one, {"2025-02-28": {AT_WORK: 4}})
    former = tables_of(case.the_day_before.build())
    less = evolve(case, summaries=SummaryTables((), one.rows))

    with pytest.raises(NdrError, match=r"summary of 2025-02-28 as it is now \(host 10\.0\.1\.5\);"):
        less.build(less.gone_on(former))
