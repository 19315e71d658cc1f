"""What makes a row of the delta and the pair table, and what their columns are."""

from __future__ import annotations

from attrs import evolve

from ndr_core.deltas.tables import (
    LEVELS,
    PAIR,
    PAIR_SUMS,
    delta_table,
    overflow_place,
    pair_table,
    row_place,
)
from ndr_core.expressions.evaluate import evaluate
from ndr_core.measures.kinds import count
from ndr_core.tables.columns import ColumnType, Merge
from tests.makers import us

DELTA = delta_table([count("sessions_cnt", "sessions"), count("allow_cnt", "allowed")])
SHARED = ["slice_start_ts", "slice_end_ts", "mini_batch_id"]
TIMING = ["starts", "bytes_sent_hist", "unanswered_cnt", "duration_s_sum"]
SPELLED = ["feature_spec_version", "dt", "hh", "mm", "role"]


def test_a_delta_row_is_of_a_slice_a_role_and_a_host() -> None:
    assert DELTA.name == "delta"
    assert DELTA.keys == ("slice_start_ts", "role", "host_ip")


def test_a_delta_row_holds_its_keys_its_measures_and_what_its_folders_spell() -> None:
    assert [column.name for column in DELTA.columns] == [
        "host_ip",
        *SHARED,
        "sessions_cnt",
        "allow_cnt",
        *SPELLED,
    ]


def test_a_pair_row_is_of_a_delta_row_a_peer_and_a_port() -> None:
    assert PAIR.name == "pair"
    assert PAIR.keys == (*DELTA.keys, "peer_ip", "peer_port")
    assert [column.name for column in PAIR.columns] == [
        "host_ip",
        "peer_ip",
        "peer_port",
        *SHARED,
        "sessions_cnt",
        "bytes_sent_sum",
        "bytes_recv_sum",
        "event_ts",
        *TIMING,
        *SPELLED,
    ]


def test_without_timing_a_pair_row_lacks_its_columns_and_nothing_else() -> None:
    assert pair_table(timing=True) == PAIR
    assert pair_table(timing=False) == evolve(
        PAIR, columns=tuple(column for column in PAIR.columns if column.name not in TIMING)
    )


def test_both_tables_lie_in_folders_of_their_slice_and_role() -> None:
    assert list(LEVELS) == SPELLED
    assert DELTA.levels == PAIR.levels == LEVELS


def test_columns_have_the_types_and_the_way_to_merge_of_their_meaning() -> None:
    described = {column.name: (column.type, column.merge) for column in PAIR.columns}

    assert described == {
        "host_ip": (ColumnType.STRING, Merge.KEY),
        "peer_ip": (ColumnType.STRING, Merge.KEY),
        "peer_port": (ColumnType.INT64, Merge.KEY),
        "slice_start_ts": (ColumnType.TIMESTAMP, Merge.KEY),
        "slice_end_ts": (ColumnType.TIMESTAMP, Merge.MAX),
        "mini_batch_id": (ColumnType.STRING, Merge.MAX),
        "sessions_cnt": (ColumnType.INT64, Merge.SUM),
        "bytes_sent_sum": (ColumnType.INT64, Merge.SUM),
        "bytes_recv_sum": (ColumnType.INT64, Merge.SUM),
        "event_ts": (ColumnType.TIMESTAMP, Merge.MAX),
        "starts": (ColumnType.HISTOGRAM, Merge.HISTOGRAM),
        "bytes_sent_hist": (ColumnType.HISTOGRAM, Merge.HISTOGRAM),
        "unanswered_cnt": (ColumnType.INT64, Merge.SUM),
        "duration_s_sum": (ColumnType.INT64, Merge.SUM),
        **dict.fromkeys(SPELLED, (ColumnType.STRING, Merge.KEY)),
    }


def test_pairs_count_sessions_and_bytes_of_both_directions() -> None:
    view = {"bytes_sent": 7, "bytes_recv": 9, "is_session": True}

    added = {one.name: evaluate(one.contribution, view) for one in PAIR_SUMS}

    assert added == {"sessions_cnt": 1, "bytes_sent_sum": 7, "bytes_recv_sum": 9}


def test_a_row_is_named_by_host_role_and_slice() -> None:
    start = us("2025-03-01T10:00:00Z")
    named = "host 10.0.0.1 (inbound, slice from 2025-03-01T10:00:00Z)"

    assert overflow_place(start, "inbound", "10.0.0.1") == named
    assert row_place({"slice_start_ts": start, "role": "inbound", "host_ip": "10.0.0.1"}) == named
