"""Why a window lies where it does: the baseline it was compared with, and the arithmetic."""

from __future__ import annotations

import pytest

from ndr_core.correlations.explain import Comparison, explain_comparisons, read_by
from ndr_core.windows.explained import ALL, Evidence, Explained
from tests.correlation_cases import (
    CASES,
    EVERY_COLUMN,
    EXFILTRATION,
    LADDER,
    MISSING,
    SEVEN_DAYS_OF_TEN,
    SHIFTED,
    CorrelationCase,
)


def explained(case: CorrelationCase, most: int = ALL) -> list[Comparison]:
    return [
        one
        for label in case.plan.labels
        for one in explain_comparisons(case.plan, label, case.rows, most)
    ]


def column(name: str, comparison: Comparison) -> Explained:
    return {one.column: one for one in comparison.columns}[name]


def evidence(title: str, of: Explained) -> Evidence:
    return {one.title: one for one in of.evidence}[title]


def of_host(case: CorrelationCase, host: str, horizon: str = "7d") -> Comparison:
    return next(
        one for one in explained(case) if (one.row["host_ip"], one.horizon) == (host, horizon)
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_explained_rows_are_those_of_the_reference(case: CorrelationCase) -> None:
    made = {
        (row["role"], row["host_ip"], row["window_label"], row["horizon"]): row
        for row in case.build()
    }

    found = explained(case)

    assert len(found) == len(made)
    for one in found:
        row = made[one.role, one.row["host_ip"], one.row["window_label"], one.horizon]
        assert one.row == row
        assert {each.column: each.value for each in one.columns} == row


def test_a_z_is_shown_with_its_formula_its_numbers_and_what_they_are() -> None:
    (comparison,) = explained(SEVEN_DAYS_OF_TEN)[:1]

    z = column("sessions_cnt_z", comparison)

    assert z.value == 90.0
    assert z.formula == "(x - median) / max(max(max(mad * 1.4826, iqr * 0.7413), median * 0.05), 1)"
    assert z.worked == "(100 - 10) / max(max(max(0 * 1.4826, 0 * 0.7413), 10 * 0.05), 1)"
    assert {one.name: (one.value, one.meaning) for one in z.operands} == {
        "x": (100, "sessions_cnt of the window, in count: sessions_cnt"),
        "median": (10, "its median"),
        "mad": (0, "median distance of its samples from the median"),
        "iqr": (0, "distance of its quartiles"),
    }


def test_a_logarithm_is_shown_by_what_it_is_of() -> None:
    comparison = explained(SEVEN_DAYS_OF_TEN)[0]

    tail = column("sessions_cnt_tail_bits", comparison)

    samples = tail.operands[0].value
    assert tail.formula == "log2(n + 1) - log2(n_ge + 1)"
    assert tail.worked == f"log2({samples} + 1) - log2(0 + 1)"
    assert [one.name for one in tail.operands] == ["n", "n_ge"]


def test_the_baseline_is_shown_with_its_scope_its_dates_and_its_samples() -> None:
    z = column("sessions_cnt_z", explained(SEVEN_DAYS_OF_TEN)[0])

    (row,) = evidence("baseline of sessions_cnt, in count", z).rows
    samples = evidence("its samples by value", z).rows

    assert (row["scope"], row["name"], row["horizon"]) == ("host", "10.0.0.1", "7d")
    assert (row["median"], row["p99"], row["scale"]) == (10, 10, 1.0)
    assert samples == ({"value": 10, "windows": row["n"]},)


def test_the_samples_of_a_baseline_are_those_of_all_windows_where_the_regime_has_changed() -> None:
    for comparison in explained(SHIFTED):
        for name in SHIFTED.metrics:
            z = column(f"{name}_z", comparison)
            if z.evidence and column(f"{name}_scope", comparison).value:
                samples = evidence("its samples by value", z)
                (row,) = next(one for one in z.evidence if one.title.startswith("baseline of")).rows
                assert sum(one["windows"] for one in samples.rows) == row["n"]


def test_each_baseline_of_the_ladder_is_shown_and_which_tells_enough() -> None:
    found = {(one.row["host_ip"], one.horizon): one for one in explained(LADDER)}
    for key, expected in LADDER.fg_c.items():
        comparison = found[key]
        scope = expected["sessions_cnt_scope"]

        rungs = evidence("baselines, the narrowest first", column("sessions_cnt_scope", comparison))

        told = {row["scope"]: row["tells_enough"] for row in rungs.rows}
        assert list(told) == ["host", "segment", "network"]
        warm = [name for name, tells in told.items() if tells == "yes"]
        assert (warm or [None])[0] == scope
        missing = [row for row in rungs.rows if row["windows_cnt"] is None]
        assert all(row["n"] is None and row["tells_enough"] == "no" for row in missing)


def test_only_what_is_asked_for_is_shown_with_what_made_it() -> None:
    label, rows = EVERY_COLUMN.plan.labels[0], EVERY_COLUMN.rows

    (comparison,) = explain_comparisons(EVERY_COLUMN.plan, label, rows, ALL, ["sessions_cnt_z"])

    assert column("sessions_cnt_z", comparison).worked is not None
    assert column("sessions_cnt_ratio", comparison).worked is not None
    other = column("drop_ratio_z", comparison)
    assert (other.worked, other.evidence) == (None, ())
    assert other.value == comparison.row["drop_ratio_z"] is not None


def test_a_baseline_that_is_missing_shows_nothing() -> None:
    for comparison in explained(MISSING):
        z = column("sessions_cnt_z", comparison)

        assert (z.value, z.evidence) == (None, ())
        assert (
            z.worked == "(100 - null) / max(max(max(null * 1.4826, null * 0.7413), null * 0.05), 1)"
        )


def test_a_metric_of_several_columns_shows_these() -> None:
    (comparison,) = explained(EVERY_COLUMN)

    ratio = evidence("columns of the window", column("drop_ratio_z", comparison))

    assert set(ratio.rows[0]) == {"drop_cnt", "sessions_cnt"}
    assert not any(
        one.title == "columns of the window"
        for one in column("sessions_cnt_z", comparison).evidence
    )


def test_a_score_is_shown_by_the_metric_that_decides_it() -> None:
    (comparison,) = explained(EVERY_COLUMN)

    strength = column("anomaly_strength", comparison)

    keys = evidence("key metrics", strength).rows
    best = max(row["z"] for row in keys if row["z"] is not None)
    assert keys[0]["z"] == best
    assert strength.value == best / (best + 6)
    assert strength.worked is not None
    assert f"{best:.6g} / ({best:.6g} + 6)" in strength.worked


def test_the_score_of_data_that_leave_is_shown_with_its_numbers() -> None:
    host, _ = next(key for key, row in EXFILTRATION.fg_c.items() if row.get("exfil_score"))

    score = column("exfil_score", of_host(EXFILTRATION, host))

    assert {one.name for one in score.operands} == {
        *("ext_bytes_sent_sum", "ext_bytes_sent_sum_z", "new_ext_bytes_sent")
    }
    assert score.worked is not None
    assert "null" not in score.worked


def test_scores_that_are_carried_over_say_so() -> None:
    (comparison,) = explained(EVERY_COLUMN)

    assert column("scan_score", comparison).formula == "scan_score of fg_a"


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("sessions_cnt_z", {"sessions_cnt"}),
        ("drop_ratio_scope", {"drop_cnt", "sessions_cnt"}),
        ("exfil_score", {"ext_bytes_sent_sum", "new_ext_bytes_sent"}),
        ("scan_score", {"scan_score"}),
        ("baseline_ts", set()),
    ],
)
def test_a_column_is_led_back_to_those_of_the_window(name: str, read: set[str]) -> None:
    plan = EVERY_COLUMN.plan

    assert read_by(plan.metrics, plan.key_metrics, name) == read


def test_the_score_of_a_window_is_led_back_to_all_key_metrics() -> None:
    plan = SEVEN_DAYS_OF_TEN.plan

    read = read_by(plan.metrics, plan.key_metrics, "anomaly_strength")

    assert read == set(plan.key_metrics)
