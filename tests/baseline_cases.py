"""Summaries and baselines that can be worked out by hand: what they are made of, and what is in their rows.

The unit tests of the reference and those of every engine take the same cases. All local dates are those of UTC;
2025-03-10 is a Monday.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from attrs import evolve, field, frozen

from ndr_core.baselines.horizon import DEFAULT_GAPS, MONTH_DAYS, WEEK_DAYS, Horizon
from ndr_core.baselines.metrics import metrics_named
from ndr_core.baselines.plan import BandLabel, BaselinePlan, HorizonPlan, SummaryPlan
from ndr_core.baselines.reference import baseline_tables, summary_tables
from ndr_core.baselines.rows import (
    BaselineTables,
    HorizonRows,
    PlainRow,
    SummaryRows,
    SummaryTables,
)
from ndr_core.features.days import date_of, day_of_date
from ndr_core.features.networks import Networks
from ndr_core.tables.columns import Histogram
from ndr_core.tables.merge import Row
from ndr_core.tables.slices import partition_of
from ndr_core.times import day_start, to_datetime
from ndr_core.windows.calendar import Calendar
from ndr_core.windows.labels import WindowLabel
from tests.makers import us
from tests.window_cases import DAY, HOUR, PUBLISHED_AT, QUARTER, window_plan

NETWORKS: Final = Networks(segments={"servers": ("10.0.1.0/24",)})
LABELS: Final = (QUARTER, HOUR, DAY)
DATE: Final = day_of_date("2025-03-10")
"""The date of the baselines: 7d is [03-01, 03-08), 30d is [02-01, 03-03)."""
METRIC_NAMES: Final = ("sessions_cnt", "duration_mean", "drop_ratio", "new_peer_cnt")
"""A count, a time, a ratio, and a count that may be unknown."""
KEY_METRICS: Final = ("sessions_cnt", "drop_ratio")
HOST: Final = "10.0.1.5"
OTHER_HOST: Final = "10.0.1.6"
FAR_HOST: Final = "10.0.9.9"

_FG_A: Final = window_plan().fg_a


def window(end: str, host: str = HOST, label: WindowLabel = HOUR, **values: Any) -> Row:
    """A row of `fg_a` of the window that ends at a time such as 2025-03-03T11:00; what is not given is null."""
    at = us_of(end)
    row = {
        "host_ip": host,
        "role": "outbound",
        "window_label": label.name,
        "window_start_ts": label.start(at),
        "window_end_ts": at,
        "coverage_slices": label.slices(15),
        "is_partial": 0,
        "time_band": "all" if label.is_day else band_of(at),
        "published_at": PUBLISHED_AT,
        "feature_spec_version": "v1",
        **partition_of(at),
        **values,
    }
    unknown = row.keys() - {column.name for column in _FG_A.columns}
    assert not unknown, f"no columns of fg_a: {unknown}"
    return {column.name: row.get(column.name) for column in _FG_A.columns}


def us_of(text: str) -> int:
    """Microseconds since 1970 of a time such as 2025-03-03T11:00, UTC."""
    return us(f"{text}:00Z")


def band_of(end: int) -> str:
    """The part of the week of a window, us: work from 7 to 17, the evening until 22."""
    return Calendar().facts(end, is_day=False).time_band.value


@frozen
class SummaryCase:
    """The windows of a local date, and what their summary must hold."""

    name: str
    date: str
    included: Sequence[Row]
    excluded: Sequence[Row] = ()
    """Of windows in excluded periods."""
    judge: BaselineTables = field(factory=BaselineTables)
    metrics: Sequence[str] = METRIC_NAMES
    key_metrics: Sequence[str] = KEY_METRICS
    summary: Sequence[Row] = ()
    summary_rows: Sequence[Row] = ()

    @property
    def plan(self) -> SummaryPlan:
        return summary_plan(self.date, self.metrics, self.key_metrics)

    @property
    def rows(self) -> SummaryRows:
        return SummaryRows(self.included, self.excluded, self.judge)

    @property
    def ends(self) -> dict[int, tuple[WindowLabel, ...]]:
        """End of windows, us -> the labels of those that are summed up."""
        return _ends(self.included)

    @property
    def excluded_ends(self) -> dict[int, tuple[WindowLabel, ...]]:
        return _ends(self.excluded)

    def build(self) -> dict[str, list[Row]]:
        return summary_tables(self.plan, self.rows)


def summary_plan(
    date: str,
    metrics: Sequence[str] = METRIC_NAMES,
    key_metrics: Sequence[str] = KEY_METRICS,
    labels: Sequence[WindowLabel] = LABELS,
) -> SummaryPlan:
    return SummaryPlan(
        date=day_of_date(date),
        labels=tuple(labels),
        metrics=metrics_named(metrics),
        key_metrics=tuple(key_metrics),
        feature_spec_version="v1",
        published_at=PUBLISHED_AT,
    )


def _ends(rows: Iterable[Row]) -> dict[int, tuple[WindowLabel, ...]]:
    found: dict[int, tuple[WindowLabel, ...]] = {}
    by_name = {label.name: label for label in LABELS}
    for row in rows:
        label = by_name[row["window_label"]]
        at_end = found.get(row["window_end_ts"], ())
        found[row["window_end_ts"]] = tuple(sorted({*at_end, label}))
    return found


def summed(
    date: str,
    host: str = HOST,
    *,
    rows: tuple[int, int],
    band: str = "wd_work",
    label: str = "w_1h",
    role: str = "outbound",
    cells: Mapping[str, tuple[Histogram, Histogram]] | None = None,
) -> SummaryTables:
    """The summary of a host and a date: its included and its excluded rows, and the cells of its metrics."""
    key = {
        "host_ip": host,
        "window_label": label,
        "published_at": PUBLISHED_AT,
        "feature_spec_version": "v1",
        "dt": date,
        "role": role,
        "time_band": band,
    }
    return SummaryTables(
        [
            {**key, "metric": metric, "included": included, "excluded": excluded}
            for metric, (included, excluded) in (cells or {}).items()
        ],
        [{**key, "rows_included": rows[0], "rows_excluded": rows[1]}],
    )


def cells_of(bucket: int, count: int) -> dict[str, tuple[Histogram, Histogram]]:
    """So many usual windows of as many sessions."""
    return {"sessions_cnt": (((bucket, count),), ())}


def together(tables: Iterable[SummaryTables]) -> SummaryTables:
    """The rows of several summaries."""
    found = tuple(tables)
    return SummaryTables(
        [row for one in found for row in one.summary], [row for one in found for row in one.rows]
    )


def of_dates(tables: SummaryTables, dates: Iterable[int]) -> SummaryTables:
    """The rows of some local dates."""
    wanted = {date_of(date) for date in dates}
    return SummaryTables(
        [row for row in tables.summary if row["dt"] in wanted],
        [row for row in tables.rows if row["dt"] in wanted],
    )


Windows = Mapping[str, Mapping[BandLabel, int]]
"""Local date, such as 2025-03-03 -> band and label -> windows that were summed up."""


def horizon_plan(horizon: Horizon, date: int, windows: Windows) -> HorizonPlan:
    """The plan of a horizon of the baselines of a date, by the calendar of UTC."""
    dates = horizon.dates(date)
    weekend = sum(to_datetime(day_start(one)).isoweekday() > 5 for one in dates)
    bands = dict.fromkeys(("wd_work", "wd_off", "wd_night"), len(dates) - weekend)
    found = {day_of_date(text): counts for text, counts in windows.items()}
    return HorizonPlan(
        horizon=horizon,
        dates=dates,
        windows={one: counts for one, counts in found.items() if one in dates},
        band_dates=bands | {"we": weekend, "all": len(dates)},
        start=day_start(dates.start),
        end=day_start(dates.stop),
    )


WEEK: Final = Horizon(WEEK_DAYS, DEFAULT_GAPS[WEEK_DAYS])
MONTH: Final = Horizon(MONTH_DAYS, DEFAULT_GAPS[MONTH_DAYS])


def baseline_plan(
    windows: Windows,
    *,
    date: int = DATE,
    horizons: Sequence[Horizon] = (WEEK,),
    metrics: Sequence[str] = METRIC_NAMES,
    fleeting: Iterable[str] = (),
) -> BaselinePlan:
    return BaselinePlan(
        date=date,
        labels=LABELS,
        metrics=metrics_named(metrics),
        horizons=tuple(horizon_plan(horizon, date, windows) for horizon in horizons),
        networks=NETWORKS,
        feature_spec_version="v1",
        published_at=PUBLISHED_AT,
        fleeting=frozenset(fleeting),
    )


BaselineKey = tuple[str, str, str, str, str]
"""Horizon, scope, name, band and label; the role is outbound."""


@frozen
class BaselineCase:
    """The summaries of some local dates, and what the baselines of a date must hold."""

    name: str
    summaries: SummaryTables
    windows: Windows
    date: int = DATE
    horizons: Sequence[Horizon] = (WEEK,)
    metrics: Sequence[str] = METRIC_NAMES
    fleeting: frozenset[str] = frozenset()
    baseline: Mapping[tuple[BaselineKey, str], Mapping[str, Any]] = field(factory=dict)
    """Key and metric -> columns of the row, and what is in them."""
    baseline_rows: Mapping[BaselineKey, Mapping[str, Any]] = field(factory=dict)
    no_baseline: Sequence[tuple[BaselineKey, str]] = ()
    """Rows that must not be there."""
    no_baseline_rows: Sequence[BaselineKey] = ()

    @property
    def plan(self) -> BaselinePlan:
        return baseline_plan(
            self.windows,
            date=self.date,
            horizons=self.horizons,
            metrics=self.metrics,
            fleeting=self.fleeting,
        )

    @property
    def the_day_before(self) -> BaselineCase:
        """The same case, of the baselines of the date before: nothing is expected."""
        return evolve(
            self,
            date=self.date - 1,
            baseline={},
            baseline_rows={},
            no_baseline=(),
            no_baseline_rows=(),
        )

    def anew(self) -> list[HorizonRows]:
        """Each horizon by the summaries of all its dates."""
        return [
            HorizonRows(of_dates(self.summaries, horizon.dates)) for horizon in self.plan.horizons
        ]

    def gone_on(self, former: BaselineTables) -> list[HorizonRows]:
        """Each horizon by the baselines of the date before, a date in and a date out."""
        return [
            HorizonRows(
                added=of_dates(self.summaries, [horizon.dates[-1]]),
                removed=of_dates(self.summaries, [horizon.dates[0] - 1]),
                former=former,
            )
            for horizon in self.plan.horizons
        ]

    def build(self, horizons: Sequence[HorizonRows] | None = None) -> dict[str, list[Row]]:
        return baseline_tables(self.plan, self.anew() if horizons is None else horizons)

    def build_on(self) -> dict[str, list[Row]]:
        """Build the baselines of the date before, and go on from these."""
        return self.build(self.gone_on(tables_of(self.the_day_before.build())))

    def check(self, baseline: Iterable[PlainRow], baseline_rows: Iterable[PlainRow]) -> None:
        """Assert that rows hold what was worked out by hand. Rows: as the core has them."""
        rows = {baseline_key(row): row for row in baseline_rows}
        metrics = {(baseline_key(row), row["metric"]): row for row in baseline}
        for key, expected in self.baseline_rows.items():
            assert {name: rows[key][name] for name in expected} == expected, key
        for of_metric, expected in self.baseline.items():
            row = metrics[of_metric]
            assert {name: row[name] for name in expected} == expected, of_metric
        assert not rows.keys() & set(self.no_baseline_rows)
        assert not metrics.keys() & set(self.no_baseline)


def tables_of(built: Mapping[str, Sequence[PlainRow]]) -> BaselineTables:
    """What was built, to go on from."""
    return BaselineTables(built["baseline"], built["baseline_rows"])


def baseline_key(row: PlainRow) -> BaselineKey:
    """The key of a row of `baseline` or `baseline_rows`."""
    return row["horizon"], row["scope"], row["name"], row["time_band"], row["window_label"]


def date_range(first: str, days: int) -> list[str]:
    """Local dates from one on."""
    start = to_datetime(day_start(day_of_date(first)))
    return [f"{start + timedelta(days=number):%Y-%m-%d}" for number in range(days)]


def _summary_key(label: str, band: str, date: str = "2025-03-03", host: str = HOST) -> Row:
    return {
        "host_ip": host,
        "window_label": label,
        "published_at": PUBLISHED_AT,
        "feature_spec_version": "v1",
        "dt": date,
        "role": "outbound",
        "time_band": band,
    }


def _metric_rows(key: Row, cells: Mapping[str, tuple[Histogram, Histogram]]) -> list[Row]:
    return [
        {**key, "metric": metric, "included": included, "excluded": excluded}
        for metric, (included, excluded) in cells.items()
    ]


EVERY_COLUMN_OF_A_SUMMARY: Final = SummaryCase(
    "a summary with a value in every column",
    "2025-03-03",
    included=[
        # 3,000,500 us // 3 // 1000 = 1000 ms; 1000 * 1 // 3 = 333; the history is young
        window(
            "2025-03-03T11:00",
            sessions_cnt=3,
            drop_cnt=1,
            duration_us_sum=3_000_500,
            new_peer_cnt=None,
        ),
        # Only a THREAT record: counts of 0, and nothing to divide by.
        window("2025-03-03T12:00", sessions_cnt=0, drop_cnt=0, duration_us_sum=0, new_peer_cnt=0),
        # 100,000,000 us = 100,000 ms; 1000 * 50 // 200 = 250
        window(
            "2025-03-03T13:00",
            sessions_cnt=200,
            drop_cnt=50,
            duration_us_sum=20_000_000_000,
            new_peer_cnt=2,
        ),
        # 2000 us // 3 = 666 us: 0 ms
        window(
            "2025-03-03T14:00",
            sessions_cnt=3,
            drop_cnt=3,
            duration_us_sum=2_000,
            new_peer_cnt=None,
        ),
        window(
            "2025-03-03T17:15",  # its last microsecond is in the evening
            label=QUARTER,
            sessions_cnt=1,
            drop_cnt=0,
            duration_us_sum=1_000,
            new_peer_cnt=1,
        ),
        window(
            "2025-03-04T00:00",
            label=DAY,
            sessions_cnt=9,
            drop_cnt=9,
            duration_us_sum=9_000_000,
            new_peer_cnt=0,
        ),
    ],
    excluded=[
        window(
            "2025-03-03T15:00",
            sessions_cnt=3,
            drop_cnt=0,
            duration_us_sum=9_000_000,
            new_peer_cnt=0,
        )
    ],
    # Values below 2048 are their own bucket; 3000 = 2 * 1500 is in 1024 + 1500, 100,000 = 64 * 1562 + 32 in
    # 6 * 1024 + 1562.
    summary=[
        *_metric_rows(
            _summary_key("w_24h", "all"),
            {
                "drop_ratio": (((1000, 1),), ()),
                "duration_mean": (((1000, 1),), ()),
                "sessions_cnt": (((9, 1),), ()),
            },
        ),
        *_metric_rows(
            _summary_key("w_15m", "wd_off"),
            {
                "drop_ratio": (((0, 1),), ()),
                "duration_mean": (((1, 1),), ()),
                "new_peer_cnt": (((1, 1),), ()),
                "sessions_cnt": (((1, 1),), ()),
            },
        ),
        *_metric_rows(
            _summary_key("w_1h", "wd_work"),
            {
                "drop_ratio": (((250, 1), (333, 1), (1000, 1)), ((0, 1),)),
                "duration_mean": (((0, 1), (1000, 1), (7706, 1)), ((2524, 1),)),
                "new_peer_cnt": (((-1, 2), (2, 1)), ()),
                "sessions_cnt": (((3, 2), (200, 1)), ((3, 1),)),
            },
        ),
    ],
    summary_rows=[
        {**_summary_key("w_24h", "all"), "rows_included": 1, "rows_excluded": 0},
        {**_summary_key("w_15m", "wd_off"), "rows_included": 1, "rows_excluded": 0},
        {**_summary_key("w_1h", "wd_work"), "rows_included": 4, "rows_excluded": 1},
    ],
)


def judged(
    name: str,
    values: Sequence[Mapping[str, Any]],
    judge: BaselineTables,
    metric: str,
    cells: tuple[Histogram, Histogram],
    **of_case: Any,
) -> SummaryCase:
    """A summary of 2025-03-10 of one metric, by which its windows are judged: one window an hour of each values."""
    ends = [f"2025-03-10T{8 + number:02}:00" for number in range(len(values))]
    key = _summary_key("w_1h", "wd_work", "2025-03-10")
    included, excluded = (sum(count for _, count in kind) for kind in cells)
    return SummaryCase(
        name,
        "2025-03-10",
        [window(end, **one) for end, one in zip(ends, values, strict=True)],
        judge=judge,
        metrics=[metric],
        key_metrics=[metric],
        summary=_metric_rows(key, {metric: cells}),
        **{
            "summary_rows": [{**key, "rows_included": included, "rows_excluded": excluded}],
            **of_case,
        },
    )


def usual(*days: SummaryTables, windows: int = 20) -> BaselineTables:
    """The baselines of 2025-03-10 by summaries of 2025-03-03 and later, of so many windows."""
    at_work = {"2025-03-03": {("wd_work", "w_1h"): windows}}
    return tables_of(BaselineCase("what windows are judged by", together(days), at_work).build())


def _all_are(metric: str, bucket: int, included: int, excluded: int = 0) -> SummaryTables:
    cells = (((bucket, included),) if included else (), ((bucket, excluded),) if excluded else ())
    return summed("2025-03-03", rows=(included, excluded), cells={metric: cells})


OUTLIERS: Final = (
    judged(
        # The median is 10, the scale 1: 18 is 8 scales above it, 19 is 9.
        "five windows that stand out, against windows of which half stood out themselves",
        [{"sessions_cnt": count} for count in (10, 18, 18, 19, 19, 19, 19, 100)],
        usual(_all_are("sessions_cnt", 10, 10, 10)),
        "sessions_cnt",
        (((10, 1), (18, 2)), ((19, 4), (100, 1))),
    ),
    judged(
        "nineteen samples are too few to judge by",
        [{"sessions_cnt": 100}],
        usual(_all_are("sessions_cnt", 10, 19), windows=19),
        "sessions_cnt",
        (((100, 1),), ()),
    ),
    judged(
        "silent windows are samples to judge by",
        [{"sessions_cnt": count} for count in (8, 9)],
        usual(_all_are("sessions_cnt", 10, 1)),
        "sessions_cnt",
        (((8, 1),), ((9, 1),)),
    ),
    judged(
        # Ten windows are silent, of the others 9 were usual: median 0, iqr 10, scale 7.2524.
        "windows that stood out are samples to judge by, where the usual ones are too few",
        [{"sessions_cnt": count} for count in (59, 60)],
        usual(_all_are("sessions_cnt", 10, 9, 1)),
        "sessions_cnt",
        (((59, 1),), ((60, 1),)),
    ),
    judged(
        "a host of which only zeros are known is judged by zeros",
        [{"sessions_cnt": count} for count in (8, 9)],
        usual(summed("2025-03-03", rows=(1, 0))),
        "sessions_cnt",
        (((8, 1),), ((9, 1),)),
    ),
    judged(
        "unknown values are no samples to judge by",
        [{"new_peer_cnt": 100}],
        usual(summed("2025-03-03", rows=(1, 0), cells={"new_peer_cnt": (((-1, 1),), ())})),
        "new_peer_cnt",
        (((100, 1),), ()),
    ),
    judged(
        "an unknown value does not stand out",
        [{"new_peer_cnt": None}, {"new_peer_cnt": 100}],
        usual(summed("2025-03-03", rows=(1, 0))),
        "new_peer_cnt",
        (((-1, 1),), ((100, 1),)),
    ),
    judged(
        "a host that was not there before is not judged",
        [{"sessions_cnt": 100}],
        usual(
            summed("2025-03-03", OTHER_HOST, rows=(1, 0), cells={"sessions_cnt": (((1, 1),), ())})
        ),
        "sessions_cnt",
        (((100, 1),), ()),
    ),
    judged(
        # The scale of thousandths is at least 50: 500 is 8 scales above 100, 501 more.
        "a ratio is judged by the windows that have it",
        [
            {"sessions_cnt": 1000, "drop_cnt": 500},
            {"sessions_cnt": 1000, "drop_cnt": 501},
            {"sessions_cnt": 0, "drop_cnt": 0},
        ],
        usual(_all_are("drop_ratio", 100, 20)),
        "drop_ratio",
        (((500, 1),), ((501, 1),)),
        summary_rows=[
            {
                **_summary_key("w_1h", "wd_work", "2025-03-10"),
                "rows_included": 2,
                "rows_excluded": 1,
            }
        ],
    ),
    judged(
        "a ratio that nineteen windows have is not judged, however many windows there were",
        [{"sessions_cnt": 1000, "drop_cnt": 1000}],
        usual(_all_are("drop_ratio", 100, 19), windows=30),
        "drop_ratio",
        (((1000, 1),), ()),
    ),
)
"""Windows of 2025-03-10 against the host's own of 7 days."""

SUMMARY_CASES: Final = (EVERY_COLUMN_OF_A_SUMMARY, *OUTLIERS)

_AT_WORK: Final = ("wd_work", "w_1h")


def _at_work(dates: Iterable[str], windows: int) -> Windows:
    return {date: {_AT_WORK: windows} for date in dates}


def _key(scope: str, name: str, horizon: str = "7d", band: str = "wd_work") -> BaselineKey:
    return horizon, scope, name, band, "w_24h" if band == "all" else "w_1h"


_OF_HOST: Final = _key("host", HOST)
_OF_OTHER: Final = _key("host", OTHER_HOST)
_OF_SERVERS: Final = _key("segment", "servers")
_OF_NETWORK: Final = _key("network", "network")
_OF_FAR: Final = _key("host", FAR_HOST, "30d")

_SAME: Final[Row] = {
    "published_at": PUBLISHED_AT,
    "feature_spec_version": "v1",
    "dt": "2025-03-10",
    "role": "outbound",
    "time_band": "wd_work",
    "window_label": "w_1h",
}
_HOST_ROW: Final[Row] = {
    **_SAME,
    "scope": "host",
    "name": HOST,
    "horizon": "7d",
    "rows_included": 3 + 2,
    "rows_excluded": 1,  # 5 * 1 is not more than 6
    "windows_cnt": 3 * 4,  # of 03-03, 03-04 and, silent, 03-05
    "samples_cnt": 12 - 1,
    "hosts_cnt": 1,
    "support_days": 3,
    "is_cold": 0,  # of 5 dates of work
    "baseline_shift_flag": 0,
    "dates_mask": 0b11000,  # 03-04 is 3 days before 03-07, 03-03 is 4
    "baseline_start_ts": day_start(day_of_date("2025-03-01")),
    "baseline_end_ts": day_start(day_of_date("2025-03-08")),
}
# Of 11 samples 7 are 0, then 3, 3, 4 and 200: ranks 6, 3, ceil(8.25), ceil(10.45) and 11.
_HOST_SESSIONS: Final[Row] = {
    **_SAME,
    "scope": "host",
    "name": HOST,
    "horizon": "7d",
    "metric": "sessions_cnt",
    "n": 11,
    "median": 0,
    "p25": 0,
    "p75": 3,
    "p95": 200,
    "p99": 200,
    "mad": 0,
    "iqr": 3,
    "included": ((3, 2), (4, 1), (200, 1)),
    "excluded": ((3298, 1),),
}

EVERY_COLUMN: Final = BaselineCase(
    "baselines with a value in every column",
    together(
        [
            # Sessions of 0, 3, 200 and, excluded, 5000; without sessions neither time nor ratio.
            summed(
                "2025-03-03",
                rows=(3, 1),
                cells={
                    "sessions_cnt": (((3, 1), (200, 1)), ((3298, 1),)),
                    "duration_mean": (((7706, 2),), ((2524, 1),)),
                    "drop_ratio": (((250, 1), (333, 1)), ((0, 1),)),
                },
            ),
            summed(
                "2025-03-04",
                rows=(2, 0),
                cells={
                    "sessions_cnt": (((3, 1), (4, 1)), ()),
                    "duration_mean": (((0, 2),), ()),
                    "drop_ratio": (((0, 1), (1000, 1)), ()),
                    "new_peer_cnt": (((-1, 1), (2, 1)), ()),
                },
            ),
            # One window, which stands out: the regime has changed.
            summed(
                "2025-03-04",
                OTHER_HOST,
                rows=(0, 1),
                cells={"sessions_cnt": ((), ((7, 1),)), "drop_ratio": ((), ((0, 1),))},
            ),
            summed("2025-02-28", FAR_HOST, rows=(1, 0), cells={"sessions_cnt": (((1, 1),), ())}),
            # In the gap of both horizons.
            summed("2025-03-08", rows=(9, 0), cells={"sessions_cnt": (((99, 9),), ())}),
        ]
    ),
    _at_work(["2025-02-28", "2025-03-03", "2025-03-04", "2025-03-05"], 4),
    horizons=(WEEK, MONTH),
    baseline_rows={
        _OF_HOST: _HOST_ROW,
        _OF_OTHER: {
            "rows_included": 0,
            "rows_excluded": 1,
            "windows_cnt": 2 * 4,  # first seen on 03-04
            "samples_cnt": 8,
            "hosts_cnt": 1,
            "support_days": 2,
            "is_cold": 1,
            "baseline_shift_flag": 1,
            "dates_mask": 0b01000,
        },
        _OF_SERVERS: {
            "rows_included": 5 + 0,
            "rows_excluded": 1 + 1,
            "windows_cnt": 12 + 8,
            "samples_cnt": 11 + 8,
            "hosts_cnt": 2,
            "support_days": 3,  # since the first of them was seen
            "is_cold": 0,
            "baseline_shift_flag": 1,
            "dates_mask": 0b11000,
        },
        _OF_NETWORK: {"windows_cnt": 20, "hosts_cnt": 2},
        _OF_FAR: {
            "rows_included": 1,
            "rows_excluded": 0,
            "windows_cnt": 4,
            "samples_cnt": 4,
            "support_days": 1,
            "is_cold": 1,  # of 20 dates of work
            "dates_mask": 0b100,  # 02-28 is 2 days before 03-02
            "baseline_start_ts": day_start(day_of_date("2025-02-01")),
            "baseline_end_ts": day_start(day_of_date("2025-03-03")),
        },
        _key("segment", "10.0.9.0/24", "30d"): {"hosts_cnt": 1},
        _key("network", "network", "30d"): {"hosts_cnt": 1, "windows_cnt": 4},
    },
    baseline={
        (_OF_HOST, "sessions_cnt"): _HOST_SESSIONS,
        # 0, 0 and twice the middle of 99,968..100,031
        (_OF_HOST, "duration_mean"): {
            "n": 4,
            "median": 0,
            "p25": 0,
            "p75": 99_999,
            "p95": 99_999,
            "p99": 99_999,
            "mad": 0,
            "iqr": 99_999,
            "included": ((0, 2), (7706, 2)),
            "excluded": ((2524, 1),),
        },
        # 0, 250, 333 and 1000: distances of 250, 0, 83 and 750
        (_OF_HOST, "drop_ratio"): {
            "n": 4,
            "median": 250,
            "p25": 0,
            "p75": 333,
            "p95": 1000,
            "p99": 1000,
            "mad": 83,
            "iqr": 333,
            "included": ((0, 1), (250, 1), (333, 1), (1000, 1)),
            "excluded": ((0, 1),),
        },
        # Of 11 windows one is unknown: 9 are 0, one is 2.
        (_OF_HOST, "new_peer_cnt"): {
            "n": 10,
            "median": 0,
            "p95": 2,
            "included": ((-1, 1), (2, 1)),
            "excluded": (),
        },
        # 0 seven times, and 7
        (_OF_OTHER, "sessions_cnt"): {
            "n": 8,
            "median": 0,
            "p75": 0,
            "p95": 7,
            "included": (),
            "excluded": ((7, 1),),
        },
        (_OF_OTHER, "drop_ratio"): {"n": 1, "median": 0, "excluded": ((0, 1),)},
        # Of 19 samples 14 are 0, then 3, 3, 4, 7, 200: p75 has rank 15, p95 rank 19.
        (_OF_SERVERS, "sessions_cnt"): {
            "n": 19,
            "median": 0,
            "p75": 3,
            "p95": 200,
            "included": ((3, 2), (4, 1), (7, 1), (200, 1)),
            "excluded": (),
        },
        # 0, 0, 250, 333 and 1000: distances of 250, 250, 0, 83 and 750
        (_OF_SERVERS, "drop_ratio"): {
            "n": 5,
            "median": 250,
            "p25": 0,
            "p75": 333,
            "mad": 250,
            "included": ((0, 2), (250, 1), (333, 1), (1000, 1)),
            "excluded": (),
        },
        (_OF_SERVERS, "new_peer_cnt"): {"n": 19 - 1, "included": ((-1, 1), (2, 1))},
        (_OF_NETWORK, "sessions_cnt"): {"n": 19},
        (_OF_FAR, "sessions_cnt"): {"n": 4, "median": 0, "p95": 1, "included": ((1, 1),)},
    },
    no_baseline=[(_OF_OTHER, "new_peer_cnt"), (_OF_OTHER, "duration_mean")],
    no_baseline_rows=[_key("host", HOST, "30d"), _key("host", FAR_HOST)],
)

TEN_FOR_SEVEN_DAYS: Final = BaselineCase(
    "seven days of 10 in each window",
    together(
        summed(
            date,
            rows=(24, 0),
            band="all",
            label="w_24h",
            cells={"sessions_cnt": (((10, 24),), ())},
        )
        for date in date_range("2025-03-01", 7)
    ),
    {date: {("all", "w_24h"): 24} for date in date_range("2025-03-01", 7)},
    baseline={
        (_key("host", HOST, band="all"), "sessions_cnt"): {
            "n": 7 * 24,
            "median": 10,
            "p25": 10,
            "p75": 10,
            "p95": 10,
            "p99": 10,
            "mad": 0,
            "iqr": 0,
        }
    },
)

SILENCE: Final = BaselineCase(
    "windows without a row are zeros from the first date on, where their slices were published",
    together(
        [
            summed("2025-03-04", rows=(2, 0), cells={"sessions_cnt": (((5, 2),), ())}),
            summed("2025-03-05", OTHER_HOST, rows=(1, 0), cells={"drop_ratio": (((0, 1),), ())}),
        ]
    ),
    # No slices of 03-06.
    _at_work(["2025-03-03", "2025-03-04", "2025-03-05", "2025-03-07"], 10),
    baseline_rows={
        _OF_HOST: {"windows_cnt": 30, "samples_cnt": 30, "support_days": 3, "is_cold": 0},
        _OF_OTHER: {"windows_cnt": 20, "samples_cnt": 20, "support_days": 2, "is_cold": 1},
    },
    baseline={
        (_OF_HOST, "sessions_cnt"): {"n": 30, "median": 0, "p95": 5, "included": ((5, 2),)},
        # Of ratios nothing is known of silent windows.
        (_OF_OTHER, "drop_ratio"): {"n": 1},
    },
    # All of its windows are 0.
    no_baseline=[(_OF_OTHER, "sessions_cnt")],
)

_WEEK_OF_WORK: Final = date_range("2025-03-03", 5)

CONTAMINATION: Final = BaselineCase(
    "a fifth of the windows that stand out is left out, more is taken in",
    together(
        [
            summed(
                "2025-03-03",
                rows=(48, 12),
                cells={"sessions_cnt": (((10, 48),), ((100, 12),))},
            ),
            summed(
                "2025-03-03",
                OTHER_HOST,
                rows=(47, 13),
                cells={"sessions_cnt": (((10, 47),), ((100, 13),))},
            ),
        ]
    ),
    # The horizon has 50 silent windows, too: they don't count for the fifth.
    {"2025-03-03": {_AT_WORK: 60}, "2025-03-04": {_AT_WORK: 50}},
    baseline_rows={
        _OF_HOST: {"windows_cnt": 110, "samples_cnt": 98, "baseline_shift_flag": 0},
        _OF_OTHER: {"windows_cnt": 110, "samples_cnt": 110, "baseline_shift_flag": 1},
        _OF_SERVERS: {"windows_cnt": 220, "samples_cnt": 208, "baseline_shift_flag": 1},
    },
    baseline={
        # 50 zeros and 48 tens
        (_OF_HOST, "sessions_cnt"): {"n": 98, "median": 0, "p75": 10, "p95": 10, "p99": 10},
        # 50 zeros, 47 tens and 13 hundreds
        (_OF_OTHER, "sessions_cnt"): {"n": 110, "median": 10, "p75": 10, "p95": 100},
        (_OF_SERVERS, "sessions_cnt"): {
            "n": 208,
            "included": ((10, 95), (100, 13)),
            "excluded": (),
        },
    },
)

UNKNOWN_NOVELTY: Final = BaselineCase(
    "unknown values are no samples",
    together(
        [
            summed("2025-03-03", rows=(5, 0), cells={"new_peer_cnt": (((-1, 3), (2, 1)), ())}),
            summed(
                "2025-03-03", OTHER_HOST, rows=(10, 0), cells={"new_peer_cnt": (((-1, 10),), ())}
            ),
        ]
    ),
    _at_work(["2025-03-03"], 10),
    baseline={
        # Five silent windows, and one row, are 0.
        (_OF_HOST, "new_peer_cnt"): {"n": 7, "median": 0, "p95": 2},
        (_OF_OTHER, "new_peer_cnt"): {
            "n": 0,
            "median": None,
            "p25": None,
            "p75": None,
            "p95": None,
            "p99": None,
            "mad": None,
            "iqr": None,
            "included": ((-1, 10),),
        },
        (_OF_SERVERS, "new_peer_cnt"): {"n": 7, "included": ((-1, 13), (2, 1))},
    },
)

ALL_STOOD_OUT: Final = BaselineCase(
    "a ratio of which all values stood out has no samples",
    summed("2025-03-03", rows=(9, 1), cells={"drop_ratio": ((), ((1000, 1),))}),
    _at_work(["2025-03-03"], 10),
    baseline={
        (_OF_HOST, "drop_ratio"): {
            "n": 0,
            "median": None,
            "iqr": None,
            "included": (),
            "excluded": ((1000, 1),),
        }
    },
    no_baseline=[(_OF_SERVERS, "drop_ratio"), (_OF_NETWORK, "drop_ratio")],
)

_WHOLE_WEEK: Final[Windows] = {
    **{
        date: {
            ("wd_work", "w_1h"): 10,
            ("wd_off", "w_1h"): 5,
            ("wd_night", "w_1h"): 9,
            ("all", "w_24h"): 24,
        }
        for date in _WEEK_OF_WORK
    },
    **{date: {("we", "w_1h"): 24, ("all", "w_24h"): 24} for date in date_range("2025-03-01", 2)},
}

BANDS: Final = BaselineCase(
    "each part of the week has a baseline of its own, cold below half of its dates",
    together(
        [
            summed("2025-03-01", band="we", rows=(1, 0), cells={"sessions_cnt": (((5, 1),), ())}),
            summed("2025-03-05", OTHER_HOST, rows=(1, 0)),
            summed("2025-03-06", FAR_HOST, rows=(1, 0)),
        ]
    ),
    _WHOLE_WEEK,
    baseline_rows={
        _key("host", HOST, band="we"): {"windows_cnt": 48, "support_days": 2, "is_cold": 0},
        _key("host", HOST): {
            "rows_included": 0,
            "windows_cnt": 50,
            "support_days": 5,
            "is_cold": 0,
            "dates_mask": 0b1000000,  # of all parts of the week
        },
        _key("host", HOST, band="wd_off"): {"windows_cnt": 25, "is_cold": 0},
        _key("host", HOST, band="wd_night"): {"windows_cnt": 45, "is_cold": 0},
        _key("host", HOST, band="all"): {"windows_cnt": 168, "support_days": 7, "is_cold": 0},
        _key("host", OTHER_HOST): {"windows_cnt": 30, "support_days": 3, "is_cold": 0},
        # Three of seven dates.
        _key("host", OTHER_HOST, band="all"): {
            "windows_cnt": 72,
            "support_days": 3,
            "is_cold": 1,
        },
        _key("host", FAR_HOST): {"windows_cnt": 20, "support_days": 2, "is_cold": 1},
        _key("segment", "servers"): {
            "hosts_cnt": 2,
            "windows_cnt": 80,
            "support_days": 5,
            "is_cold": 0,
            "dates_mask": 0b1000100,
        },
        _key("segment", "servers", band="we"): {"hosts_cnt": 1, "windows_cnt": 48},
        _key("segment", "10.0.9.0/24"): {"hosts_cnt": 1, "support_days": 2, "is_cold": 1},
        _key("network", "network"): {"hosts_cnt": 3, "windows_cnt": 100, "dates_mask": 0b1000110},
    },
    baseline={(_key("host", HOST, band="we"), "sessions_cnt"): {"n": 48}},
    no_baseline=[(_key("host", HOST), "sessions_cnt")],
    no_baseline_rows=[_key("host", OTHER_HOST, band="we"), _key("host", FAR_HOST, band="we")],
)

FLEETING: Final = BaselineCase(
    "a host whose name does not last is cold, its segment is not",
    summed("2025-03-03", rows=(1, 0)),
    _at_work(_WEEK_OF_WORK, 4),
    fleeting=frozenset({HOST}),
    baseline_rows={
        _OF_HOST: {"support_days": 5, "is_cold": 1},
        _OF_SERVERS: {"support_days": 5, "is_cold": 0},
    },
)

BASELINE_CASES: Final = (
    EVERY_COLUMN,
    TEN_FOR_SEVEN_DAYS,
    SILENCE,
    CONTAMINATION,
    UNKNOWN_NOVELTY,
    ALL_STOOD_OUT,
    BANDS,
    FLEETING,
)
