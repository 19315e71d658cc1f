"""The columns of correlations that are worked out from others."""

from __future__ import annotations

from typing import Any

import pytest

from ndr_core.baselines.metrics import METRICS, Unit, metrics_named
from ndr_core.correlations.formulas import (
    COUNTED_IN_BITS,
    MUTED_BY_SCAN,
    anomaly_strength,
    departures,
    exfil_score,
)
from ndr_core.correlations.ladder import READ_OFF
from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import columns_of

(SESSIONS,) = metrics_named(["sessions_cnt"])
NOTHING = dict.fromkeys((*READ_OFF, *COUNTED_IN_BITS, "x", "n_ge", "scan_score"))
AS_USUAL = {name: 0 for name in NOTHING if not name.endswith("_bits")} | dict.fromkeys(
    COUNTED_IN_BITS, 0.0
)


def values(**columns: Any) -> dict[str, Any]:
    row = AS_USUAL | columns
    return {one.ending: evaluate(one.value, row) for one in departures(SESSIONS)}


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_departures_read_only_x_the_baseline_and_the_scan_score(metric: Any) -> None:
    read = {name for one in departures(metric) for name in columns_of(one.value)}

    assert read <= NOTHING.keys()
    assert ("scan_score" in read) == (metric.name in MUTED_BY_SCAN)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
@pytest.mark.parametrize(
    "missing", [("x", "n_ge", "n_ge_bits", "x_bits"), (*READ_OFF, *COUNTED_IN_BITS)]
)
def test_all_departures_are_null_where_x_or_the_baseline_is(
    metric: Any, missing: tuple[str, ...]
) -> None:
    row = AS_USUAL | dict.fromkeys(missing)

    assert {evaluate(one.value, row) for one in departures(metric)} == {None}


def test_a_ratio_is_null_where_the_median_is_0() -> None:
    assert values(x=5, median=0)["ratio"] is None
    assert values(x=5, median=2)["ratio"] == 2.5


@pytest.mark.parametrize(("x", "excess"), [(9, 0), (10, 0), (11, 1)])
def test_excess_counts_from_the_99th_percentile_on(x: int, excess: int) -> None:
    assert values(x=x, p99=10)["excess_p99"] == excess


@pytest.mark.parametrize(
    ("unit", "floor"),
    [(Unit.COUNT, 1), (Unit.BYTES, 1024), (Unit.MILLISECONDS, 1000), (Unit.THOUSANDTHS, 50)],
)
def test_a_departure_from_a_constant_baseline_is_counted_in_the_floor_of_the_unit(
    unit: Unit, floor: int
) -> None:
    for metric in METRICS:
        if metric.unit is unit:
            z = departures(metric)[0]
            assert evaluate(z.value, AS_USUAL | {"x": 3 * floor}) == 3.0
            assert f"{floor} {unit.value}" in z.meaning


def test_what_a_baseline_holds_in_a_few_of_a_hundred_samples_is_no_departure() -> None:
    # 95 samples of 10, 5 of 100: neither mad nor iqr knows of these.
    baseline = {"median": 10, "mad": 0, "iqr": 0, "p99": 100}

    again = values(x=100, **baseline)
    ten_times_as_far = values(x=910, **baseline)

    assert again["z"] == 90.0
    assert again["upper_z"] == 90.0 / (90.0 / 2.3263)
    assert ten_times_as_far["upper_z"] == 900.0 / (90.0 / 2.3263)


def test_the_larger_scale_counts_for_upper_z() -> None:
    assert values(x=100, median=10, mad=20, iqr=0, p99=30)["upper_z"] == 90.0 / (20.0 * 1.4826)
    assert values(x=5, median=10, mad=0, iqr=0, p99=110)["upper_z"] == -5.0 / (100.0 / 2.3263)


def strength(*z: float | None) -> float | None:
    names = [f"m{number}" for number in range(len(z))]
    columns = {f"{name}_upper_z": value for name, value in zip(names, z, strict=True)}
    found: float | None = evaluate(anomaly_strength(names), columns)
    return found


@pytest.mark.parametrize(
    ("z", "expected"),
    [
        ((6.0,), 0.5),
        ((None,), None),
        ((-3.0,), 0.0),
        ((6.0, 18.0, 6.0), 0.75),
        ((None, 6.0, None), 0.5),
        ((-50.0, None), 0.0),
        ((-50.0, 2.0), 0.25),
        ((None, None), None),
    ],
)
def test_the_anomaly_strength_is_that_of_the_largest_upper_z_of_the_key_metrics(
    z: tuple[float | None, ...], expected: float | None
) -> None:
    assert strength(*z) == expected


def test_any_number_of_metrics_can_be_key_metrics() -> None:
    assert strength(*([None] * 40), 6.0, *([-1.0] * 40)) == 0.5


def exfil(sent: int | None, new: int | None, z: float | None) -> float | None:
    columns = {"ext_bytes_sent_sum": sent, "new_ext_bytes_sent": new, "ext_bytes_sent_sum_z": z}
    found: float | None = evaluate(exfil_score(1000), columns)
    return found


@pytest.mark.parametrize(
    ("sent", "new", "z", "score"),
    [
        (1000, 1000, 6.0, 0.5),
        (1000, 500, 6.0, 0.375),
        (1000, 0, 6.0, 0.25),
        (1000, None, 6.0, 0.25),  # the history is young
        (1000, 1000, -6.0, 0.0),
        (1000, 1000, None, None),
        (999, 999, 600.0, 0.0),
        (999, 999, None, 0.0),
        (None, None, None, None),
    ],
)
def test_the_exfil_score_is_of_the_bytes_to_new_peers_and_half_as_much_of_the_others(
    sent: int | None, new: int | None, z: float | None, score: float | None
) -> None:
    assert exfil(sent, new, z) == score


def test_no_bytes_at_all_are_no_exfiltration_whatever_the_least_is() -> None:
    columns = {"ext_bytes_sent_sum": 0, "new_ext_bytes_sent": 0, "ext_bytes_sent_sum_z": 0.0}

    assert evaluate(exfil_score(0), columns) == 0.0
