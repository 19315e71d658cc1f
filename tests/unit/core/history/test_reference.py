"""The history of a day, worked out by hand."""

from __future__ import annotations

import pytest

from ndr_core.errors import NdrError, OverflowingColumnError
from ndr_core.features.networks import Hosts
from ndr_core.history.reference import HistoryRows, history_tables
from ndr_core.history.tables import HISTORY_TABLES
from ndr_core.int64 import INT64_MAX
from ndr_core.tables.merge import Row
from ndr_core.times import MINUTE_US, day_start
from tests.unit.core.history.days import (
    HOST,
    LAST_OF_10_OCLOCK,
    PEER,
    PUBLISHED_AT,
    anew,
    in_order,
    pair,
    plan,
)


def the_row(rows: list[Row]) -> Row:
    (row,) = rows
    return row


def test_a_pair_of_three_days_has_every_column_by_hand() -> None:
    days = {
        98: [pair(98, sessions=1, bytes_sent=10)],
        99: [pair(99, sessions=2, bytes_sent=20, quarter=0), pair(99, sessions=3, bytes_sent=30)],
        101: [pair(101, sessions=4, bytes_sent=40)],
    }

    row = the_row(anew(days, 102)["pair_history"])

    assert row == {
        "host_ip": HOST,
        "peer_ip": PEER,
        "peer_port": 443,
        "day_ts": day_start(102),
        "days_mask": 0b11010,  # 1, 3 and 4 days before
        "last_seen_ts": day_start(101) + LAST_OF_10_OCLOCK,
        "age_days": 4,
        "sessions_30d": 1 + 2 + 3 + 4,
        "bytes_sent_30d": 10 + 20 + 30 + 40,
        "published_at": PUBLISHED_AT,
        "feature_spec_version": "v1",
        "dt": "1970-04-13",
        "role": "outbound",
    }


def test_the_tile_of_a_day_has_every_column_by_hand() -> None:
    slices = [
        pair(99, sessions=2, bytes_sent=20, quarter=39),
        pair(99, sessions=3, bytes_sent=30),
        pair(99, sessions=5, bytes_sent=50, quarter=7),
    ]

    row = the_row(anew({99: slices}, 99)["pair_tile"])

    assert row == {
        "host_ip": HOST,
        "peer_ip": PEER,
        "peer_port": 443,
        "day_ts": day_start(99),
        "sessions_cnt": 2 + 3 + 5,
        "bytes_sent_sum": 20 + 30 + 50,
        "last_seen_ts": day_start(99) + LAST_OF_10_OCLOCK,
        "published_at": PUBLISHED_AT,
        "feature_spec_version": "v1",
        "dt": "1970-04-10",
        "role": "outbound",
    }


def test_a_pair_was_last_seen_on_its_last_active_day_whatever_an_earlier_one_says() -> None:
    # The session of day 99 ends on day 105: its slice is that of its start.
    early = pair(99) | {"event_ts": day_start(105)}
    days = {99: [early], 100: [pair(100)]}

    for tables in (anew(days, 101), in_order(days, 98, 101)[101]):
        assert the_row(tables["pair_history"])["last_seen_ts"] == day_start(100) + LAST_OF_10_OCLOCK


def test_the_views_hold_the_days_of_all_their_pairs() -> None:
    days = {
        98: [pair(98, port=None)],
        99: [pair(99, port=80), pair(99, peer="192.0.2.9", port=80)],
        100: [pair(100, port=443), pair(100, peer="192.0.2.200", port=443)],
    }

    tables = anew(days, 100)

    def masks(table: str, name: str) -> dict[object, int]:
        return {row[name]: row["days_mask"] for row in tables[table]}

    assert masks("host_peer_history", "peer_ip") == {
        "192.0.2.200": 0b001,
        "192.0.2.7": 0b111,  # by three ports, one of them unknown
        "192.0.2.9": 0b010,
    }
    assert masks("host_port_history", "peer_port") == {80: 0b010, 443: 0b001}
    assert masks("host_segment_history", "segment") == {"192.0.2.0/24": 0b111, "lab": 0b001}
    assert len(tables["pair_history"]) == 5


def test_a_view_was_last_seen_when_the_latest_of_its_pairs_was() -> None:
    pairs = [pair(99, port=80, quarter=90), pair(99, port=443, quarter=10)]

    row = the_row(anew({99: pairs}, 100)["host_peer_history"])

    assert row == {
        "host_ip": HOST,
        "peer_ip": PEER,
        "day_ts": day_start(100),
        "days_mask": 0b10,
        "last_seen_ts": pairs[0]["event_ts"],
        "published_at": PUBLISHED_AT,
        "feature_spec_version": "v1",
        "dt": "1970-04-11",
        "role": "outbound",
    }


def test_prevalence_counts_the_internal_hosts_that_went_out_in_7_days() -> None:
    other, silent, third = "10.0.0.2", "10.0.0.3", "198.51.100.9"
    days = {
        93: [pair(93, silent)],  # 7 days before: too long ago
        94: [pair(94), pair(94, port=80)],
        100: [
            pair(100, other),
            pair(100, other, "192.0.2.9"),
            pair(100, "10.0.0.4", role="inbound"),
        ],
    }
    days[100].append(pair(100, third))

    rows = history_tables(
        HistoryRows([row for of_day in days.values() for row in of_day]), plan(100, hosts=Hosts.ALL)
    )["prevalence"]

    assert [(row["peer_ip"], row["hosts_cnt"], row["hosts_seen_cnt"]) for row in rows] == [
        (PEER, 2, 2),
        ("192.0.2.9", 1, 2),
    ]
    assert rows[0] == {
        "peer_ip": PEER,
        "day_ts": day_start(100),
        "hosts_cnt": 2,
        "hosts_seen_cnt": 2,
        "published_at": PUBLISHED_AT,
        "feature_spec_version": "v1",
        "dt": "1970-04-11",
        "role": "outbound",
    }


def test_sides_roles_hosts_and_unknown_ports_make_pairs_of_their_own() -> None:
    pairs = [
        pair(99, port=None),
        pair(99, port=443),
        pair(99, role="inbound"),
        pair(99, host="10.0.0.2"),
    ]

    rows = anew({99: pairs}, 99)["pair_history"]

    assert [(row["host_ip"], row["role"], row["peer_port"]) for row in rows] == [
        ("10.0.0.1", "inbound", 443),
        ("10.0.0.1", "outbound", None),
        ("10.0.0.1", "outbound", 443),
        ("10.0.0.2", "outbound", 443),
    ]


def test_only_internal_hosts_have_a_history_unless_all_are_asked_for() -> None:
    pairs = [pair(99), pair(99, host="198.51.100.9"), pair(99, host="239.0.0.1", role="inbound")]

    internal = history_tables(HistoryRows(pairs), plan(99))
    of_all = history_tables(HistoryRows(pairs), plan(99, hosts=Hosts.ALL))

    assert {row["host_ip"] for row in internal["pair_history"]} == {HOST}
    assert {row["host_ip"] for row in of_all["pair_history"]} == {HOST, "198.51.100.9", "239.0.0.1"}
    assert {row["host_ip"] for row in internal["pair_tile"]} == {HOST}


def test_pairs_of_roles_of_ones_own_have_no_history() -> None:
    tables = anew({99: [pair(99, role="transit")]}, 99)

    assert tables == {table.name: [] for table in HISTORY_TABLES}


def test_a_day_without_sessions_shifts_the_history_alone() -> None:
    days = {98: [pair(98)]}

    row = the_row(in_order(days, 98, 99)[99]["pair_history"])

    assert (row["days_mask"], row["age_days"], row["sessions_30d"]) == (0b10, 1, 1)


def test_a_pair_stays_for_29_silent_days_and_is_gone_after_the_30th() -> None:
    days = {100: [pair(100)]}
    tables = in_order(days, 100, 131)

    masks = {
        day: [row["days_mask"] for row in found["pair_history"]] for day, found in tables.items()
    }

    assert [masks[day] for day in range(100, 130)] == [[1 << silent] for silent in range(30)]
    assert masks[130] == masks[131] == []


def test_sums_of_30_days_take_the_day_in_and_the_leaving_day_out() -> None:
    # Each day d of 100..140 has d sessions of 10 d bytes.
    days = {day: [pair(day, sessions=day, bytes_sent=10 * day)] for day in range(100, 141)}
    tables = in_order(days, 100, 140)

    for day in (129, 130, 131, 140):
        row = the_row(tables[day]["pair_history"])
        expected = sum(range(day - 29, day + 1))
        assert (row["sessions_30d"], row["bytes_sent_30d"]) == (expected, 10 * expected)
    assert sum(range(111, 141)) == 3765  # of day 140: 30 (111 + 140) / 2


def test_a_history_that_goes_on_is_the_one_made_anew() -> None:
    days = {
        day: [
            *([pair(day, sessions=day)] if day % 3 == 0 else []),
            *([pair(day, port=None, bytes_sent=day)] if day % 31 == 0 else []),
            *([pair(day, "10.0.0.2", role="inbound")] if 110 <= day < 113 else []),
        ]
        for day in range(100, 150)
    }

    tables = in_order(days, 100, 149)

    for day in range(100, 150):
        assert tables[day] == anew(days, day)


def test_a_day_in_the_middle_that_is_built_again_gives_the_history_of_the_whole() -> None:
    days = {day: [pair(day)] for day in range(100, 131)}
    before = in_order(days, 100, 130)
    late = {**days, 115: [*days[115], pair(115, "10.0.0.2", port=22)]}

    after = in_order(late, 100, 130)

    assert after[114] == before[114]
    assert after[130] == anew(late, 130)
    new = [row for row in after[130]["pair_history"] if row["host_ip"] == "10.0.0.2"]
    assert [row["days_mask"] for row in new] == [1 << 15]


def test_earlier_days_are_read_from_tiles_or_from_slices_with_equal_rows() -> None:
    days = {day: [pair(day, quarter=3), pair(day, quarter=9)] for day in (95, 97, 99)}
    tiles = anew(days, 95)["pair_tile"] + anew(days, 97)["pair_tile"]

    from_tiles = history_tables(HistoryRows(days[99], tiles), plan(99))
    from_both = history_tables(HistoryRows([*days[97], *days[99]], tiles[:1]), plan(99))

    assert from_tiles == from_both == anew(days, 99)


@pytest.mark.parametrize(
    "change",
    [
        {"peer_port": 80},  # another pair left than the history knows
        {"sessions_cnt": 2},  # more sessions leave than there were
        {"bytes_sent_sum": 99},  # bytes are left of no day
    ],
)
def test_a_leaving_tile_that_is_not_that_of_the_history_is_refused(change: Row) -> None:
    tables = in_order({100: [pair(100)]}, 100, 129)
    former, tile = tables[129]["pair_history"], the_row(tables[100]["pair_tile"])

    with pytest.raises(
        NdrError, match=r"pair_history: the history of 1970-05-10 was not made from"
    ):
        history_tables(HistoryRows([], [tile | change], former), plan(130))


def test_fewer_bytes_than_leave_are_refused() -> None:
    days = {100: [pair(100, bytes_sent=10)], 101: [pair(101, bytes_sent=0)]}
    tables = in_order(days, 100, 129)
    tile = the_row(tables[100]["pair_tile"]) | {"bytes_sent_sum": 11}

    with pytest.raises(NdrError, match=r"\(host 10.0.0.1\); build the history of 1970-05-10 again"):
        history_tables(HistoryRows([], [tile], tables[129]["pair_history"]), plan(130))


def test_sums_of_a_day_that_leave_int64_are_an_error_that_names_table_column_and_host() -> None:
    pairs = [pair(99, bytes_sent=INT64_MAX, quarter=1), pair(99, bytes_sent=1, quarter=2)]

    with pytest.raises(
        OverflowingColumnError,
        match=r"^bytes_sent_sum: .* for host 10.0.0.1 \(outbound, pair_tile of 1970-04-10\)",
    ):
        anew({99: pairs}, 99)


def test_sums_of_30_days_that_leave_int64_are_an_error_both_ways() -> None:
    days = {98: [pair(98, bytes_sent=INT64_MAX)], 99: [pair(99, bytes_sent=1)]}

    former = anew(days, 98)["pair_history"]

    for rows in (HistoryRows([*days[98], *days[99]]), HistoryRows(days[99], (), former)):
        with pytest.raises(
            OverflowingColumnError,
            match=r"^bytes_sent_30d: .* for host 10.0.0.1 \(outbound, pair_history of 1970-04-10\)",
        ):
            history_tables(rows, plan(99))


def test_the_largest_sum_that_int64_holds_is_kept_as_it_is() -> None:
    days = {98: [pair(98, bytes_sent=INT64_MAX - 1)], 99: [pair(99, bytes_sent=1)]}

    assert the_row(anew(days, 99)["pair_history"])["bytes_sent_30d"] == INT64_MAX


def test_a_session_of_the_last_minutes_of_a_day_is_of_that_day() -> None:
    row = pair(99, quarter=95)

    history = the_row(anew({99: [row]}, 99)["pair_history"])

    assert row["slice_end_ts"] == day_start(100)
    assert row["slice_start_ts"] == day_start(100) - 15 * MINUTE_US
    assert history["days_mask"] == 1
