"""What is new for a host, as the masks of its history say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ndr_core.expressions.evaluate import evaluate
from ndr_core.features.networks import Networks
from ndr_core.history.plan import HistoryPlan
from ndr_core.history.reference import HistoryRows, history_tables
from ndr_core.tables.merge import Row
from ndr_core.times import day_of, day_start
from ndr_core.windows.history_source import HistorySource, history_source
from ndr_core.windows.novelty import (
    RARITY_BITS,
    RARITY_FIXED_POINT,
    HostHistory,
    histories,
    novelty,
)
from tests.makers import us
from tests.window_cases import (
    FIRST_SLICE,
    HOUR,
    NETWORKS,
    WindowCase,
    delta_tables,
    history_row,
    session,
)

NOON = us("2025-03-12T12:00:00Z")
DAY = day_of(NOON)
PEER = "192.0.2.7"
ANOTHER = "198.51.100.1"
HOST = ("10.0.0.1", "outbound")


def slice_row(day: int, hour: int, peer: str = PEER, port: int | None = 443) -> Row:
    """A pair row of a slice."""
    start = day_start(day) + hour * 3_600_000_000
    (row,) = (
        row
        for row in delta_tables(
            [session("10:00:00", destination_ip=peer, destination_port=port)]
        ).pairs
        if row["role"] == "outbound"
    )
    return row | {"slice_start_ts": start}


def days_of_history(active: Sequence[int], last: int) -> list[Row]:
    """The pair history of the day `last`, made day by day from the slices of the active days."""
    former: list[Row] | None = None
    tiles: list[Row] = []
    for day in range(min(active), last + 1):
        plan = HistoryPlan(day, NETWORKS, "v1", 0, "v1")
        pairs = [slice_row(day, 9)] if day in active else []
        pairs += [slice_row(day, 9, ANOTHER)]  # the host is there every day
        leaving = [row for row in tiles if day_of(row["day_ts"]) == plan.leaving_day]
        tables = history_tables(HistoryRows(pairs, leaving, former), plan)
        former, tiles = tables["pair_history"], [*tiles, *tables["pair_tile"]]
    assert former is not None
    return former


def pair_novelty(history: Sequence[Row], window_start: int, slices: Sequence[Row] = ()) -> Row:
    """Novelty of a window that starts then, with sessions of one pair in it."""
    source = history_source(window_start, {day_of(window_start) - 1}, FIRST_SLICE)
    known = histories(source, history, slices)[HOST]
    return novelty([slice_row(day_of(window_start), 12)], known, NETWORKS)


@pytest.mark.parametrize(
    ("days_ago", "new", "rare"),
    [
        ([40], 1, 0),  # no day of the 30
        ([30], 1, 0),  # new again on the 30th silent day
        ([29], 0, 1),  # known on the 29th
        ([1], 0, 1),
        ([2, 1], 0, 1),
        ([3, 2, 1], 0, 0),  # not rare any more
        ([30, 2, 1], 0, 1),
    ],
)
def test_a_pair_is_new_then_rare_until_its_third_day_and_new_again_after_30_days(
    days_ago: list[int], new: int, rare: int
) -> None:
    history = days_of_history([DAY - 40, *(DAY - days for days in days_ago)], DAY - 1)

    found = pair_novelty(history, NOON)

    assert (found["novelty:new_pairs"], found["novelty:rare_pairs"]) == (new, rare)
    assert (found["novelty:new_peers"], found["novelty:rare_peers"]) == (new, rare)
    assert found["history_days"] == 29


def test_a_pair_is_new_in_windows_that_hold_its_first_session_and_rare_in_later_ones() -> None:
    history = days_of_history([DAY - 40], DAY - 1)
    first = slice_row(DAY, 9)

    holding = pair_novelty(history, day_start(DAY) + 9 * 3_600_000_000, [first])
    later = pair_novelty(history, day_start(DAY) + 10 * 3_600_000_000, [first])

    assert holding["novelty:new_pairs"] == 1
    assert (later["novelty:new_pairs"], later["novelty:rare_pairs"]) == (0, 1)


def test_the_slices_of_a_day_count_as_one_day() -> None:
    history = days_of_history([DAY - 40, DAY - 1], DAY - 1)
    slices = [slice_row(DAY, hour) for hour in (1, 2, 3)]

    found = pair_novelty(history, NOON, slices)

    assert found["novelty:rare_pairs"] == 1  # two days: the one before, and the day itself


def test_a_day_rebuilt_in_the_middle_changes_what_is_new() -> None:
    without = days_of_history([DAY - 40], DAY - 1)
    rebuilt = days_of_history([DAY - 40, DAY - 15], DAY - 1)

    assert pair_novelty(without, NOON)["novelty:new_pairs"] == 1
    assert pair_novelty(rebuilt, NOON)["novelty:new_pairs"] == 0
    assert pair_novelty(rebuilt, NOON)["novelty:rare_pairs"] == 1


@pytest.mark.parametrize("active", [[1], [2], [30], [29, 1], [31, 3, 2, 1], []])
def test_slices_of_the_day_before_stand_for_its_rows_with_equal_results(active: list[int]) -> None:
    days = [DAY - 40, *(DAY - days for days in active)]
    yesterday = [slice_row(DAY - 1, 9, ANOTHER)]
    yesterday += [slice_row(DAY - 1, hour) for hour in (8, 20) if 1 in active]
    today = [slice_row(DAY, 3, ANOTHER)]
    midnight, noon = day_start(DAY), NOON

    with_rows = histories(
        HistorySource(DAY, DAY - 1, ((midnight, noon),)),
        days_of_history(days, DAY - 1),
        [*yesterday, *today],
    )
    with_slices = histories(
        HistorySource(
            DAY, DAY - 2, ((midnight - (noon - midnight) * 2, midnight), (midnight, noon))
        ),
        days_of_history(days, DAY - 2),
        [*yesterday, *today],
    )

    assert with_rows == with_slices


def test_pairs_unite_to_peers_ports_and_segments() -> None:
    history = HostHistory({(PEER, 443): 0b10, (PEER, None): 0b100, ("192.0.2.8", 443): 0b1})

    assert history.mask == 0b111
    assert history.of_pair(PEER, 443) == 0b10
    assert history.of_pair(PEER, 80) == 0
    assert history.by_peer() == {PEER: 0b110, "192.0.2.8": 0b1}
    assert history.by_port() == {443: 0b11, None: 0b100}
    assert history.by_segment(Networks()) == {"192.0.2.0/24": 0b111}


@pytest.mark.parametrize(("mask", "days"), [(0, 0), (0b1, 0), (0b1000_0001, 7), (1 << 29, 29)])
def test_history_days_go_back_to_the_first_active_day(mask: int, days: int) -> None:
    assert HostHistory({(PEER, 443): mask}).history_days == days


@pytest.mark.parametrize(
    ("active_days", "bits"), [(0, 4.0), (1, 4.0 - 1.584962500721), (7, 4.0 - 3.906890595609)]
)
def test_rarity_is_largest_for_pairs_never_seen(active_days: int, bits: float) -> None:
    values: dict[str, Any] = {"days_seen": 7, "active_days": active_days}  # log2(2 (7 + 1)) = 4

    assert evaluate(RARITY_BITS, values) == pytest.approx(bits, abs=1e-11)
    assert evaluate(RARITY_FIXED_POINT, values) == int(bits * 65536 + 0.5)


def _row_of_history(first_day: int) -> Row:
    """The window row of a host first seen so many days before the window."""
    history = [history_row(DAY - 1, PEER, 443, [first_day - 1])]
    case = WindowCase("", HOUR, "2025-03-12T11:00:00Z", [session("10:00:00")], history)
    return next(row for row in case.build().fg_a if row["role"] == "outbound")


def test_novelty_is_null_until_a_host_has_seven_days_of_history() -> None:
    six, seven = _row_of_history(6), _row_of_history(7)

    assert (six["history_days"], six["new_pair_cnt"], six["pair_rarity_max"]) == (6, None, None)
    assert (seven["history_days"], seven["new_pair_cnt"], seven["rare_pair_cnt"]) == (7, 0, 1)
    assert seven["pair_rarity_max"] is not None
