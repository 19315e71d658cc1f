"""What the rows of windows hold, by examples that can be worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.errors import OverflowingColumnError
from ndr_core.tables.merge import Row
from ndr_core.windows.history_source import HistorySource
from ndr_core.windows.labels import WindowLabel
from ndr_core.windows.plan import WindowPlan
from ndr_core.windows.reference import WindowRows, WindowTables, build_windows
from ndr_core.windows.tables import BEACON
from tests.makers import us
from tests.window_cases import (
    A_DAY_OF_BEACONS,
    CASES,
    DAY,
    DELTA_PLAN,
    ELEVENTH,
    EVERY_COLUMN,
    HOUR,
    QUARTER,
    TWELFTH,
    WindowCase,
    delta_tables,
    found,
    history_row,
    session,
    window_plan,
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_rows_hold_what_was_worked_out_by_hand(case: WindowCase) -> None:
    tables = case.build()

    rows = {(row["role"], row["host_ip"]): row for row in tables.fg_a}
    beacons = {
        (row["peer_ip"], row["peer_port"]): row
        for row in tables.beacons
        if row["host_ip"] == "10.0.0.1"
    }

    for key, expected in case.fg_a.items():
        assert found(rows[key], expected) == expected
    for peer, expected in case.beacons.items():
        assert found(beacons[peer], expected) == expected


def test_every_column_of_windows_has_a_value_worked_out_by_hand() -> None:
    (row,) = (row for row in EVERY_COLUMN.build().fg_a if row["role"] == "outbound")

    assert set(row) == set(EVERY_COLUMN.fg_a["outbound", "10.0.0.1"])
    assert list(row) == [column.name for column in EVERY_COLUMN.plan.fg_a.columns]


def test_every_column_of_beacons_has_a_value_worked_out_by_hand() -> None:
    columns = {column.name for column in BEACON.columns} - {"peer_ip", "peer_port"}

    assert set(A_DAY_OF_BEACONS.beacons["192.0.2.7", 443]) == columns


def test_a_pair_of_too_few_distinct_starts_and_a_multicast_peer_are_no_beacons() -> None:
    beacons = A_DAY_OF_BEACONS.build().beacons

    assert [(row["peer_ip"], row["peer_port"]) for row in beacons] == [
        ("10.0.1.5", 123),
        ("192.0.2.7", 443),
        ("198.51.100.9", None),
    ]


def test_only_internal_hosts_have_rows_where_the_spec_says_nothing() -> None:
    assert {row["host_ip"] for row in EVERY_COLUMN.build().fg_a} == {
        "10.0.0.1",
        "10.0.1.5",
        "10.0.1.6",
    }


def test_rows_are_sorted_by_role_and_host_and_label() -> None:
    case = EVERY_COLUMN
    anchor = case.end

    tables = build_windows(case.plan, anchor, {HOUR: case.rows, QUARTER: case.rows})

    keys = [(row["role"], row["host_ip"], row["window_label"]) for row in tables.fg_a]
    assert keys == sorted(keys)
    assert ("outbound", "10.0.0.1", "w_15m") in keys


def test_a_start_before_the_edge_of_a_slice_and_one_behind_it_have_their_true_gap() -> None:
    early = [session(f"09:{minute}:59", 1) for minute in range(51, 59)]
    edge = [session("09:59:59", 2), session("10:00:01", 1)]  # both end behind 10:00

    (beacon,) = _day([*early, *edge], "2025-03-13T00:00:00Z").beacons

    # Starts 09:51:59 .. 09:58:59 and 09:59:59: gaps of 60 s; then one of 2 s.
    assert beacon["gaps_cnt"] == 9
    assert beacon["period_s"] == 60
    assert beacon["mode_pm"] == 8 * 1000 // 9
    assert beacon["last_seen_ts"] == us("2025-03-12T10:00:01Z")


def test_a_session_that_began_over_a_day_before_its_slice_has_no_start_in_a_beacon() -> None:
    long = session("09:00:00") | {"event_start": "2025-03-10T00:00:00Z"}
    short = [session(f"10:0{minute}:00") for minute in range(9)]

    (beacon,) = _day([long, *short], "2025-03-13T00:00:00Z").beacons

    assert beacon["sessions_cnt"] == 10
    assert beacon["gaps_cnt"] == 8
    assert beacon["first_seen_ts"] == us("2025-03-12T10:00:00Z")


def test_a_sum_that_leaves_int64_is_an_error_that_names_column_table_host_and_window() -> None:
    large = [session(f"10:{minute}:00", 1, source_bytes=(1 << 63) - 1) for minute in (10, 20)]

    with pytest.raises(OverflowingColumnError) as error:
        _hour(large)

    assert str(error.value).startswith(
        "bytes_sent_sum: the sum leaves the range of int64 (2^63 - 1) for host 10.0.0.1 (outbound, window w_1h "
        "of table fg_a that ends at 2025-03-12T11:00:00Z)"
    )


def test_the_sums_of_a_host_without_rows_are_no_error() -> None:
    large = [
        session(f"10:{minute}:00", 1, source_ip="192.0.2.9", source_bytes=(1 << 63) - 1)
        for minute in (10, 20)
    ]

    assert _hour(large).fg_a == []


RECORDS = st.builds(
    lambda source, peer, port, sent, received, start, length, action, name: session(
        start,
        length,
        source_ip=source,
        destination_ip=peer,
        destination_port=port,
        source_bytes=sent,
        destination_bytes=received,
        event_action=action,
        event_name=name,
    ),
    source=st.sampled_from(["10.0.0.1", "10.0.0.2", "192.0.2.7"]),
    peer=st.sampled_from(["192.0.2.7", "10.0.0.2", "224.0.0.1", "2001:db8::7"]),
    port=st.sampled_from([443, 22, 445, None]),
    sent=st.one_of(st.none(), st.integers(0, 5000)),
    received=st.sampled_from([None, 0, 70]),
    start=st.builds(
        "{:02}:{:02}:{:02}".format,
        st.sampled_from([0, 9, 10, 23]),
        st.sampled_from([0, 14, 15, 31, 59]),
        st.sampled_from([0, 1, 59]),
    ),
    length=st.sampled_from([0, 0.5, 2, 1000]),
    action=st.sampled_from(["allow", "deny"]),
    name=st.sampled_from(["TRAFFIC", "TRAFFIC", "THREAT"]),
)
SPLITS = st.lists(st.lists(RECORDS, max_size=12), min_size=1, max_size=4)
STARTS = st.one_of(st.integers(0, 86_399), st.integers(10, 40).map(lambda beat: beat * 60))
HISTORY = [
    history_row(ELEVENTH, "192.0.2.7", 443, [9]),
    history_row(ELEVENTH, "10.0.0.2", 445, [0, 3, 28]),
]


@settings(max_examples=15, deadline=None)
@given(SPLITS, st.lists(STARTS, max_size=25), st.randoms(use_true_random=False))
def test_a_window_over_slices_of_any_split_is_the_window_of_one_slice_of_all_records(
    split: list[list[dict[str, Any]]], starts: list[int], random: Random
) -> None:
    for start in starts:
        random.choice(split).append(_beat(start))
    whole_plan = evolve(DELTA_PLAN, slice_minutes=1440)
    whole = delta_tables([record for part in split for record in part], whole_plan)
    parts = [delta_tables(part) for part in split]
    deltas = [row for part in parts for row in part.deltas]
    pairs = [row for part in parts for row in part.pairs]
    random.shuffle(deltas)
    random.shuffle(pairs)

    sliced = _of(deltas, pairs, window_plan())
    at_once = _of(
        whole.deltas,
        whole.pairs,
        window_plan(delta_plan=whole_plan, labels=[WindowLabel(1440, 1440)]),
    )

    assert sliced == at_once


@settings(max_examples=15, deadline=None)
@given(st.lists(RECORDS, max_size=20))
def test_an_hour_over_quarters_is_the_hour_of_one_slice(records: list[dict[str, Any]]) -> None:
    hour_plan = evolve(DELTA_PLAN, slice_minutes=60)
    plans = (window_plan(), window_plan(delta_plan=hour_plan, labels=[WindowLabel(60, 60)]))
    anchor = us("2025-03-12T10:00:00Z")

    quarters, hour = (
        build_windows(
            plan,
            anchor,
            {
                HOUR: WindowRows(
                    tables.deltas,
                    tables.pairs,
                    HOUR.slices(plan.slice_minutes),
                    # Slices that stand for history must be those of both.
                    HistorySource(TWELFTH, ELEVENTH, ()),
                    HISTORY,
                )
            },
        )
        for plan, tables in zip(
            plans, (delta_tables(records), delta_tables(records, hour_plan)), strict=True
        )
    )

    assert [row | {"coverage_slices": 1} for row in quarters.fg_a] == hour.fg_a


def _beat(start: int) -> dict[str, Any]:
    """A session of one pair, some seconds after midnight."""
    clock = f"{start // 3600:02}:{start // 60 % 60:02}:{start % 60:02}"
    return session(clock, start % 700, source_bytes=start % 300)


def _of(
    deltas: Sequence[Mapping[str, Any]], pairs: Sequence[Mapping[str, Any]], plan: WindowPlan
) -> tuple[list[Row], list[Row]]:
    """The day of the 12th, but for the number of its slices."""
    source = HistorySource(TWELFTH, ELEVENTH, ())
    rows = WindowRows(deltas, pairs, DAY.slices(plan.slice_minutes), source, HISTORY)
    tables = build_windows(plan, us("2025-03-13T00:00:00Z"), {DAY: rows})
    return [row | {"coverage_slices": 0} for row in tables.fg_a], tables.beacons


def _day(records: Sequence[dict[str, Any]], anchor: str) -> WindowTables:
    return WindowCase("", DAY, anchor, records).build()


def _hour(records: Sequence[dict[str, Any]]) -> WindowTables:
    return WindowCase("", HOUR, "2025-03-12T11:00:00Z", records).build()
