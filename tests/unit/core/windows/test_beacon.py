"""The scores of beacons, over values made by hand."""

from __future__ import annotations

from typing import Any

import pytest

from ndr_core.expressions.evaluate import evaluate
from ndr_core.windows.beacon import BEACON_FORMULAS

STEADY: dict[str, Any] = {
    "sessions_cnt": 100,
    "beacon:unanswered": 0,
    "gaps_cnt": 92,
    "period_s": 300,
    "beacon:mad": 0,
    "beacon:mode_gaps": 92,
    "bytes_sent_median": 76,
    "beacon:like_sized": 100,
    "beacon:first": 0,
    "beacon:last": 86_400,
    "is_external": 1,
    "prevalence_hosts": 10,
    "beacon:hosts_seen": 100,
    "age_days": 14,
    "history_days": 29,
}
# 92 (400 + 200 + 200 + 200) * 1000 // (1000 * 100)
SCORE = 920


def scored(**changes: Any) -> dict[str, Any]:
    values = STEADY | changes
    for formula in BEACON_FORMULAS:
        values[formula.name] = evaluate(formula.value, values)
    return values


def test_a_steady_pair_loses_only_what_few_gaps_cost() -> None:
    assert scored()["beacon_score"] == SCORE
    assert scored(gaps_cnt=8, **{"beacon:mode_gaps": 8})["beacon_score"] == 500


def test_gaps_that_scatter_beyond_the_median_have_no_regularity_left() -> None:
    assert scored(**{"beacon:mad": 75})["reg_pm"] == 750
    assert scored(**{"beacon:mad": 300})["reg_pm"] == 0
    assert scored(**{"beacon:mad": 301})["reg_pm"] == 0


def test_the_span_is_a_day_at_most() -> None:
    assert scored(**{"beacon:last": 43_200})["span_pm"] == 500
    assert scored(**{"beacon:last": 172_800})["span_pm"] == 1000


@pytest.mark.parametrize(
    ("hosts", "seen", "step"),
    [
        (2, 100, 150),
        (3, 100, 0),
        (49, 100, 0),
        (50, 100, -150),
        (0, 1, 150),
        (0, 0, 0),
        (None, None, 0),
    ],
)
def test_rare_peers_threaten_more_and_common_ones_less(
    hosts: int | None, seen: int | None, step: int
) -> None:
    row = scored(prevalence_hosts=hosts, **{"beacon:hosts_seen": seen, "beacon:mode_gaps": 46})
    score = row["beacon_score"]

    assert row["beacon_threat"] == score + step


def test_the_prevalence_is_a_share_of_the_hosts_seen() -> None:
    assert scored()["prevalence"] == 10 / 100
    assert scored(**{"beacon:hosts_seen": 0})["prevalence"] is None
    assert scored(**{"beacon:hosts_seen": None})["prevalence"] is None


@pytest.mark.parametrize(
    ("age", "history_days", "step"),
    [
        (0, 7, 150),
        (7, 29, 150),
        (8, 29, 0),
        (27, 29, 0),
        (28, 29, -150),
        (0, 6, 0),
        (None, None, 0),
    ],
)
def test_young_pairs_threaten_more_and_old_ones_less_once_the_host_is_known(
    age: int | None, history_days: int | None, step: int
) -> None:
    row = scored(age_days=age, history_days=history_days, **{"beacon:mode_gaps": 46})

    assert row["beacon_threat"] == row["beacon_score"] + step


def test_a_threat_stays_within_0_and_1000() -> None:
    most = scored(prevalence_hosts=0, age_days=0)
    least = scored(
        prevalence_hosts=100, age_days=29, gaps_cnt=1, **{"beacon:mode_gaps": 0, "beacon:last": 0}
    )

    assert most["beacon_threat"] == 1000  # 920 + 150 + 150
    assert least["beacon_score"] < 300
    assert least["beacon_threat"] == 0


def test_times_are_those_of_the_first_and_last_start() -> None:
    row = scored(**{"beacon:first": 5, "beacon:unanswered": 33})

    assert (row["first_seen_ts"], row["last_seen_ts"]) == (5_000_000, 86_400_000_000)
    assert row["unanswered_pm"] == 330
