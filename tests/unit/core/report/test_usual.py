"""The windows of a host stand beside the baseline that each of them was compared with."""

from __future__ import annotations

from typing import Any, Final

from ndr_core.baselines.metrics import metrics_named
from ndr_core.features.networks import Networks
from ndr_core.report.scores import DETAIL_METRICS
from ndr_core.report.usual import (
    Comparisons,
    UsualKey,
    best_horizon,
    detail_metrics,
    windows_of_host,
)
from ndr_core.times import HOUR_US, SECOND_US
from tests.makers import us

HOST: Final = "10.0.0.1"
END: Final = us("2025-03-12T11:00:00Z")
SESSIONS, DROPS = metrics_named(["sessions_cnt", "drop_ratio"])
NETWORKS: Final = Networks(segments={"servers": ("10.0.0.0/24",)})


def window(end: int = END, role: str = "outbound", **columns: Any) -> dict[str, Any]:
    return {
        "host_ip": HOST,
        "role": role,
        "window_end_ts": end,
        "sessions_cnt": 4,
        "drop_cnt": 1,
        **columns,
    }


def compared(**columns: Any) -> dict[str, Any]:
    """A row of `fg_c`."""
    return {
        "host_ip": HOST,
        "role": "outbound",
        "window_label": "w_1h",
        "horizon": "7d",
        "time_band": "wd_work",
        "baseline_date": "2025-03-12",
        "sessions_cnt_upper_z": 7.128,
        "sessions_cnt_scope": "host",
        "drop_ratio_upper_z": None,
        "drop_ratio_scope": None,
        **columns,
    }


def usual(scope: str, name: str, metric: str = "sessions_cnt", **columns: Any) -> dict[str, Any]:
    """A row of `baseline`."""
    return {
        "dt": "2025-03-12",
        "role": "outbound",
        "time_band": "wd_work",
        "scope": scope,
        "name": name,
        "window_label": "w_1h",
        "horizon": "7d",
        "metric": metric,
        "median": 2,
        "p25": 1,
        "p75": 3,
        "p99": 9,
        **columns,
    }


def comparisons(row: dict[str, Any], *baselines: dict[str, Any]) -> Comparisons:
    known = {UsualKey.of(one): one for one in baselines}
    return Comparisons({(HOST, "outbound", END): row}, known, NETWORKS)


def test_a_window_has_its_value_its_z_and_what_was_usual() -> None:
    found = windows_of_host(
        [window()], [SESSIONS, DROPS], comparisons(compared(), usual("host", HOST))
    )

    assert found.bands == ((2, 1, 3, 9, "host"),)
    assert found.metrics == {
        "outbound": {
            "sessions_cnt": ((END // SECOND_US, 4, 7.13, 0),),
            "drop_ratio": ((END // SECOND_US, 250, None, None),),
        }
    }
    assert found.marked == 1


def test_what_was_usual_is_the_baseline_of_the_scope_that_the_comparison_names() -> None:
    rows = [
        usual("segment", "servers", median=20),
        usual("network", "network", median=200),
    ]

    for scope, median in (("segment", 20), ("network", 200)):
        found = windows_of_host(
            [window()], [SESSIONS], comparisons(compared(sessions_cnt_scope=scope), *rows)
        )
        assert found.bands == ((median, 1, 3, 9, scope),)


def test_a_count_without_a_row_was_always_0_and_a_ratio_was_not_known() -> None:
    row = compared(drop_ratio_scope="host")

    found = windows_of_host([window()], [SESSIONS, DROPS], comparisons(row))

    assert found.bands == ((0, 0, 0, 0, "host"),)
    assert found.metrics["outbound"]["drop_ratio"][0][3] is None


def test_equal_bands_are_kept_once() -> None:
    later = END + HOUR_US
    row, band = compared(), usual("host", HOST)
    both = Comparisons(
        {(HOST, "outbound", end): row for end in (END, later)},
        {UsualKey.of(band): band},
        NETWORKS,
    )

    found = windows_of_host([window(), window(later)], [SESSIONS], both)

    assert len(found.bands) == 1
    assert [number for *_, number in found.metrics["outbound"]["sessions_cnt"]] == [0, 0]


def test_windows_that_are_compared_with_nothing_have_their_values() -> None:
    found = windows_of_host([window(role="inbound")], [SESSIONS], comparisons(compared()))

    assert found.metrics == {"inbound": {"sessions_cnt": ((END // SECOND_US, 4, None, None),)}}
    assert (found.bands, found.marked) == ((), 0)


def test_plain_data_have_lists_alone() -> None:
    found = windows_of_host([window()], [SESSIONS], comparisons(compared(), usual("host", HOST)))

    assert found.to_plain() == {
        "bands": [[2, 1, 3, 9, "host"]],
        "metrics": {"outbound": {"sessions_cnt": [[END // SECOND_US, 4, 7.13, 0]]}},
    }


def test_the_horizon_is_the_one_that_knows_most_of_equal_ones_the_shorter() -> None:
    cold = {"sessions_cnt_upper_z": None}
    week, month = compared(), compared(horizon="30d")

    assert best_horizon([week, month], [SESSIONS]) == "7d"
    assert best_horizon([week | cold, month], [SESSIONS]) == "30d"
    assert best_horizon([week | cold, month | cold], [SESSIONS]) == "7d"
    assert best_horizon([], [SESSIONS]) is None


def test_metrics_are_shown_as_far_as_windows_have_their_columns() -> None:
    columns = {"sessions_cnt", "drop_cnt", "bytes_sent_sum"}

    assert [metric.name for metric in detail_metrics(columns)] == [
        "sessions_cnt",
        "bytes_sent_sum",
        "drop_ratio",
    ]
    assert set(DETAIL_METRICS) > {metric.name for metric in detail_metrics(columns)}
    assert detail_metrics(()) == ()
