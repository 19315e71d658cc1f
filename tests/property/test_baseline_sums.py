"""Baselines that go on from those of the date before are those of all dates, whatever the summaries."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.baselines.metrics import Absent, metrics_named
from ndr_core.baselines.rows import SummaryTables
from ndr_core.features.days import date_of, day_of_date
from ndr_core.tables.columns import Histogram
from tests.baseline_cases import (
    METRIC_NAMES,
    MONTH,
    WEEK,
    BaselineCase,
    of_dates,
    summed,
    tables_of,
    together,
)
from tests.soak import examples

FIRST = day_of_date("2025-01-28")
LAST = day_of_date("2025-03-10")
ABSENT: Mapping[str, Absent] = {one.name: one.absent for one in metrics_named(METRIC_NAMES)}
HOSTS = st.sampled_from(["10.0.1.5", "10.0.1.6", "10.0.9.9", "fd00::1"])
BANDS = st.sampled_from([("wd_work", "w_1h"), ("we", "w_1h"), ("all", "w_24h")])
WINDOWS = {("wd_work", "w_1h"): 12, ("we", "w_1h"): 12, ("all", "w_24h"): 12}
DATES = st.integers(FIRST, LAST)


@st.composite
def histograms(draw: st.DrawFn, absent: Absent, rows: int) -> Histogram:
    """Cells of some of the rows."""
    buckets = st.sampled_from([-1, 1, 2, 2524] if absent is Absent.ZERO else [0, 1, 2524])
    found: dict[int, int] = {}
    for bucket in draw(st.lists(buckets, max_size=rows)):
        found[bucket] = found.get(bucket, 0) + 1
    return tuple(sorted(found.items()))


@st.composite
def summaries(draw: st.DrawFn) -> SummaryTables:
    """The summary of a host, a role and a part of a date."""
    included = draw(st.integers(0, 6))
    excluded = draw(st.integers(0 if included else 1, 6))
    band, label = draw(BANDS)
    cells = {
        name: (draw(histograms(absent, included)), draw(histograms(absent, excluded)))
        for name, absent in ABSENT.items()
    }
    return summed(
        date_of(draw(DATES)),
        draw(HOSTS),
        rows=(included, excluded),
        band=band,
        label=label,
        role=draw(st.sampled_from(["outbound", "inbound"])),
        cells={name: kinds for name, kinds in cells.items() if any(kinds)},
    )


def key_of(tables: SummaryTables) -> tuple[str, ...]:
    (row,) = tables.rows
    return tuple(row[name] for name in ("dt", "host_ip", "role", "time_band", "window_label"))


CASES = st.builds(
    lambda found, unpublished: BaselineCase(
        "any summaries",
        together(found),
        {date_of(date): WINDOWS for date in range(FIRST, LAST + 1)}
        | {
            date_of(date): {}
            for date in unpublished - {day_of_date(row["dt"]) for one in found for row in one.rows}
        },
        horizons=(WEEK, MONTH),
    ),
    st.lists(summaries(), max_size=25, unique_by=key_of),
    st.sets(DATES, max_size=5),
)


@settings(max_examples=examples(200), deadline=None)
@given(CASES, st.integers(LAST - 8, LAST))
def test_yesterdays_baselines_and_a_date_in_and_out_are_those_of_all_dates(
    case: BaselineCase, date: int
) -> None:
    of_date = evolve(case, date=date)

    assert of_date.build_on() == of_date.build()


@settings(max_examples=examples(100), deadline=None)
@given(CASES, DATES, st.integers(LAST - 8, LAST))
def test_they_are_also_after_a_date_in_the_middle_was_rebuilt(
    case: BaselineCase, rebuilt: int, date: int
) -> None:
    others = of_dates(case.summaries, (day for day in range(FIRST, LAST + 1) if day != rebuilt))
    late = summed(date_of(rebuilt), rows=(3, 0), cells={"sessions_cnt": (((2, 3),), ())})
    windows = {**case.windows, date_of(rebuilt): WINDOWS}
    after = evolve(case, date=date - 1, windows=windows, summaries=together([others, late]))

    former = tables_of(after.build())
    of_date = evolve(after, date=date)

    assert of_date.build(of_date.gone_on(former)) == of_date.build()
