"""Whose baseline a window is compared with."""

from __future__ import annotations

from typing import Any

import pytest

from ndr_core.baselines.metrics import metrics_named
from ndr_core.correlations.ladder import IS_WARM, Baselines, Subject, Usual
from ndr_core.expressions.evaluate import evaluate
from tests.correlation_cases import HOST_IP, NETWORK_PLACE, SEGMENT_PLACE, constant, made_of
from tests.window_cases import NETWORKS

(SESSIONS,) = metrics_named(["sessions_cnt"])
(DROP_RATIO,) = metrics_named(["drop_ratio"])
SUBJECT = Subject("2025-03-12", "outbound", "wd_work", HOST_IP, "w_1h", "7d")


def is_warm(**columns: Any) -> bool:
    row = {"scope": "host", "is_cold": 0, "n": 20, "hosts_cnt": 1}
    return bool(evaluate(IS_WARM, row | columns))


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, True),
        ({"n": 19}, False),
        ({"is_cold": 1}, False),
        ({"scope": "segment", "hosts_cnt": 4}, False),
        ({"scope": "segment", "hosts_cnt": 5}, True),
        ({"scope": "segment", "hosts_cnt": 5, "n": 19}, False),
        ({"scope": "network", "hosts_cnt": 1}, True),
        ({"scope": "network", "hosts_cnt": 100, "is_cold": 1}, False),
    ],
)
def test_a_baseline_is_warm_with_enough_days_samples_and_hosts(
    columns: dict[str, Any], expected: bool
) -> None:
    assert is_warm(**columns) is expected


def test_samples_are_counted_from_a_bucket_on() -> None:
    read_off = {"n": 100, "median": 0, "p99": 9, "mad": 0, "iqr": 0}
    usual = Usual("host", read_off, ((-1, 7), (5, 3), (9, 2)))

    assert [usual.at_least(bucket) for bucket in (0, 1, 5, 6, 9, 10)] == [100, 5, 5, 2, 2, 0]


def test_without_a_row_of_a_sum_all_windows_are_zeros() -> None:
    usual = Baselines.of([], [made_of(25)], NETWORKS).usual(SUBJECT, SESSIONS)

    assert usual == Usual("host", {"n": 25, "median": 0, "p99": 0, "mad": 0, "iqr": 0}, ())


def test_without_a_row_of_a_ratio_nothing_is_known() -> None:
    assert Baselines.of([], [made_of(25)], NETWORKS).usual(SUBJECT, DROP_RATIO) is None


def test_the_narrowest_warm_baseline_counts() -> None:
    rows = [made_of(20), made_of(50, **SEGMENT_PLACE, hosts_cnt=5), made_of(90, **NETWORK_PLACE)]
    of_metric = [
        constant("sessions_cnt", 1, 20),
        constant("sessions_cnt", 2, 50, **SEGMENT_PLACE),
        constant("sessions_cnt", 3, 90, **NETWORK_PLACE),
    ]

    found = []
    while rows:
        usual = Baselines.of(of_metric, rows, NETWORKS).usual(SUBJECT, SESSIONS)
        assert usual is not None
        found.append((usual.scope, usual.read_off["median"], usual.used))
        rows, of_metric = rows[1:], of_metric[1:]

    assert found == [
        ("host", 1, ((1, 20),)),
        ("segment", 2, ((2, 50),)),
        ("network", 3, ((3, 90),)),
    ]
