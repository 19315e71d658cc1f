"""Correlations by Polars are those of the reference, to the last bit, whatever windows and baselines there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, Final

from attrs import asdict, evolve, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.baselines.metrics import METRICS, UNKNOWN, Absent, Metric, metrics_named
from ndr_core.baselines.readout import read_off
from ndr_core.baselines.samples import with_zeros
from ndr_core.baselines.tables import HOST, NETWORK, SEGMENT
from ndr_core.correlations.formulas import EXFIL_METRIC
from ndr_core.correlations.plan import BaselineDate, CorrelationPlan
from ndr_core.correlations.reference import CorrelationRows, build_correlations
from ndr_core.features.days import date_of
from ndr_core.features.networks import Networks
from ndr_core.tables.columns import ColumnType, Histogram, add_histograms
from ndr_core.tables.merge import Row
from ndr_core.windows.labels import WindowLabel
from tests.correlation_cases import ANCHOR, ELEVENTH, FG_A, TWELFTH, made_of, usual, window
from tests.correlation_frames import polars_correlations
from tests.property.frames import exactly
from tests.soak import examples
from tests.window_cases import DAY, HOUR, PUBLISHED_AT, QUARTER

NETWORKS: Final = Networks(segments={"servers": ("10.0.1.0/24", "2001:db8::/48")})
HOSTS: Final = ("10.0.0.1", "10.0.0.2", "10.0.1.5", "10.0.2.6", "fd00::1", "2001:db8::7")
LABELS: Final = (QUARTER, HOUR, DAY)
HORIZONS: Final = ("7d", "30d")
ROLES: Final = ("outbound", "inbound")
BANDS: Final = ("wd_work", "we")

_COUNTS: Final = (0, 0, 1, 2, 7, 10, 127, 128, 129, 1000, 65_537, 1 << 33, (1 << 50) - 1)
_FLOATS: Final = (0.0, 0.2, 1 / 3, 0.4999, 0.5, 0.99999, 1.0, 3.807354922057604, 17.25)
_BUCKETS: Final = (0, 1, 2, 7, 10, 127, 128, 129, 300, 2047, 2048, 2049, 11_169, 40_000, 55_295)


@frozen
class Draw:
    """Random windows and baselines: the same seed, the same ones."""

    random: Random
    plan: CorrelationPlan
    dates: Mapping[WindowLabel, BaselineDate]

    def rows(self) -> CorrelationRows:
        windows = [
            self._window(host, role, label)
            for host in HOSTS
            for role in ROLES
            for label in LABELS
            if self.random.random() < 0.6
        ]
        self.random.shuffle(windows)
        baselines = [one for place in self._places() for one in [self._baseline(place)] if one]
        baseline = [row for rows, _ in baselines for row in rows]
        self.random.shuffle(baseline)
        return CorrelationRows(windows, baseline, [row for _, row in baselines], self.dates)

    def _window(self, host: str, role: str, label: WindowLabel) -> Row:
        """A window whose numbers have nothing to do with each other, and of which some are null."""
        choice = self.random.choice
        values: dict[str, Any] = {}
        for column in FG_A.columns:
            if column.type is ColumnType.INT64:
                values[column.name] = choice([*_COUNTS, None])
            elif column.type is ColumnType.FLOAT64:
                values[column.name] = choice([*_FLOATS, None])
        band = "all" if label.is_day else choice(BANDS)
        same = {"role": role, "time_band": band, "is_partial": choice([0, 0, 1])}
        return window(host, label, **(values | same))

    def _places(self) -> Iterator[Row]:
        names = {
            HOST: HOSTS,
            SEGMENT: sorted({NETWORKS.segment_of(host) for host in HOSTS}),
            NETWORK: (NETWORK,),
        }
        for label in LABELS:
            for scope, known in names.items():
                for name in known:
                    for date in (TWELFTH, ELEVENTH):
                        for band in ("all",) if label.is_day else BANDS:
                            for role in ROLES:
                                for horizon in HORIZONS:
                                    yield {
                                        "scope": scope,
                                        "name": name,
                                        "window_label": label.name,
                                        "dt": date_of(date.date),
                                        "time_band": band,
                                        "role": role,
                                        "horizon": horizon,
                                    }

    def _baseline(self, place: Row) -> tuple[list[Row], Row] | None:
        """Rows of some metrics, and what they are made of."""
        chance, choice = self.random.random, self.random.choice
        if chance() < 0.3:
            return None
        is_host = place["scope"] == HOST
        samples = choice([0, 19, 20, 40, 100, 100_000])
        row = made_of(
            samples,
            **place,
            is_cold=int(chance() < 0.2),
            hosts_cnt=1 if is_host else choice([4, 5, 90]),
            baseline_shift_flag=int(chance() < 0.3),
        )
        metrics = [metric for metric in self.plan.metrics if chance() < 0.8]
        return [self._of_metric(metric, row, place) for metric in metrics], row

    def _of_metric(self, metric: Metric, row: Row, place: Row) -> Row:
        included = self._cells(metric)
        excluded = self._cells(metric) if place["scope"] == HOST else ()
        used = add_histograms([included, *([excluded] if row["baseline_shift_flag"] else [])])
        whole = with_zeros(metric.absent, used, row["samples_cnt"])
        return usual(
            metric.name, dict(included), excluded=dict(excluded), **place, **asdict(read_off(whole))
        )

    def _cells(self, metric: Metric) -> Histogram:
        """Cells as they are stored: of counts without bucket 0, maybe with unknown values; of others the other way."""
        other, special = (0, UNKNOWN) if metric.absent is Absent.ZERO else (UNKNOWN, 0)
        buckets = set(self.random.choices(_BUCKETS, k=self.random.randrange(8)))
        if self.random.random() < 0.3:
            buckets.add(special)
        return tuple((bucket, self.random.randrange(1, 30)) for bucket in sorted(buckets - {other}))


@frozen
class Case:
    """What is compared with what."""

    plan: CorrelationPlan
    dates: Mapping[WindowLabel, BaselineDate]
    seed: int

    @property
    def rows(self) -> CorrelationRows:
        return Draw(Random(self.seed), self.plan, self.dates).rows()


@st.composite
def cases(draw: st.DrawFn) -> Case:
    names = [metric.name for metric in METRICS]
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=12, unique=True))
    metrics = metrics_named([*chosen, EXFIL_METRIC])
    plan = CorrelationPlan(
        anchor=ANCHOR,
        labels=tuple(draw(st.lists(st.sampled_from(LABELS), min_size=1, unique=True))),
        metrics=metrics,
        key_metrics=tuple(draw(st.lists(st.sampled_from(chosen), min_size=1, unique=True))),
        horizons=draw(st.sampled_from([HORIZONS, HORIZONS[:1]])),
        min_bytes=draw(st.sampled_from([0, 1, 1000, 1 << 33])),
        networks=NETWORKS,
        feature_spec_version="v1",
        published_at=PUBLISHED_AT,
    )
    dates = {
        label: evolve(
            draw(st.sampled_from([TWELFTH, ELEVENTH])), is_known=draw(st.integers(0, 4)) > 0
        )
        for label in LABELS
    }
    return Case(plan, dates, draw(st.integers(0, 1 << 32)))


@settings(max_examples=examples(40), deadline=None)
@given(cases(), st.integers(1, 3))
def test_correlations_in_any_shares_are_those_of_the_reference(case: Case, shares: int) -> None:
    rows = case.rows
    expected = build_correlations(case.plan, rows)

    built = polars_correlations(case.plan, rows, FG_A.columns, shares)

    assert exactly(built) == exactly(expected)
