"""Merging the rows of any split of the records gives the rows of all of them at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.catalog.tables import tables_of
from ndr_core.deltas.merge import merge_deltas, merge_pairs
from ndr_core.deltas.reference import Tables, build_tables
from ndr_core.errors import OverflowingColumnError
from ndr_core.tables.columns import Merge
from ndr_core.tables.merge import Row, group, merge_rows
from ndr_core.tables.table import Table
from ndr_core.times import to_datetime
from tests.makers import flow, make_plan, make_spec, us

SPEC = make_spec()
PLAN = make_plan(SPEC)
TABLES = {table.name: table for table in tables_of(SPEC)}
TEN = us("2025-03-01T10:00:00Z")
LARGEST = (1 << 63) - 1

RECORDS = st.builds(
    lambda source, peer, port, sent, received, start, length, action: flow(
        source_ip=source,
        destination_ip=peer,
        destination_port=port,
        source_bytes=sent,
        destination_bytes=received,
        event_start=f"2025-03-01T10:{start:02}:00Z",
        event_end=f"2025-03-01T10:{start:02}:{length:02}Z",
        event_action=action,
    ),
    source=st.sampled_from(["10.0.0.1", "10.0.0.2"]),
    peer=st.sampled_from(["192.0.2.7", "2001:db8::7"]),
    port=st.sampled_from([443, 22, None]),
    sent=st.one_of(st.none(), st.integers(0, 1 << 40)),
    received=st.integers(0, 500),
    start=st.sampled_from([0, 1, 14, 15]),
    length=st.integers(0, 59),
    action=st.sampled_from(["allow", "deny"]),
)
SPLITS = st.lists(st.lists(RECORDS, max_size=5), min_size=1, max_size=3)
FEW = settings(max_examples=15)


def built(records: Sequence[dict[str, Any]], mini_batch_id: str = "mb-1") -> Tables:
    plan = evolve(PLAN, mini_batch_id=mini_batch_id)
    return build_tables([json.dumps(record) for record in records], plan)


def together(parts: Sequence[Tables]) -> tuple[list[Row], list[Row]]:
    """Delta rows and pair rows of all parts."""
    return (
        [row for part in parts for row in part.deltas],
        [row for part in parts for row in part.pairs],
    )


@FEW
@given(SPLITS)
def test_the_merge_of_any_split_is_the_whole(split: list[list[dict[str, Any]]]) -> None:
    whole = built([record for records in split for record in records])

    deltas, pairs = together([built(records) for records in split])

    assert merge_pairs(pairs) == whole.pairs
    assert merge_deltas(deltas, pairs, PLAN.measures) == whole.deltas
    assert merge_deltas(deltas, merge_pairs(pairs), PLAN.measures) == whole.deltas


@FEW
@given(SPLITS)
def test_every_stored_column_of_every_table_merges_by_its_function(
    split: list[list[dict[str, Any]]],
) -> None:
    parts = [built(records, f"mb-{number}") for number, records in enumerate(split)]
    deltas, pairs = together(parts)

    merged = {
        "delta": merge_deltas(deltas, pairs, PLAN.measures),
        "pair": merge_pairs(pairs),
    }

    assert set(merged) == set(TABLES)
    for name, rows in (("delta", deltas), ("pair", pairs)):
        table = TABLES[name]
        parts_of = group(rows, table.keys)
        assert len(merged[name]) == len(parts_of)
        for row in merged[name]:
            assert list(row) == [column.name for column in table.columns]
            for column in table.columns:
                if column.merge.is_stored:
                    values = [part[column.name] for part in parts_of[table.key_of(row)]]
                    assert row[column.name] == column.merge.merged(values), column.name


DERIVED = {
    table.name: {column.name for column in table.columns if not column.merge.is_stored}
    for table in TABLES.values()
}


@FEW
@given(SPLITS)
def test_derived_columns_are_made_from_merged_ones_and_never_from_those_of_the_parts(
    split: list[list[dict[str, Any]]],
) -> None:
    whole = built([record for records in split for record in records])
    deltas, pairs = together([built(records) for records in split])
    spoilt = [row | dict.fromkeys(DERIVED["delta"], "spoilt") for row in deltas]
    without = [
        {name: value for name, value in row.items() if name not in DERIVED["delta"]}
        for row in deltas
    ]

    assert merge_deltas(spoilt, pairs, PLAN.measures) == whole.deltas
    assert merge_deltas(without, pairs, PLAN.measures) == whole.deltas


def test_the_tables_hold_columns_of_every_way_to_merge_and_pairs_only_stored_ones() -> None:
    ways = {column.merge for table in TABLES.values() for column in table.columns}

    assert ways == set(Merge) - {Merge.NEVER}
    assert DERIVED["pair"] == set()


def test_a_stored_table_merges_without_knowing_what_it_is_of() -> None:
    deltas, pairs = together([built([flow()]), built([flow()])])

    for table, rows in zip(TABLES.values(), (deltas, pairs), strict=True):
        stored = [column.name for column in table.columns if column.merge.is_stored]
        merged = merge_rows(rows, table)
        assert all(list(row) == stored for row in merged)
        assert {row["sessions_cnt"] for row in merged} == {2}


def outbound(rows: list[Row]) -> Row:
    (row,) = [row for row in rows if row["role"] == "outbound"]
    return row


def test_the_latest_end_of_a_session_is_the_latest_of_the_parts_whichever_comes_first() -> None:
    late = built([flow(event_end="2025-03-01T10:00:09Z")])
    early = built([flow(event_end="2025-03-01T10:00:02Z")])

    for parts in ((late, early), (early, late)):
        _, pairs = together(parts)
        assert outbound(merge_pairs(pairs))["event_ts"] == TEN + 9_000_000


def test_the_mini_batch_and_the_end_of_a_merged_row_are_the_last_ones() -> None:
    parts = [
        build_tables([json.dumps(flow())], evolve(PLAN, mini_batch_id=name, slice_minutes=minutes))
        for name, minutes in (("mb-1", 60), ("mb-2", 15))
    ]
    deltas, pairs = together(parts)

    for row in (outbound(merge_deltas(deltas, pairs, PLAN.measures)), outbound(merge_pairs(pairs))):
        assert row["mini_batch_id"] == "mb-2"
        assert row["slice_end_ts"] == TEN + 3_600_000_000


def test_rows_of_different_slices_roles_hosts_peers_and_ports_stay_apart() -> None:
    apart = [
        flow(),
        flow(source_ip="10.0.0.2"),
        flow(destination_ip="192.0.2.8"),
        flow(destination_port=22),
        flow(destination_port=None),
        flow(event_start="2025-03-01T10:15:00Z", event_end="2025-03-01T10:15:00Z"),
    ]
    deltas, pairs = together([built([record]) for record in apart])

    assert len(merge_pairs(pairs)) == len(pairs) == 12
    assert merge_deltas(deltas, pairs, PLAN.measures) == built(apart).deltas


def test_pairs_of_another_host_or_slice_are_not_counted() -> None:
    whole = built([flow()])
    _, others = together(
        [
            built([flow(source_ip="10.0.0.9")]),
            built([flow(event_start="2025-03-01T11:00:00Z", event_end=None)]),
        ]
    )
    others = [row for row in others if row["host_ip"] != "192.0.2.7"]

    merged = merge_deltas(whole.deltas, [*whole.pairs, *others], PLAN.measures)

    assert outbound(merged) == outbound(whole.deltas)


def test_a_delta_row_without_any_pair_has_no_peers() -> None:
    merged = outbound(merge_deltas(built([flow()]).deltas, [], PLAN.measures))

    assert merged["sessions_cnt"] == 1
    assert merged["peer_ip_nunique"] == 0
    assert merged["peer_ip_entropy"] is None


def test_of_no_rows_no_rows_are_made() -> None:
    assert merge_pairs([]) == []
    assert merge_deltas([], [], PLAN.measures) == []


def overflowing(table: Table) -> tuple[list[Row], list[Row]]:
    deltas, pairs = together([built([flow()]), built([flow()])])
    rows = deltas if table.name == "delta" else pairs
    for row in rows:
        row["bytes_sent_sum"] = LARGEST
    return deltas, pairs


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_a_sum_of_parts_that_leaves_int64_is_an_error_that_names_the_row(table: Table) -> None:
    deltas, pairs = overflowing(table)

    with pytest.raises(
        OverflowingColumnError,
        match=r"bytes_sent_sum: .* host 192\.0\.2\.7 \(inbound, slice from 2025-03-01T10:00:00Z\)",
    ):
        merge_deltas(deltas, pairs, PLAN.measures)


def read(rows: Sequence[Row]) -> list[Row]:
    """Rows as readers give them: moments, histograms as dicts, no mini-batch."""
    return [
        {
            name: to_datetime(value)
            if name.endswith("_ts")
            else [{"bucket": bucket, "count": count} for bucket, count in value]
            if isinstance(value, tuple)
            else value
            for name, value in row.items()
            if name != "mini_batch_id"
        }
        for row in rows
    ]


def test_rows_as_readers_give_them_are_merged_as_well() -> None:
    whole = built([flow(), flow(), flow(destination_port=None)])
    deltas, pairs = together([built([flow()]), built([flow(), flow(destination_port=None)])])

    merged = merge_deltas(read(deltas), read(pairs), PLAN.measures)

    assert merged == [row | {"mini_batch_id": None} for row in whole.deltas]
    assert merge_pairs(read(pairs)) == [row | {"mini_batch_id": None} for row in whole.pairs]


def test_what_one_of_the_rows_lacks_is_null_and_what_is_read_off_it() -> None:
    deltas, pairs = together([built([flow()]), built([flow()])])
    for name in ("tcp_cnt", "duration_us_sum", "bytes_sent_hist"):
        del deltas[0][name], deltas[1][name]

    merged = outbound(merge_deltas(deltas, pairs, PLAN.measures))

    assert merged["sessions_cnt"] == 2
    lacking = ("tcp_cnt", "duration_us_sum", "duration_sum", "bytes_sent_hist", "bytes_sent_p50")
    assert [merged[name] for name in lacking] == [None] * 5


def test_histograms_of_a_pair_add_by_bucket_and_are_null_where_one_of_its_rows_has_none() -> None:
    def parts() -> list[Row]:
        starts = ("2025-03-01T10:00:01Z", "2025-03-01T10:00:05Z")
        _, pairs = together([built([flow(), flow(event_start=start)]) for start in starts])
        return pairs

    rows = parts()
    del rows[-1]["bytes_sent_hist"], rows[-1]["unanswered_cnt"]
    (inbound,) = (row for row in merge_pairs(parts()) if row["role"] == "inbound")

    assert outbound(merge_pairs(parts()))["starts"] == ((0, 2), (1, 1), (5, 1))
    assert outbound(merge_pairs(parts()))["bytes_sent_hist"] == ((100, 4),)
    assert outbound(merge_pairs(rows))["starts"] == ((0, 2), (1, 1), (5, 1))
    assert outbound(merge_pairs(rows))["bytes_sent_hist"] is None
    assert outbound(merge_pairs(rows))["unanswered_cnt"] is None
    assert inbound["starts"] is inbound["duration_s_sum"] is None


def test_sent_bytes_of_all_pairs_of_a_host_that_leave_int64_are_an_error() -> None:
    deltas, pairs = together([built([flow()]), built([flow(destination_port=22)])])
    for row in pairs:
        row["bytes_sent_sum"] = LARGEST

    with pytest.raises(OverflowingColumnError, match=r"bytes_sent_sum: .* host 192\.0\.2\.7"):
        merge_deltas(deltas, pairs, PLAN.measures)
    assert len(merge_pairs(pairs)) == 4
