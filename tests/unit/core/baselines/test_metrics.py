"""The metrics of windows: each worked out by hand, of the window that has a value in every column."""

from __future__ import annotations

from typing import Final

import pytest

from ndr_core.baselines.metrics import (
    DEFAULT_KEY_METRICS,
    DEFAULT_METRICS,
    METRICS,
    Absent,
    Unit,
    metrics_named,
)
from ndr_core.baselines.reference import metric_value
from ndr_core.expressions.expr import columns_of
from ndr_core.tables.columns import ColumnType
from ndr_core.windows.labels import WindowLabel
from tests.baseline_cases import window
from tests.window_cases import DAY, EVERY_COLUMN, HOUR, ONLY_A_THREAT, UNKNOWN_HISTORY, window_plan

OF_AN_HOUR: Final = {
    "sessions_cnt": 7,
    "bytes_sent_sum": 2097,
    "bytes_recv_sum": 4200,
    "allow_cnt": 5,
    "drop_cnt": 2,
    "alert_cnt": 1,
    "rst_cnt": 1,
    "threat_cnt": 1,
    "high_risk_sessions_cnt": 2,
    "max_sessions_per_minute": 2,
    "ext_bytes_sent_sum": 1000,
    "peer_ip_nunique": 5,
    "peer_port_nunique": 5,
    "peer_segment_nunique": 4,
    "ext_peer_nunique": 2,
    "int_peer_nunique": 2,
    "peer_ip_entropy": 2235,  # 2.8073549 - 4 / 7 bits
    "peer_port_entropy": 2251,  # 2.5849625 - 2 / 6 bits
    "peer_ip_top1_sessions_share": 285,  # 2 / 7
    "peer_ip_top1_bytes_share": 500,  # 1050 / 2097
    "peer_port_top1_sessions_share": 333,  # 2 / 6
    "peer_port_top1_bytes_share": 488,  # 1000 / 2047
    "duration_mean": 87_642,  # 613,500,000 us // 7 = 87,642,857 us
    "drop_ratio": 285,  # 1000 * 2 // 7
    "zero_reply_ratio": 571,
    "short_ratio": 428,
    "tcp_ratio": 714,
    "udp_ratio": 142,
    "icmp_ratio": 142,
    "bytes_sent_share": 333,  # 2097 / 6297
    "new_peer_cnt": 3,
    "new_peer_ratio": 600,
    "rare_peer_cnt": 1,
    "new_port_cnt": 2,
    "rare_port_cnt": 2,
    "new_pair_cnt": 4,
    "rare_pair_cnt": 1,
    "new_segment_cnt": 1,
    "new_ext_bytes_sent": 600,
    "pair_rarity_max": 3807,  # 3.8073549 bits
    "pair_rarity_mean": 2952,  # 1,160,961 / 6 / 65,536 bits
    "hscan_max_peers": 1,
    "vscan_max_ports": 1,
    "scan_targets_cnt": 2,
    "trw_bits": 0,
    "scan_score": 74,  # 2 / 27
    "brute_max_sessions": 1,
    "brute_score": 32,  # 1 / 31
    "admin_peer_nunique": 2,
    "new_admin_peer_cnt": 1,
    "lateral_score": 250,
    "long_pair_seconds_max": 600_000,
    "beacon_score_max": None,
    "beacon_threat_max": None,
}


def test_each_metric_of_an_hour_is_what_was_worked_out_by_hand() -> None:
    (row,) = (row for row in EVERY_COLUMN.build().fg_a if row["role"] == "outbound")

    assert {metric.name: metric_value(metric, row) for metric in METRICS} == OF_AN_HOUR


def test_a_window_without_sessions_has_counts_of_zero_and_no_ratios() -> None:
    (row,) = (row for row in ONLY_A_THREAT.build().fg_a if row["role"] == "outbound")

    values = {
        metric: metric_value(metric, row) for metric in METRICS if metric.is_of("outbound", HOUR)
    }

    assert {metric.name for metric, value in values.items() if value is None} == {
        metric.name for metric in values if metric.absent is Absent.NULL
    }


def test_a_day_has_the_scores_of_its_beacons() -> None:
    (row,) = (row for row in UNKNOWN_HISTORY.build().fg_a if row["role"] == "outbound")

    values = {metric.name: metric_value(metric, row) for metric in METRICS if metric.is_of_days}

    assert values == {"beacon_score_max": 390, "beacon_threat_max": 390}


def test_metrics_read_columns_of_windows_and_repeat_their_names_where_they_can() -> None:
    columns = {column.name: column for column in window_plan().fg_a.columns}

    for metric in METRICS:
        assert columns_of(metric.value) <= columns.keys()
        assert metric.name in columns


def test_counts_and_bytes_and_times_are_0_where_nothing_was_and_ratios_are_not_known() -> None:
    columns = {column.name: column.type for column in window_plan().fg_a.columns}

    for metric in METRICS:
        of_counts = columns[metric.name] is ColumnType.INT64 or metric.name.endswith("_score")
        assert (metric.absent is Absent.ZERO) is of_counts


@pytest.mark.parametrize(
    ("name", "role", "label", "has_it"),
    [
        ("sessions_cnt", "inbound", HOUR, True),
        ("hscan_max_peers", "outbound", HOUR, True),
        ("hscan_max_peers", "inbound", HOUR, False),
        ("beacon_score_max", "outbound", DAY, True),
        ("beacon_score_max", "outbound", HOUR, False),
        ("beacon_score_max", "inbound", DAY, False),
    ],
)
def test_a_metric_is_of_the_rows_that_can_have_it(
    name: str, role: str, label: WindowLabel, has_it: bool
) -> None:
    (metric,) = metrics_named([name])

    assert metric.is_of(role, label) is has_it


def test_metrics_are_given_in_one_order_whatever_the_order_of_their_names() -> None:
    names = [metric.name for metric in METRICS]

    assert [metric.name for metric in metrics_named(reversed(names))] == names
    assert len(set(names)) == len(names)


def test_windows_are_judged_by_metrics_that_have_baselines_by_default() -> None:
    assert set(DEFAULT_KEY_METRICS) <= set(DEFAULT_METRICS)
    assert len(DEFAULT_METRICS) == 41


def test_the_least_scales_are_one_count_a_kibibyte_a_second_and_a_twentieth() -> None:
    assert {unit.value: unit.floor for unit in Unit} == {
        "count": 1,
        "bytes": 1024,
        "ms": 1000,
        "thousandths": 50,
    }


def test_a_ratio_is_made_of_counts_and_rounded_down() -> None:
    (drop_ratio,) = metrics_named(["drop_ratio"])

    # As a float 0.57 * 1000 is 569.99..., of counts it is 570.
    row = window("2025-03-03T11:00", sessions_cnt=100, drop_cnt=57)

    assert metric_value(drop_ratio, row) == 570
