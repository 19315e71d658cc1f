"""Correlations that can be worked out by hand: windows, their baselines, and what is in their rows.

The unit tests of the reference and those of every engine take the same cases.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import pytest
from attrs import evolve, field, frozen

from ndr_core.baselines.metrics import metrics_named
from ndr_core.baselines.tables import BASELINE, BASELINE_ROWS, HOST, NETWORK, SEGMENT
from ndr_core.correlations.formulas import EXFIL_METRIC
from ndr_core.correlations.plan import BaselineDate, CorrelationPlan
from ndr_core.correlations.reference import CorrelationRows, build_correlations
from ndr_core.features.days import date_of
from ndr_core.tables.merge import Row
from ndr_core.tables.slices import partition_of
from ndr_core.tables.table import Table
from ndr_core.times import day_of
from ndr_core.windows.labels import WindowLabel
from tests.makers import us
from tests.window_cases import DAY, HOUR, NETWORKS, PUBLISHED_AT, QUARTER, window_plan

ANCHOR: Final = us("2025-03-12T11:00:00Z")
TWELFTH: Final = BaselineDate(day_of(ANCHOR), us("2025-03-11T23:00:00Z"))
"""The date on which windows of an hour begin, in Berlin."""
ELEVENTH: Final = BaselineDate(TWELFTH.date - 1, us("2025-03-10T23:00:00Z"))
"""The date on which the window of a day begins."""
UNKNOWN_DATE: Final = evolve(TWELFTH, is_known=False)

HOST_IP: Final = "10.0.0.1"
ITS_SEGMENT: Final = "10.0.0.0/24"
FG_A: Final = window_plan().fg_a

NOTHING: Final[dict[str, Any]] = {
    "z": None,
    "upper_z": None,
    "tail_bits": None,
    "ratio": None,
    "log2_ratio": None,
    "excess_p99": None,
    "scope": None,
}
"""The columns of a metric without a baseline."""


def near(value: float) -> Any:
    """A number with logarithms in it, whose last digits no hand works out."""
    return pytest.approx(value, abs=1e-11)


def window(host: str = HOST_IP, label: WindowLabel = HOUR, **columns: Any) -> Row:
    """A row of `fg_a` that ends at ANCHOR: of role outbound, whole, and null in all that is not named."""
    row: Row = {
        **dict.fromkeys(column.name for column in FG_A.columns),
        "host_ip": host,
        "window_label": label.name,
        "window_start_ts": label.start(ANCHOR),
        "window_end_ts": ANCHOR,
        "coverage_slices": label.slices(15),
        "is_partial": 0,
        "time_band": "all" if label.is_day else "wd_work",
        "published_at": PUBLISHED_AT,
        "feature_spec_version": "v1",
        "role": "outbound",
        **partition_of(ANCHOR),
    }
    assert columns.keys() <= row.keys()
    return row | columns


_PLACE: Final[dict[str, Any]] = {
    "scope": HOST,
    "name": HOST_IP,
    "window_label": HOUR.name,
    "horizon": "7d",
    "published_at": PUBLISHED_AT,
    "feature_spec_version": "v1",
    "dt": date_of(TWELFTH.date),
    "role": "outbound",
    "time_band": "wd_work",
}
"""A baseline of the host for its window of an hour."""


def usual(
    metric: str,
    cells: Mapping[int, int],
    *,
    excluded: Mapping[int, int] | None = None,
    **columns: Any,
) -> Row:
    """A row of `baseline`. `cells`: bucket -> samples, as they are stored; `columns`: `n`, `median` .. `iqr`."""
    row = {
        **dict.fromkeys(column.name for column in BASELINE.columns),
        **_PLACE,
        "metric": metric,
        "included": tuple(sorted(cells.items())),
        "excluded": tuple(sorted((excluded or {}).items())),
    }
    return _of_table(BASELINE, row | columns)


def constant(metric: str, value: int, n: int, **columns: Any) -> Row:
    """A row of `baseline` whose samples all have one value; below 2048 a value is its own bucket."""
    read_off = {"n": n, "median": value, "p99": value, "mad": 0, "iqr": 0}
    return usual(metric, {value: n}, **(read_off | columns))


def made_of(samples: int, **columns: Any) -> Row:
    """A row of `baseline_rows` of so many samples: of a host, and not cold."""
    row = {
        **_PLACE,
        "rows_included": samples,
        "rows_excluded": 0,
        "windows_cnt": samples,
        "samples_cnt": samples,
        "hosts_cnt": 1,
        "support_days": 5,
        "is_cold": 0,
        "baseline_shift_flag": 0,
        "dates_mask": 0b1111111,
        "baseline_start_ts": us("2025-03-02T23:00:00Z"),
        "baseline_end_ts": us("2025-03-09T23:00:00Z"),
    }
    return _of_table(BASELINE_ROWS, row | columns)


def _of_table(table: Table, row: Row) -> Row:
    assert row.keys() == {column.name for column in table.columns}
    return row


def of_metric(metric: str, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Name the columns of a metric: `z` -> `sessions_cnt_z`."""
    return {f"{metric}_{ending}": value for ending, value in columns.items()}


@frozen
class CorrelationCase:
    """Windows of one anchor, and what their rows must hold."""

    name: str
    metrics: Sequence[str]
    """Beside ext_bytes_sent_sum, which all correlations have."""
    windows: Sequence[Row]
    baseline: Sequence[Row]
    baseline_rows: Sequence[Row]
    fg_c: Mapping[tuple[str, str], Mapping[str, Any]]
    """Host and horizon -> columns of their row, and what is in them."""
    key_metrics: Sequence[str] = ()
    """None given: all of `metrics`."""
    horizons: Sequence[str] = ("7d",)
    dates: Mapping[WindowLabel, BaselineDate] = field(factory=lambda: {HOUR: TWELFTH})

    @property
    def plan(self) -> CorrelationPlan:
        return CorrelationPlan(
            anchor=ANCHOR,
            labels=tuple(self.dates),
            metrics=metrics_named([*self.metrics, EXFIL_METRIC]),
            key_metrics=tuple(self.key_metrics or self.metrics),
            horizons=tuple(self.horizons),
            min_bytes=10_000_000,
            networks=NETWORKS,
            feature_spec_version="v1",
            published_at=PUBLISHED_AT,
        )

    @property
    def rows(self) -> CorrelationRows:
        return CorrelationRows(self.windows, self.baseline, self.baseline_rows, self.dates)

    def build(self) -> list[Row]:
        return build_correlations(self.plan, self.rows)

    def differences(self, rows: Iterable[Row]) -> dict[tuple[str, str], dict[str, Any]]:
        """Give what rows have instead of what was worked out by hand; nothing where they agree."""
        made = {(row["host_ip"], row["horizon"]): row for row in rows}
        wrong = {
            key: {name: made[key][name] for name in expected if made[key][name] != expected[name]}
            for key, expected in self.fg_c.items()
        }
        return {key: columns for key, columns in wrong.items() if columns}


# Each kind of scale once: n = 20 where nothing else is said.
_EVERY_WINDOW: Final = window(
    sessions_cnt=100,
    drop_cnt=30,
    ext_bytes_sent_sum=20_000_000,
    new_ext_bytes_sent=15_000_000,
    peer_ip_nunique=100,
    duration_us_sum=700_000_999,
    high_risk_sessions_cnt=3,
    new_peer_cnt=1,
    scan_score=0.25,
    brute_score=0.5,
    lateral_score=0.75,
    beacon_threat_max=600,
)
_Z_SESSIONS: Final = 90.0
_Z_BYTES: Final = 18_999_809.0 / (1_000_191.0 * 0.05)

EVERY_COLUMN: Final = CorrelationCase(
    "every column of a window, with metrics of each unit, kind and scale",
    metrics=(
        "sessions_cnt",
        "high_risk_sessions_cnt",
        "ext_bytes_sent_sum",
        "peer_ip_nunique",
        "duration_mean",
        "drop_ratio",
        "new_peer_cnt",
        "scan_score",
    ),
    key_metrics=("sessions_cnt", "peer_ip_nunique"),
    windows=[_EVERY_WINDOW],
    baseline=[
        # Seven days of 10, then 100.
        constant("sessions_cnt", 10, 40),
        # A million is 1953 * 2^9 and a rest: bucket 9 * 1024 + 1953, whose middle is 1953 * 512 + 255 = 1,000,191.
        usual(
            "ext_bytes_sent_sum", {11_169: 40}, n=40, median=1_000_191, p99=1_000_191, mad=0, iqr=0
        ),
        # 20 zeros, then 20, 4 of 50, 5 each of 60, 90, 120. Ranks 10, 20, 30, 40: p25 0, median 0, p75 60, p99 120.
        # Distances from 0 are the values: mad 0.
        usual(
            "peer_ip_nunique",
            {20: 1, 50: 4, 60: 5, 90: 5, 120: 5},
            n=40, median=0, p99=120, mad=0, iqr=60,
        ),
        # Ranks 5, 10, 15, 20: p25 50, median 60, p75 90, p99 120. Distances: 5 of 0, 4 of 10, 5 of 30: rank 10 is 30.
        usual(
            "duration_mean",
            {20: 1, 50: 4, 60: 5, 90: 5, 120: 5},
            n=20, median=60, p99=120, mad=30, iqr=40,
        ),
        # p25 20, median 60, p75 110, p99 127. Distances: 5 each of 0, 40, 50, 67: rank 10 is 40.
        usual(
            "drop_ratio", {20: 5, 60: 5, 110: 5, 127: 5}, n=20, median=60, p99=127, mad=40, iqr=90
        ),
        # Of 8 of 40 windows nothing is known; 28 of the rest had no new peer. Of 32: rank 16 is 0, 32 is 2; p75 0.
        usual("new_peer_cnt", {-1: 8, 2: 4}, n=32, median=0, p99=2, mad=0, iqr=0),
        # Thousandths: 30 windows of 40 without a scan: p25, median, p75 0, p99 100.
        usual("scan_score", {100: 10}, n=40, median=0, p99=100, mad=0, iqr=0),
    ],
    baseline_rows=[made_of(40)],
    fg_c={
        (HOST_IP, "7d"): {
            "host_ip": HOST_IP,
            "window_label": "w_1h",
            "window_end_ts": ANCHOR,
            "horizon": "7d",
            "baseline_ts": us("2025-03-11T23:00:00Z"),
            "time_band": "wd_work",
            "is_partial": 0,
            "published_at": PUBLISHED_AT,
            "feature_spec_version": "v1",
            "dt": "2025-03-12",
            "hh": "11",
            "mm": "00",
            "role": "outbound",
            # Of the key metrics sessions_cnt stands out most, 90 against 100 / 51.6.
            "anomaly_strength": _Z_SESSIONS / (_Z_SESSIONS + 6.0),
            # Three quarters of the bytes went to new peers.
            "exfil_score": _Z_BYTES / (_Z_BYTES + 6.0) * (0.75 + 1.0) / 2.0,
            "scan_score": 0.25,
            "brute_score": 0.5,
            "lateral_score": 0.75,
            "beacon_threat_max": 600,
            **of_metric("sessions_cnt", {
                "z": _Z_SESSIONS,  # 0.05 * 10 is below 1, so the scale is 1
                "upper_z": _Z_SESSIONS,  # p99 is the median
                "tail_bits": near(5.357552004618084),  # log2(41), as none of 40 samples is as large
                "ratio": 10.0,
                "log2_ratio": near(6.658211482751795 - 3.459431618637297),  # log2(101) - log2(11)
                "excess_p99": 90,
                "scope": "host",
            }),
            **of_metric("high_risk_sessions_cnt", {  # no row: 40 windows, all 0
                "z": 3.0,
                "upper_z": 3.0,
                "tail_bits": near(5.357552004618084),
                "ratio": None,  # the median is 0
                "log2_ratio": near(2.0),  # log2(4) - log2(1)
                "excess_p99": 3,
                "scope": "host",
            }),
            **of_metric("ext_bytes_sent_sum", {
                "z": _Z_BYTES,  # the scale is a twentieth of the median
                "upper_z": _Z_BYTES,
                "tail_bits": near(5.357552004618084),
                "ratio": 20_000_000 / 1_000_191,
                # 20,000,000 is 1220 * 2^14 and a rest: the middle of its bucket is 19,996,671.
                "log2_ratio": near(24.253256579781155 - 19.931845540183673),
                "excess_p99": 18_999_809,
                "scope": "host",
            }),
            **of_metric("peer_ip_nunique", {
                "z": 100.0 / (60.0 * 0.7413),  # the scale is that of the iqr
                "upper_z": 100.0 / (120.0 / 2.3263),  # 51.6 against 44.5
                "tail_bits": near(5.357552004618084 - 2.584962500721156),  # log2(41) - log2(5 + 1)
                "ratio": None,
                "log2_ratio": near(6.658211482751795),  # log2(101)
                "excess_p99": 0,
                "scope": "host",
            }),
            **of_metric("duration_mean", {  # 700,000,999 // 100 // 1000 = 7000 ms
                "z": 6.94,  # (7000 - 60) / 1000: 1.4826 * 30 is below the floor of times
                "upper_z": 6.94,
                "tail_bits": near(4.392317422778761),  # log2(21)
                "ratio": 7000 / 60,
                # 7000 is 1750 * 2^2: the middle of its bucket is 7000 + 1.
                "log2_ratio": near(12.773551346428505 - 5.930737337562887),
                "excess_p99": 6880,
                "scope": "host",
            }),
            **of_metric("drop_ratio", {  # 1000 * 30 // 100
                "z": 240.0 / (90.0 * 0.7413),  # 66.7 against 1.4826 * 40 = 59.3 and 50
                "upper_z": 240.0 / (90.0 * 0.7413),  # (127 - 60) / 2.3263 = 28.8 is less
                "tail_bits": near(4.392317422778761),
                "ratio": 5.0,
                "log2_ratio": near(8.233619676759702 - 5.930737337562887),  # log2(301) - log2(61)
                "excess_p99": 173,
                "scope": "host",
            }),
            **of_metric("new_peer_cnt", {
                "z": 1.0,
                "upper_z": 1.0,
                "tail_bits": near(5.044394119358453 - 2.321928094887362),  # log2(33) - log2(4 + 1)
                "ratio": None,
                "log2_ratio": near(1.0),
                "excess_p99": 0,
                "scope": "host",
            }),
            **of_metric("scan_score", {  # 250 thousandths
                "z": 5.0,  # 250 / 50
                "upper_z": 5.0,  # 100 / 2.3263 is below the floor
                "tail_bits": near(5.357552004618084),
                "ratio": None,
                "log2_ratio": near(7.971543553950772),  # log2(251)
                "excess_p99": 150,
                "scope": "host",
            }),
        },
    },
)  # fmt: skip

MAD_AS_SCALE: Final = CorrelationCase(
    "the median distance is the scale where it is larger than that of the quartiles",
    metrics=("peer_ip_nunique",),
    windows=[window(peer_ip_nunique=100)],
    baseline=[
        # p25 50, median 60, p75 90, p99 120; distances: 5 of 0, 4 of 10, 5 of 30: rank 10 is 30, and 30 > 40 / 2.
        usual(
            "peer_ip_nunique",
            {20: 1, 50: 4, 60: 5, 90: 5, 120: 5},
            n=20, median=60, p99=120, mad=30, iqr=40,
        ),
    ],
    baseline_rows=[made_of(20)],
    fg_c={(HOST_IP, "7d"): {"peer_ip_nunique_z": 40.0 / (30.0 * 1.4826)}},
)  # fmt: skip

SEVEN_DAYS_OF_TEN: Final = CorrelationCase(
    "seven days of 10 then 100 is a z of 90, and a day as usual is none",
    metrics=("sessions_cnt", "bytes_sent_sum"),
    horizons=("7d", "30d"),
    windows=[window(sessions_cnt=100, bytes_sent_sum=10)],
    baseline=[
        constant("sessions_cnt", 10, 70),
        constant("sessions_cnt", 99, 300, horizon="30d"),
        constant("bytes_sent_sum", 10, 70),
    ],
    baseline_rows=[made_of(70), made_of(300, horizon="30d")],
    fg_c={
        (HOST_IP, "7d"): {
            "sessions_cnt_z": 90.0,
            "bytes_sent_sum_z": 0.0,
            "bytes_sent_sum_tail_bits": 0.0,  # all 70 are as large
            "bytes_sent_sum_ratio": 1.0,
            "bytes_sent_sum_log2_ratio": 0.0,
            "bytes_sent_sum_excess_p99": 0,
            "anomaly_strength": 90.0 / 96.0,
        },
        # Each horizon is compared by itself: a 20th of 99 is the scale, and 300 windows without bytes are zeros.
        (HOST_IP, "30d"): {
            "sessions_cnt_z": 1.0 / (99.0 * 0.05),
            "bytes_sent_sum_z": 10.0 / 1024.0,
        },
    },
)

COLD: Final = {"is_cold": 1}
SEGMENT_PLACE: Final = {"scope": SEGMENT, "name": ITS_SEGMENT}
SERVERS: Final = {"scope": SEGMENT, "name": "servers"}
NETWORK_PLACE: Final = {"scope": NETWORK, "name": NETWORK}


def _of(host: str) -> dict[str, str]:
    return {"name": host}


LADDER: Final = CorrelationCase(
    "where the host is cold its segment counts, then the network, metric by metric",
    metrics=("sessions_cnt", "alert_cnt", "drop_ratio"),
    key_metrics=("sessions_cnt",),
    horizons=("7d", "30d"),
    windows=[
        window(host, sessions_cnt=100, drop_cnt=10, alert_cnt=2)
        for host in (HOST_IP, "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.1.5", "10.0.2.6")
    ],
    baseline=[
        constant("sessions_cnt", 10, 20),
        constant("drop_ratio", 100, 5),  # few windows had sessions
        constant("sessions_cnt", 10, 20, **_of("10.0.0.2")),
        constant("sessions_cnt", 10, 19, **_of("10.0.0.3")),
        constant("sessions_cnt", 20, 100, **SEGMENT_PLACE),
        constant("drop_ratio", 80, 20, **SEGMENT_PLACE),
        constant("sessions_cnt", 30, 100, **SERVERS),
        constant("sessions_cnt", 40, 200, **NETWORK_PLACE),
        constant("alert_cnt", 1, 200, **NETWORK_PLACE),
        # 30 days: what there is is cold.
        constant("sessions_cnt", 40, 200, horizon="30d", **NETWORK_PLACE),
    ],
    baseline_rows=[
        made_of(20),
        made_of(20, **_of("10.0.0.2"), **COLD),
        made_of(19, **_of("10.0.0.3")),
        made_of(100, **SEGMENT_PLACE, hosts_cnt=5),
        made_of(100, **SERVERS, hosts_cnt=4),
        made_of(100, **(SEGMENT_PLACE | {"name": "10.0.2.0/24"}), hosts_cnt=9, **COLD),
        made_of(200, **NETWORK_PLACE, hosts_cnt=10),
        made_of(200, **NETWORK_PLACE, hosts_cnt=10, horizon="30d", **COLD),
    ],
    fg_c={
        # Its own baseline: the scale is 1. Five samples of drop_ratio are too few, 20 zeros of alert_cnt are not.
        (HOST_IP, "7d"): {
            "sessions_cnt_scope": "host", "sessions_cnt_z": 90.0,
            "alert_cnt_scope": "host", "alert_cnt_z": 2.0,
            "drop_ratio_scope": "segment", "drop_ratio_z": 20.0 / 50.0,
        },
        # Cold.
        ("10.0.0.2", "7d"): {
            "sessions_cnt_scope": "segment", "sessions_cnt_z": 80.0,
            "alert_cnt_scope": "segment", "alert_cnt_z": 2.0, "drop_ratio_scope": "segment",
        },
        # One sample too few.
        ("10.0.0.3", "7d"): {
            "sessions_cnt_scope": "segment", "sessions_cnt_z": 80.0, "alert_cnt_scope": "segment",
        },
        # Never seen in the horizon.
        ("10.0.0.4", "7d"): {
            "sessions_cnt_scope": "segment", "sessions_cnt_z": 80.0, "alert_cnt_scope": "segment",
        },
        # The servers are one host too few; of the network a twentieth of 40 is the scale.
        ("10.0.1.5", "7d"): {
            "sessions_cnt_scope": "network", "sessions_cnt_z": 30.0,
            "alert_cnt_scope": "network", "alert_cnt_z": 1.0,
            # The network has no baseline of a ratio without samples.
            **of_metric("drop_ratio", NOTHING),
        },
        # Its segment is cold.
        ("10.0.2.6", "7d"): {"sessions_cnt_scope": "network", "sessions_cnt_z": 30.0},
        # All are.
        **{
            (host, "30d"): {
                **of_metric("sessions_cnt", NOTHING), **of_metric("alert_cnt", NOTHING),
                "is_partial": 0, "anomaly_strength": None,
            }
            for host in (HOST_IP, "10.0.0.2", "10.0.1.5")
        },
    },
)  # fmt: skip

A_DROP: Final = CorrelationCase(
    "less than usual raises nothing",
    metrics=("sessions_cnt", "bytes_sent_sum", "ext_bytes_sent_sum"),
    windows=[window(sessions_cnt=1, bytes_sent_sum=0, ext_bytes_sent_sum=10_000_000)],
    baseline=[
        constant("sessions_cnt", 127, 40),
        # 128 MiB are 1024 * 2^17: the middle of their bucket is 134,217,728 + 65,535.
        usual("bytes_sent_sum", {17 * 1024 + 1024: 40}, n=40, median=134_283_263, p99=134_283_263, mad=0, iqr=0),
        usual("ext_bytes_sent_sum", {17 * 1024 + 1024: 40}, n=40, median=134_283_263, p99=134_283_263, mad=0, iqr=0),
    ],
    baseline_rows=[made_of(40)],
    fg_c={
        (HOST_IP, "7d"): {
            "sessions_cnt_z": -126.0 / (127.0 * 0.05),
            "bytes_sent_sum_z": -134_283_263.0 / (134_283_263.0 * 0.05),
            "bytes_sent_sum_tail_bits": 0.0,
            "bytes_sent_sum_ratio": 0.0,
            "bytes_sent_sum_excess_p99": 0,
            "anomaly_strength": 0.0,
            "exfil_score": 0.0,
        }
    },
)  # fmt: skip

_FEW: Final = [
    constant("ext_bytes_sent_sum", 100, 40, name=host) for host in (HOST_IP, "10.0.0.2", "10.0.0.3")
]
EXFILTRATION: Final = CorrelationCase(
    "below min_bytes nothing is exfiltrated; above it a score needs a baseline",
    metrics=("ext_bytes_sent_sum",),
    windows=[
        window(HOST_IP, ext_bytes_sent_sum=9_999_999, new_ext_bytes_sent=9_999_999),
        window("10.0.0.2", ext_bytes_sent_sum=10_000_000, new_ext_bytes_sent=10_000_000),
        window("10.0.0.3", ext_bytes_sent_sum=10_000_000, new_ext_bytes_sent=0),
        window("10.0.9.4", ext_bytes_sent_sum=9_999_999, new_ext_bytes_sent=0),
        window("10.0.9.5", ext_bytes_sent_sum=10_000_000, new_ext_bytes_sent=0),
        window("10.0.0.6"),
    ],
    baseline=_FEW,
    baseline_rows=[made_of(40, **_of(row["name"])) for row in _FEW],
    fg_c={
        (HOST_IP, "7d"): {
            "exfil_score": 0.0, "ext_bytes_sent_sum_z": 9_999_899.0 / 1024.0,
        },
        ("10.0.0.2", "7d"): {  # all of it to new peers
            "exfil_score": (9_999_900.0 / 1024.0) / (9_999_900.0 / 1024.0 + 6.0) * 2.0 / 2.0,
        },
        ("10.0.0.3", "7d"): {  # to known peers: half of it
            "exfil_score": (9_999_900.0 / 1024.0) / (9_999_900.0 / 1024.0 + 6.0) * 1.0 / 2.0,
        },
        ("10.0.9.4", "7d"): {"exfil_score": 0.0, "ext_bytes_sent_sum_scope": None},
        ("10.0.9.5", "7d"): {"exfil_score": None, "ext_bytes_sent_sum_scope": None},
        ("10.0.0.6", "7d"): {"exfil_score": None, "anomaly_strength": None},
    },
)  # fmt: skip

_NEW: Final = ("new_port_cnt", "new_pair_cnt", "new_peer_cnt")
SCANS: Final = CorrelationCase(
    "the new ports and pairs of a scan get no z, its new peers do",
    metrics=_NEW,
    windows=[
        window(HOST_IP, scan_score=0.5, new_port_cnt=40, new_pair_cnt=40, new_peer_cnt=40),
        window("10.0.0.2", scan_score=0.49, new_port_cnt=12, new_pair_cnt=6, new_peer_cnt=0),
        window("10.0.0.3", new_port_cnt=12, new_pair_cnt=6, new_peer_cnt=0),
    ],
    baseline=[],
    baseline_rows=[made_of(63, **_of(host)) for host in (HOST_IP, "10.0.0.2", "10.0.0.3")],
    fg_c={
        (HOST_IP, "7d"): {
            **{name: value for metric in _NEW[:2] for name, value in of_metric(metric, {
                "z": None,
                "tail_bits": near(6.0),  # log2(64)
                "ratio": None,
                "log2_ratio": near(5.357552004618084),  # log2(41)
                "excess_p99": 40,
                "scope": "host",
            }).items()},
            "new_peer_cnt_z": 40.0,
            "anomaly_strength": 40.0 / 46.0,
        },
        **{
            (host, "7d"): {
                "new_port_cnt_z": 12.0, "new_pair_cnt_z": 6.0, "new_peer_cnt_z": 0.0,
                "new_peer_cnt_tail_bits": 0.0, "new_peer_cnt_log2_ratio": 0.0,
                "new_peer_cnt_excess_p99": 0, "anomaly_strength": 12.0 / 18.0,
            }
            for host in ("10.0.0.2", "10.0.0.3")
        },
    },
)  # fmt: skip

NOTHING_KNOWN: Final = {
    **of_metric("sessions_cnt", NOTHING),
    **of_metric("ext_bytes_sent_sum", NOTHING),
    "baseline_ts": TWELFTH.start,
    "anomaly_strength": None,
    "exfil_score": None,
    "scan_score": 0.5,
}
_MANY_BYTES: Final = window(sessions_cnt=100, ext_bytes_sent_sum=20_000_000, scan_score=0.5)
_BASELINE: Final = [constant(name, 10, 40) for name in ("sessions_cnt", "ext_bytes_sent_sum")]

MISSING: Final = CorrelationCase(
    "a window whose baseline is missing is partial, and nothing is known of it",
    metrics=("sessions_cnt", "ext_bytes_sent_sum"),
    windows=[_MANY_BYTES],
    # Rows that lie there, of a run that does not count.
    baseline=_BASELINE,
    baseline_rows=[made_of(40)],
    dates={HOUR: UNKNOWN_DATE},
    fg_c={(HOST_IP, "7d"): {**NOTHING_KNOWN, "is_partial": 1}},
)

EMPTY: Final = CorrelationCase(
    "a baseline without rows is known: the window is whole",
    metrics=("sessions_cnt", "ext_bytes_sent_sum"),
    windows=[_MANY_BYTES, window("10.0.0.2", is_partial=1)],
    baseline=[],
    baseline_rows=[],
    fg_c={
        (HOST_IP, "7d"): {**NOTHING_KNOWN, "is_partial": 0},
        ("10.0.0.2", "7d"): {"is_partial": 1},
    },
)

_ELSEWHERE: Final[Sequence[dict[str, Any]]] = [
    {"dt": "2025-03-11"},
    {"dt": "2025-03-13"},
    {"role": "inbound"},
    {"time_band": "wd_off"},
    {"window_label": "w_15m"},
    {"horizon": "30d"},
    {"name": "10.0.0.2"},
    {"scope": SEGMENT},
]
OTHERS: Final = CorrelationCase(
    "a baseline of another date, role, band, label, horizon, host or scope is not compared with",
    metrics=("sessions_cnt", "ext_bytes_sent_sum"),
    windows=[_MANY_BYTES],
    baseline=[row | place for place in _ELSEWHERE for row in _BASELINE],
    baseline_rows=[made_of(40, hosts_cnt=9, **place) for place in _ELSEWHERE],
    fg_c={(HOST_IP, "7d"): {**NOTHING_KNOWN, "is_partial": 0}},
)

YOUNG: Final = CorrelationCase(
    "while the history is young nothing new is known, and no byte counts as new",
    metrics=("ext_bytes_sent_sum", "new_peer_cnt", "new_ext_bytes_sent"),
    windows=[window(ext_bytes_sent_sum=10_240_000, history_days=3)],
    baseline=[
        # Of none of its windows anything was known.
        usual("new_ext_bytes_sent", {-1: 40}, n=0),
    ],
    baseline_rows=[made_of(40)],
    fg_c={
        (HOST_IP, "7d"): {
            **of_metric("new_peer_cnt", NOTHING | {"scope": "host"}),
            **of_metric("new_ext_bytes_sent", NOTHING),
            "ext_bytes_sent_sum_z": 10_000.0,
            "exfil_score": 10_000.0 / 10_006.0 * 1.0 / 2.0,
        }
    },
)

SHIFTED: Final = CorrelationCase(
    "a regime that has changed: all windows are usual",
    metrics=("sessions_cnt",),
    windows=[window(sessions_cnt=50), window("10.0.0.2", sessions_cnt=50)],
    baseline=[
        # Median of rank 20 is 10, p75 of rank 30 is 10, p99 60; mad 0.
        usual("sessions_cnt", {10: 30}, excluded={50: 4, 60: 6}, n=40, median=10, p99=60, mad=0, iqr=0),
        usual(
            "sessions_cnt", {10: 30}, excluded={50: 4, 60: 3},
            n=30, median=10, p99=10, mad=0, iqr=0, name="10.0.0.2",
        ),
    ],
    baseline_rows=[
        made_of(40, rows_included=30, rows_excluded=10, baseline_shift_flag=1),
        made_of(30, rows_included=30, rows_excluded=7, windows_cnt=37, **_of("10.0.0.2")),
    ],
    fg_c={
        (HOST_IP, "7d"): {
            "sessions_cnt_z": 40.0,
            "sessions_cnt_tail_bits": near(5.357552004618084 - 3.4594316186372973),  # 10 of 40
            "sessions_cnt_excess_p99": 0,
        },
        ("10.0.0.2", "7d"): {
            "sessions_cnt_z": 40.0,
            "sessions_cnt_tail_bits": near(4.954196310386875),  # 0 of 30
            "sessions_cnt_excess_p99": 40,
        },
    },
)  # fmt: skip

_DAY_PLACE: Final = {"dt": "2025-03-11", "time_band": "all", "window_label": "w_24h"}
_DAY_HOST: Final = "10.0.0.2"
LABELS_AND_ROLES: Final = CorrelationCase(
    "each window is compared with the baseline of its own date, label and role",
    metrics=("sessions_cnt", "trw_bits", "beacon_score_max"),
    windows=[
        window(HOST_IP, sessions_cnt=20, trw_bits=8),
        window(_DAY_HOST, DAY, sessions_cnt=20, trw_bits=8, beacon_score_max=600),
        window("10.0.0.3", role="inbound", sessions_cnt=20),
        window("10.0.0.4", QUARTER, sessions_cnt=20),  # its windows are not compared
    ],
    baseline=[
        constant("sessions_cnt", 10, 20),
        constant("sessions_cnt", 11, 20, **_DAY_PLACE, **_of(_DAY_HOST)),
        constant("sessions_cnt", 12, 20, role="inbound", **_of("10.0.0.3")),
    ],
    baseline_rows=[
        made_of(20),
        made_of(20, **_DAY_PLACE, **_of(_DAY_HOST)),
        made_of(20, role="inbound", **_of("10.0.0.3")),
    ],
    dates={HOUR: TWELFTH, DAY: ELEVENTH},
    fg_c={
        (HOST_IP, "7d"): {
            "sessions_cnt_z": 10.0, "trw_bits_z": 8.0,
            **of_metric("beacon_score_max", NOTHING),  # of days only
            "baseline_ts": us("2025-03-11T23:00:00Z"), "time_band": "wd_work",
        },
        (_DAY_HOST, "7d"): {
            "sessions_cnt_z": 9.0, "trw_bits_z": 8.0, "beacon_score_max_z": 600.0,
            "baseline_ts": us("2025-03-10T23:00:00Z"), "time_band": "all",
        },
        ("10.0.0.3", "7d"): {
            "sessions_cnt_z": 8.0, "role": "inbound",
            **of_metric("trw_bits", NOTHING),  # outbound only
        },
    },
)  # fmt: skip

CASES: Final = (
    EVERY_COLUMN,
    MAD_AS_SCALE,
    SEVEN_DAYS_OF_TEN,
    LADDER,
    A_DROP,
    EXFILTRATION,
    SCANS,
    MISSING,
    EMPTY,
    OTHERS,
    YOUNG,
    SHIFTED,
    LABELS_AND_ROLES,
)
