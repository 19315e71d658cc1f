"""Summaries and baselines by Polars are those of the reference, to the last bit, however they are shared out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Final

import pytest
from attrs import evolve, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.baselines.horizon import Horizon
from ndr_core.baselines.metrics import METRICS, metrics_named
from ndr_core.baselines.plan import BaselinePlan
from ndr_core.baselines.reference import baseline_tables, summary_tables
from ndr_core.baselines.rows import (
    BaselineTables,
    HorizonRows,
    PlainRow,
    SummaryRows,
    SummaryTables,
)
from ndr_core.baselines.tables import NETWORK, SEGMENT
from ndr_core.errors import NdrError
from ndr_core.expressions.expr import columns_of
from ndr_core.features.days import date_of
from ndr_core.tables.columns import ColumnType, Histogram
from ndr_core.tables.merge import Row
from ndr_core.windows.calendar import TimeBand
from ndr_core.windows.labels import WindowLabel
from tests.baseline_cases import (
    BASELINE_CASES,
    DATE,
    HOST,
    LABELS,
    MONTH,
    OTHER_HOST,
    SUMMARY_CASES,
    TEN_FOR_SEVEN_DAYS,
    WEEK,
    BaselineCase,
    SummaryCase,
    Windows,
    baseline_plan,
    of_dates,
    summary_plan,
    summed,
    tables_of,
    together,
    window,
)
from tests.baseline_frames import plain, polars_baselines, polars_summary
from tests.property.frames import exactly
from tests.property.test_baseline_sums import CASES, LAST
from tests.soak import examples
from tests.window_cases import window_plan

HOSTS: Final = ("10.0.1.5", "10.0.1.20", "10.0.9.9", "fd00::1", "198.51.100.9")
ROLES: Final = ("outbound", "outbound", "inbound")
NAMES: Final = tuple(metric.name for metric in METRICS)
FLOATS: Final = frozenset(
    column.name for column in window_plan().fg_a.columns if column.type is ColumnType.FLOAT64
)
READ: Final = tuple(sorted({name for metric in METRICS for name in columns_of(metric.value)}))
COUNTED: Final = (*NAMES[::4], "drop_ratio", "new_peer_cnt")
HORIZONS: Final = (WEEK, Horizon(3, 1), MONTH)
SHARES: Final = st.sampled_from([1, 1, 2, 5])


@frozen
class Draw:
    """Random windows and summaries: the same seed, the same ones."""

    random: Random

    def windows(self, date: int) -> list[Row]:
        """Rows of `fg_a` that end in a date, each key once."""
        found = [self._window(date) for _ in range(self.random.randrange(40))]
        keys = ("window_end_ts", "role", "host_ip", "window_label")
        return list({tuple(row[key] for key in keys): row for row in found}.values())

    def _window(self, date: int) -> Row:
        label = self.random.choice(LABELS)
        minute = self.random.randrange(1, 1 + 1440 // label.every) * label.every
        days, rest = divmod(minute, 1440)
        text = f"{date_of(date + days)}T{rest // 60:02}:{rest % 60:02}"
        row = window(text, self.random.choice(HOSTS), label)
        return {**row, "role": self.random.choice(ROLES), **self._values()}

    def _values(self) -> Row:
        """Values of the columns that are read: some large, some absent, most of usual size."""
        kind = self.random.choice(["usual", "usual", "any", "none"])
        return {name: self._value(name, kind) for name in READ}

    def _value(self, name: str, kind: str) -> float | int | None:
        if kind == "none" or (kind == "any" and self.random.random() < 0.3):
            return None
        if name in FLOATS:
            return self.random.choice([0.0, 1.0, self.random.random(), self.random.random() * 30])
        usual = self.random.choice([0, 1, 2, 10, 11])
        return usual if kind == "usual" else self.random.choice([usual, self._amount()])

    def _amount(self) -> int:
        return self.random.randrange(1 << self.random.randrange(1, 50))

    def summary(self, date: int, windows: Windows) -> SummaryTables:
        """The summary of a date, with no more rows of a key than there were windows."""
        found = []
        for host in HOSTS:
            for role in {*ROLES}:
                if self.random.random() < 0.5:
                    continue
                for (band, label), count in windows.get(date_of(date), {}).items():
                    if count and self.random.random() < 0.7:
                        found.append(self._summed(date, host, role, band, label, count))
        return together(found)

    def _summed(
        self, date: int, host: str, role: str, band: str, label: str, windows: int
    ) -> SummaryTables:
        rows = self.random.randrange(1, windows + 1)
        excluded = self.random.choice([0, 0, 0, self.random.randrange(rows + 1)])
        key = {
            "host_ip": host,
            "window_label": label,
            "published_at": 1,
            "feature_spec_version": "v1",
            "dt": date_of(date),
            "role": role,
            "time_band": band,
        }
        cells = [
            {
                **key,
                "metric": metric,
                "included": self._histogram(metric, rows - excluded),
                "excluded": self._histogram(metric, excluded),
            }
            for metric in self.random.sample(COUNTED, 3)
        ]
        kept = [row for row in cells if row["included"] or row["excluded"]]
        return SummaryTables(
            kept, [{**key, "rows_included": rows - excluded, "rows_excluded": excluded}]
        )

    def _histogram(self, metric: str, rows: int) -> Histogram:
        """At most so many samples."""
        (known,) = metrics_named([metric])
        least = 0 if known.absent.value == "null" else 1
        found: dict[int, int] = {}
        for _ in range(self.random.randrange(rows + 1)):
            buckets = [least, 3, 4, 5, 70, self.random.randrange(1, 2500)]
            unknown = [-1] if least else []
            bucket = self.random.choice([*buckets, *unknown])
            found[bucket] = found.get(bucket, 0) + 1
        return tuple(sorted(found.items()))

    def covered(self, dates: range) -> Windows:
        """How many windows of each date were summed up: of some dates none."""
        found: dict[str, dict[tuple[str, str], int]] = {}
        for date in dates:
            if self.random.random() < 0.85:
                pairs = [(band.value, label.name) for band in TimeBand for label in LABELS]
                chosen = self.random.sample(pairs, self.random.randrange(1, 5))
                found[date_of(date)] = {pair: self.random.choice([0, 1, 4, 12]) for pair in chosen}
        return found


@frozen
class Days:
    """The summaries of some dates, and the plans of baselines of them."""

    summaries: SummaryTables
    windows: Windows
    fleeting: frozenset[str]

    @classmethod
    def of(cls, draw: Draw, date: int) -> Days:
        """Those that the baselines of a date, and of some dates before, are made of."""
        dates = range(date - 45, date)
        windows = draw.covered(dates)
        busy = draw.random.sample(dates, 8)
        summaries = together(draw.summary(one, windows) for one in sorted({*busy, *dates[-11:]}))
        return cls(summaries, windows, frozenset(draw.random.sample(HOSTS, 1)))

    def plan(self, date: int) -> BaselinePlan:
        return baseline_plan(
            self.windows, date=date, horizons=HORIZONS, metrics=NAMES, fleeting=self.fleeting
        )

    def anew(self, date: int) -> list[HorizonRows]:
        return [
            HorizonRows(of_dates(self.summaries, one.dates)) for one in self.plan(date).horizons
        ]

    def gone_on(self, date: int, former: BaselineTables) -> list[HorizonRows]:
        return [
            HorizonRows(
                added=of_dates(self.summaries, [one.dates[-1]]),
                removed=of_dates(self.summaries, [one.dates[0] - 1]),
                former=former,
            )
            for one in self.plan(date).horizons
        ]


def same(found: Mapping[str, Sequence[Row]], expected: Mapping[str, Sequence[Row]]) -> None:
    """Assert that tables are equal to the last bit."""
    for name, rows in plain(expected).items():
        assert exactly(found[name]) == exactly(rows), name


def ends_of(rows: Sequence[PlainRow]) -> dict[int, tuple[WindowLabel, ...]]:
    """End of windows, us -> the labels of those with rows."""
    by_name = {label.name: label for label in LABELS}
    found: dict[int, tuple[WindowLabel, ...]] = {}
    for row in rows:
        at_end = found.get(row["window_end_ts"], ())
        found[row["window_end_ts"]] = tuple(sorted({*at_end, by_name[row["window_label"]]}))
    return found


@pytest.mark.parametrize("case", SUMMARY_CASES, ids=lambda case: case.name)
def test_a_summary_by_hand_is_the_same_by_polars(case: SummaryCase) -> None:
    found = polars_summary(case.plan, case.rows, case.ends, case.excluded_ends)

    same(found, {"summary": case.summary, "summary_rows": case.summary_rows})


@pytest.mark.parametrize("case", BASELINE_CASES, ids=lambda case: case.name)
def test_baselines_by_hand_are_the_same_by_polars(case: BaselineCase) -> None:
    found = polars_baselines(case.plan, case.anew())

    case.check(found["baseline"], found["baseline_rows"])
    same(found, case.build())


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(0, 1 << 32), SHARES)
def test_a_summary_is_that_of_the_reference(seed: int, shares: int) -> None:
    draw = Draw(Random(seed))
    windows = draw.windows(DATE)
    in_period = {row["window_end_ts"] for row in windows if draw.random.random() < 0.1}
    judged_by = Days.of(draw, DATE)
    judge = tables_of(baseline_tables(judged_by.plan(DATE), judged_by.anew(DATE)))
    rows = SummaryRows(
        [row for row in windows if row["window_end_ts"] not in in_period],
        [row for row in windows if row["window_end_ts"] in in_period],
        judge,
    )
    plan = summary_plan(date_of(DATE), NAMES, draw.random.sample(NAMES, 8))

    found = polars_summary(plan, rows, ends_of(rows.included), ends_of(rows.excluded), shares)

    same(found, summary_tables(plan, rows))


@settings(max_examples=examples(24), deadline=None)
@given(st.integers(0, 1 << 32), SHARES)
def test_baselines_of_all_dates_are_those_of_the_reference(seed: int, shares: int) -> None:
    days = Days.of(Draw(Random(seed)), DATE)

    found = polars_baselines(days.plan(DATE), days.anew(DATE), shares)

    same(found, baseline_tables(days.plan(DATE), days.anew(DATE)))


@settings(max_examples=examples(24), deadline=None)
@given(st.integers(0, 1 << 32), SHARES)
def test_baselines_that_go_on_from_the_day_before_are_those_of_all_dates(
    seed: int, shares: int
) -> None:
    days = Days.of(Draw(Random(seed)), DATE)
    former = tables_of(baseline_tables(days.plan(DATE - 1), days.anew(DATE - 1)))

    found = polars_baselines(days.plan(DATE), days.gone_on(DATE, former), shares)

    same(found, baseline_tables(days.plan(DATE), days.anew(DATE)))
    same(found, baseline_tables(days.plan(DATE), days.gone_on(DATE, former)))


@settings(max_examples=examples(40), deadline=None)
@given(CASES, st.integers(LAST - 8, LAST - 2))
def test_baselines_that_go_on_for_days_are_those_of_all_dates(
    case: BaselineCase, first: int
) -> None:
    begin = evolve(case, date=first)
    tables = polars_baselines(begin.plan, begin.anew())
    for date in (first + 1, first + 2):
        of_date = evolve(case, date=date)
        tables = polars_baselines(of_date.plan, of_date.gone_on(tables_of(tables)))

        same(tables, of_date.build())


A_DAY_LATER: Final = evolve(TEN_FOR_SEVEN_DAYS, date=DATE + 1, baseline={})
"""Goes on from seven days: 2025-03-01 leaves."""


def error_of(case: BaselineCase, horizons: Sequence[HorizonRows]) -> str:
    """The message with which the reference, and Polars too, refuses to build."""
    found = []
    for build in (baseline_tables, polars_baselines):
        with pytest.raises(NdrError) as raised:
            build(case.plan, horizons)
        found.append(str(raised.value))
    assert found[0] == found[1]
    return found[0]


def leaving(rows: int, cells: Histogram, host: str = HOST) -> SummaryTables:
    """A summary of the date that leaves."""
    return summed(
        "2025-03-01",
        host,
        rows=(rows, 0),
        band="all",
        label="w_24h",
        cells={"sessions_cnt": (cells, ())},
    )


@pytest.mark.parametrize(
    "removed",
    [
        pytest.param(SummaryTables(), id="nothing of it"),
        pytest.param(leaving(169, ((10, 24),)), id="more rows than there are"),
        pytest.param(leaving(24, ((10, 169),)), id="more in a bucket than there is"),
        pytest.param(leaving(24, ((11, 24),)), id="other values"),
        pytest.param(
            together([leaving(24, ((10, 24),)), leaving(1, (), OTHER_HOST)]),
            id="a host that was not there",
        ),
    ],
)
def test_baselines_are_not_gone_on_from_where_the_leaving_date_does_not_fit(
    removed: SummaryTables,
) -> None:
    former = tables_of(A_DAY_LATER.the_day_before.build())
    (horizon,) = A_DAY_LATER.gone_on(former)

    error = error_of(A_DAY_LATER, [evolve(horizon, removed=removed)])

    assert error.startswith("baseline: the 7d baselines of 2025-03-10 were not made from")


def test_more_windows_of_a_host_than_were_summed_up_are_an_error() -> None:
    windows = {date: {("all", "w_24h"): 23} for date in TEN_FOR_SEVEN_DAYS.windows}
    case = evolve(TEN_FOR_SEVEN_DAYS, windows=windows)

    error = error_of(case, case.anew())

    assert error.startswith("summary_rows: host 10.0.1.5 has more windows in the summaries of")


@pytest.mark.parametrize("scope", [SEGMENT, NETWORK])
def test_baselines_are_not_gone_on_from_where_those_of_a_scope_do_not_fit(scope: str) -> None:
    built = A_DAY_LATER.the_day_before.build()
    changed = [
        {**row, "included": ((10, 1),)} if row["scope"] == scope else row
        for row in built["baseline"]
    ]
    former = tables_of({**built, "baseline": changed})

    with pytest.raises(NdrError, match=rf"were not made from .* \({scope} [^)]+\); build"):
        polars_baselines(A_DAY_LATER.plan, A_DAY_LATER.gone_on(former))
