"""Each value of a window is explained by what it is made of, and the explained rows are those of the reference."""

from __future__ import annotations

from typing import Any, Final

import pytest
from attrs import evolve

from ndr_core.windows.explain import explain_host
from ndr_core.windows.explained import ALL, Evidence, Explained, RoleExplanation, number_text
from ndr_core.windows.reference import WindowRows, WindowTables, history_of
from ndr_core.windows.tables import BEACON
from tests.window_cases import (
    A_DAY_OF_BEACONS,
    AN_ATTACK,
    CASES,
    EVERY_COLUMN,
    ONLY_A_THREAT,
    UNKNOWN_HISTORY,
    WindowCase,
)

MADE: Final[dict[str, tuple[WindowRows, WindowTables]]] = {}


def made(case: WindowCase) -> tuple[WindowRows, WindowTables]:
    """What a case is made of, and its tables: worked out once."""
    if case.name not in MADE:
        MADE[case.name] = case.rows, case.build()
    return MADE[case.name]


def explained(
    case: WindowCase, host: str = "10.0.0.1", most: int = ALL
) -> dict[str, RoleExplanation]:
    """The explanations of a host of a case, by role."""
    rows, _ = made(case)
    of_host = evolve(
        rows,
        deltas=[row for row in rows.deltas if row["host_ip"] == host],
        pairs=[row for row in rows.pairs if row["host_ip"] == host],
        history=[row for row in rows.history if row["host_ip"] == host],
    )
    _, prevalence = history_of(case.plan, rows)
    found = explain_host(case.plan, case.end, case.label, of_host, prevalence, most)
    return {one.role: one for one in found}


def column(explanation: RoleExplanation, name: str) -> Explained:
    return next(one for one in explanation.columns if one.column == name)


def shown(explanation: RoleExplanation, name: str) -> list[Evidence]:
    return list(column(explanation, name).evidence)


def values(evidence: Evidence, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in evidence.rows]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_explained_rows_are_those_of_the_reference(case: WindowCase) -> None:
    _, tables = made(case)
    hosts = {row["host_ip"] for row in tables.fg_a}

    found = [one for host in hosts for one in explained(case, host).values()]

    rows = {(row["role"], row["host_ip"]): row for row in tables.fg_a}
    assert {(one.role, one.row["host_ip"]): dict(one.row) for one in found} == rows
    for one in found:
        assert {each.column: each.value for each in one.columns} == dict(one.row)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_explained_beacons_are_those_of_the_reference(case: WindowCase) -> None:
    rows = {
        (row["peer_ip"], row["peer_port"]): row
        for row in made(case)[1].beacons
        if row["host_ip"] == "10.0.0.1"
    }
    measured = {one.name for one in BEACON.columns}

    beacons = explained(case)["outbound"].beacons

    assert {(one.peer_ip, one.peer_port) for one in beacons} == set(rows)
    for one in beacons:
        row = rows[one.peer_ip, one.peer_port]
        for each in one.columns:
            if each.column in measured:
                assert each.value == row[each.column], each.column


def test_a_sum_is_shown_by_slices_and_by_pairs() -> None:
    sent = column(explained(EVERY_COLUMN)["outbound"], "bytes_sent_sum")

    by_slice, by_pair = sent.evidence
    assert sent.formula == "sum over the slices"
    assert sum(row["bytes_sent_sum"] for row in by_slice.rows) == sent.value
    assert sum(row["bytes_sent_sum"] for row in by_pair.rows) == sent.value
    assert values(by_pair, "peer_ip", "peer_port", "bytes_sent_sum")[0] == ("10.0.1.5", 445, 1000)


def test_a_sum_of_nothing_shows_nothing() -> None:
    found = explained(ONLY_A_THREAT)["outbound"]

    assert column(found, "sessions_cnt").evidence == ()
    assert column(found, "max_sessions_per_minute").evidence == ()
    assert column(found, "peer_ip_nunique").evidence == ()
    assert column(found, "bytes_sent_p95").worked is None
    assert found.pairs.total == 0


def test_a_formula_is_shown_with_its_numbers() -> None:
    found = explained(EVERY_COLUMN)["outbound"]

    ratio = column(found, "drop_ratio")
    assert ratio.formula == "drop_cnt / sessions_cnt if sessions_cnt > 0, else null"
    assert ratio.worked == f"{found.row['drop_cnt']} / {found.row['sessions_cnt']}"
    assert [(one.name, one.value) for one in ratio.operands] == [
        ("drop_cnt", found.row["drop_cnt"]),
        ("sessions_cnt", found.row["sessions_cnt"]),
    ]
    assert all(one.meaning for each in found.columns for one in each.operands)


def test_a_percentile_names_its_rank_and_the_bucket_that_holds_it() -> None:
    found = column(explained(EVERY_COLUMN)["outbound"], "bytes_sent_p95")

    # 7 sessions: rank ceil(0.95 * 7) = 7, the largest.
    assert found.worked == "rank 7 of 7"
    assert found.operands[0].value == 7
    assert values(found.evidence[0], "first_rank", "last_rank") == [(7, 7)]


def test_novelty_names_what_is_new_and_what_is_rare() -> None:
    found = explained(EVERY_COLUMN)["outbound"]

    (new,) = shown(found, "new_peer_cnt")
    (rare,) = shown(found, "rare_pair_cnt")
    (days,) = shown(found, "history_days")
    assert (new.title, new.total) == ("new peers", found.row["new_peer_cnt"])
    assert rare.total == found.row["rare_pair_cnt"]
    assert all(1 <= len(row["seen_on"].split(", ")) <= 2 for row in rare.rows)
    assert days.rows[0]["days_before"] == found.row["history_days"]
    (rarities,) = shown(found, "pair_rarity_max")
    assert rarities.rows[0]["bits"] == found.row["pair_rarity_max"]
    (external,) = shown(found, "new_ext_bytes_sent")
    assert sum(row["bytes_sent_sum"] for row in external.rows) == found.row["new_ext_bytes_sent"]


@pytest.mark.parametrize(
    "name",
    [
        *("new_peer_cnt", "rare_peer_cnt", "new_port_cnt", "rare_port_cnt"),
        *("new_pair_cnt", "rare_pair_cnt", "new_segment_cnt", "peer_segment_nunique"),
        *("ext_peer_nunique", "int_peer_nunique", "peer_ip_nunique", "peer_port_nunique"),
        "scan_targets_cnt",
    ],
)
def test_as_much_is_shown_as_was_counted(name: str) -> None:
    found = explained(EVERY_COLUMN)["outbound"]

    (evidence,) = shown(found, name)

    assert evidence.total == found.row[name] > 0


@pytest.mark.parametrize("name", ["hscan_max_peers", "vscan_max_ports"])
@pytest.mark.parametrize("case", [EVERY_COLUMN, AN_ATTACK], ids=lambda case: case.name)
def test_a_scan_is_shown_with_its_targets(case: WindowCase, name: str) -> None:
    found = explained(case)["outbound"]

    ranked, targets = shown(found, name)

    assert targets.total == found.row[name] > 0
    assert list(ranked.rows[0].values())[1] == found.row[name]


def test_the_guessed_pair_comes_first() -> None:
    found = explained(AN_ATTACK)["outbound"]

    (pairs,) = shown(found, "brute_max_sessions")
    first = pairs.rows[0]
    assert first["sessions_cnt"] == found.row["brute_max_sessions"]
    assert first["even_pm"] == found.row["brute_even_pm"]


def test_lateral_movement_names_the_peers_that_were_never_met_on_such_ports() -> None:
    found = explained(EVERY_COLUMN)["outbound"]

    (known,) = shown(found, "admin_peer_nunique")
    (new,) = shown(found, "new_admin_peer_cnt")
    assert {row["peer_ip"] for row in known.rows} == {"10.0.1.5", "10.0.1.6"}
    assert [row["peer_ip"] for row in new.rows] == ["10.0.1.6"]


def test_peers_with_and_without_answers_stand_behind_the_scanner_bits() -> None:
    found = explained(AN_ATTACK)["outbound"]

    totals = {one.title: one.total for one in shown(found, "trw_bits")}
    failed = totals.get("peers without an answered session", 0)
    answering = totals.get("peers with an answered session", 0)
    assert found.row["trw_bits"] == max(0, 2 * (failed - answering))


def test_a_beacon_is_shown_with_the_arithmetic_of_its_score() -> None:
    outbound = explained(A_DAY_OF_BEACONS)["outbound"]

    first = outbound.beacons[0]
    score = next(one for one in first.columns if one.column == "beacon_score")
    assert score.formula is not None
    assert score.worked is not None
    assert eval(score.worked) == first.value("beacon_score") == score.value
    (pairs,) = shown(outbound, "beacon_score_max")
    assert pairs.rows[0]["beacon_score"] == outbound.row["beacon_score_max"]
    assert outbound.beacons_total == len(outbound.beacons) > 1


def test_only_so_many_rows_are_shown_as_are_asked_for() -> None:
    whole = explained(A_DAY_OF_BEACONS)["outbound"]

    found = explained(A_DAY_OF_BEACONS, most=1)["outbound"]

    assert (len(found.pairs.rows), found.pairs.total) == (1, whole.pairs.total)
    assert found.pairs.rows == whole.pairs.rows[:1]
    assert found.beacons == whole.beacons[:1]
    assert found.beacons_total == whole.beacons_total


def test_without_a_known_history_nothing_is_said_of_what_is_new() -> None:
    found = explained(UNKNOWN_HISTORY)["outbound"]

    for name in ("new_peer_cnt", "new_pair_cnt", "new_segment_cnt", "new_ext_bytes_sent"):
        assert column(found, name).value is None
        assert shown(found, name) == []
    assert shown(found, "history_days") == []
    assert shown(found, "pair_rarity_max") == []
    assert shown(found, "new_admin_peer_cnt") == []
    assert "days_before" not in found.pairs.rows[0]


def test_an_inbound_row_has_no_evidence_of_attacks() -> None:
    found = explained(EVERY_COLUMN, "10.0.1.5")["inbound"]

    assert shown(found, "hscan_max_peers") == []
    assert shown(found, "new_admin_peer_cnt") == []
    assert "unanswered_cnt" not in found.pairs.rows[0]


def test_numbers_are_short_in_formulas() -> None:
    assert [number_text(one) for one in (None, 3, -3, 0.123456789, 2.0)] == [
        *("null", "3", "(-3)", "0.123457", "2")
    ]
