"""The columns of windows that are worked out from others."""

from __future__ import annotations

from typing import Any

import pytest

from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import columns_of
from ndr_core.windows.aggregates import AGGREGATES
from ndr_core.windows.formulas import FORMULAS, OPERANDS
from ndr_core.windows.tables import delta_columns
from tests.window_cases import DELTA_PLAN

BY_NAME = {formula.name: formula for formula in FORMULAS}
ZEROS = dict.fromkeys(OPERANDS, 0)


def value(name: str, **columns: Any) -> Any:
    return evaluate(BY_NAME[name].value, ZEROS | columns)


def test_each_formula_reads_only_deltas_aggregates_and_formulas_before_it() -> None:
    known = {column.name for column in delta_columns(DELTA_PLAN.measures)}
    known |= {one.name for one in AGGREGATES}

    for formula in FORMULAS:
        assert columns_of(formula.value) <= known, formula.name
        known.add(formula.name)


@pytest.mark.parametrize(
    "name",
    [
        "duration_mean",
        "drop_ratio",
        "zero_reply_ratio",
        "short_ratio",
        "tcp_ratio",
        "udp_ratio",
        "icmp_ratio",
        "bytes_sent_share",
        "bytes_asymmetry_ratio",
        "new_peer_ratio",
    ],
)
def test_a_ratio_is_null_where_its_divisor_is_0(name: str) -> None:
    assert value(name, history_days=29) is None


@pytest.mark.parametrize(
    ("failed", "answering", "bits"), [(0, 0, 0), (5, 1, 8), (1, 5, 0), (None, None, None)]
)
def test_trw_bits_are_never_below_0(
    failed: int | None, answering: int | None, bits: int | None
) -> None:
    operands = {"detection:failed_peers": failed, "detection:answering_peers": answering}

    assert value("trw_bits", **operands) == bits


@pytest.mark.parametrize(
    ("peers", "ports", "targets", "score"),
    [
        (25, 0, 0, 0.5),
        (0, 15, 0, 0.5),
        (0, 0, 25, 0.5),
        (75, 15, 25, 0.75),
        (None, None, None, None),
    ],
)
def test_the_scan_score_is_that_of_the_widest_scan(
    peers: int | None, ports: int | None, targets: int | None, score: float | None
) -> None:
    operands = {"hscan_max_peers": peers, "vscan_max_ports": ports, "scan_targets_cnt": targets}

    assert value("scan_score", **operands) == score


def test_the_brute_score_grows_with_sessions_that_are_even() -> None:
    assert value("brute_score", brute_max_sessions=30, brute_even_pm=1000) == 0.5
    assert value("brute_score", brute_max_sessions=30, brute_even_pm=500) == 0.25
    assert value("brute_score", brute_max_sessions=0, brute_even_pm=None) == 0.0
    assert value("brute_score", brute_max_sessions=None, brute_even_pm=None) is None


@pytest.mark.parametrize(("history_days", "count"), [(6, None), (7, 3), (None, None)])
def test_novelty_waits_for_seven_days(history_days: int | None, count: int | None) -> None:
    operands = {
        "novelty:new_pairs": 3,
        "detection:new_admin_peers": 3,
        "history_days": history_days,
    }

    assert value("new_pair_cnt", **operands) == count
    assert value("new_admin_peer_cnt", **operands) == count


def test_the_lateral_score_is_one_half_at_three_new_peers() -> None:
    assert value("lateral_score", new_admin_peer_cnt=3) == 0.5
    assert value("lateral_score", new_admin_peer_cnt=None) is None


@pytest.mark.parametrize(("sessions", "flag"), [(0, 0), (1, 1), (9, 1), (None, None)])
def test_high_risk_is_a_flag_of_any_session(sessions: int | None, flag: int | None) -> None:
    assert value("has_high_risk", high_risk_sessions_cnt=sessions) == flag
