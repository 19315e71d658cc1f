"""The timing of a pair: when its sessions began, how large and how long they were, and which had no answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ndr_core.deltas.reference import build_tables
from ndr_core.deltas.timing import (
    EARLY_START,
    MOST_SECONDS_BEFORE,
    SECONDS,
    SENT,
    STARTS,
    TIMING_COLUMNS,
    TIMING_HISTOGRAMS,
    UNANSWERED,
    shifted,
    united_starts,
)
from ndr_core.expressions.evaluate import evaluate
from ndr_core.measures.kinds import Additive
from ndr_core.tables.columns import ColumnType, Merge
from ndr_core.tables.merge import Row
from tests.makers import flow, make_plan, make_spec, us

TEN = us("2025-03-01T10:00:00Z")
SECOND = 1_000_000
DAY = MOST_SECONDS_BEFORE * SECOND
SESSION = {
    "is_session": True,
    "slice_start": TEN,
    "event_start": TEN,
    "duration_us": 0,
    "bytes_sent": 0,
    "event_action": "allow",
    "reply": 5,
}


def test_the_columns_of_a_timing_are_histograms_and_sums() -> None:
    assert [(one.name, one.type, one.merge) for one in TIMING_COLUMNS] == [
        ("starts", ColumnType.HISTOGRAM, Merge.HISTOGRAM),
        ("bytes_sent_hist", ColumnType.HISTOGRAM, Merge.HISTOGRAM),
        ("unanswered_cnt", ColumnType.INT64, Merge.SUM),
        ("duration_s_sum", ColumnType.INT64, Merge.SUM),
    ]


@pytest.mark.parametrize(
    ("microseconds", "bucket"),
    [
        (0, 0),
        (999_999, 0),
        (SECOND, 1),
        (-1, -1),
        (-SECOND, -1),
        (-SECOND - 1, -2),
        (899 * SECOND, 899),
        (-DAY, -86_400),
        (-DAY - 1, EARLY_START),
        (-30 * DAY, EARLY_START),
    ],
)
def test_a_start_counts_in_its_whole_second_from_the_start_of_the_slice(
    microseconds: int, bucket: int
) -> None:
    session = SESSION | {"event_start": TEN + microseconds}

    assert evaluate(STARTS.bucket, session) == bucket


@pytest.mark.parametrize("bucket", [EARLY_START, -86_400, -1, 0, 1, 3_599])
def test_a_start_has_a_number_that_stands_for_it_and_sorts_as_it_does(bucket: int) -> None:
    number = evaluate(STARTS.number, {"bucket": bucket})
    before = evaluate(STARTS.number, {"bucket": max(bucket - 1, EARLY_START)})

    assert evaluate(STARTS.of_number, {"number": number}) == bucket
    assert 0 <= before <= number < 1 << 31


def test_the_number_of_a_session_is_that_of_its_bucket() -> None:
    session = SESSION | {"event_start": TEN - DAY - 1, "bytes_sent": 300}

    assert [evaluate(one.session_number, session) for one in TIMING_HISTOGRAMS] == [0, 203]


def test_bytes_sent_count_in_the_bucket_that_deltas_have() -> None:
    assert evaluate(SENT.bucket, SESSION | {"bytes_sent": 300}) == 203
    assert evaluate(SENT.of_number, {"number": 203}) == 203


@pytest.mark.parametrize("one", TIMING_HISTOGRAMS, ids=lambda one: one.name)
def test_a_record_that_is_no_session_has_no_bucket(one: Any) -> None:
    threat = SESSION | {"is_session": False}

    assert evaluate(one.bucket, threat) is evaluate(one.session_number, threat) is None


def added(one: Additive, **changes: Any) -> int:
    value = evaluate(one.contribution, SESSION | changes)
    assert isinstance(value, int)
    return value


@pytest.mark.parametrize(
    ("action", "reply", "unanswered"),
    [
        ("allow", 5, 0),
        ("allow", 0, 1),
        ("allow", None, 0),
        ("drop", 5, 1),
        ("drop", 0, 1),
        ("reset-both", None, 1),
        ("alert", 0, 1),
        (None, 0, 1),
        (None, None, 0),
    ],
)
def test_a_session_is_unanswered_where_it_was_dropped_or_is_known_to_have_no_reply(
    action: str | None, reply: int | None, unanswered: int
) -> None:
    assert added(UNANSWERED, event_action=action, reply=reply) == unanswered


@pytest.mark.parametrize(
    ("microseconds", "seconds"),
    [(0, 0), (999_999, 0), (SECOND, 1), (2 * SECOND - 1, 1), (1 << 51, (1 << 51) // SECOND)],
)
def test_a_session_adds_its_whole_seconds(microseconds: int, seconds: int) -> None:
    assert added(SECONDS, duration_us=microseconds) == seconds


def test_starts_are_shifted_by_seconds_but_for_early_ones() -> None:
    starts = ((EARLY_START, 3), (-1, 1), (5, 2))

    assert shifted(starts, 900) == ((EARLY_START, 3), (899, 1), (905, 2))
    assert shifted(starts, 0) == starts
    assert shifted((), 900) == ()


def test_starts_of_several_slices_are_united_by_seconds_since_1970() -> None:
    second = TEN // SECOND
    slices = [
        (TEN + 900 * SECOND, ((EARLY_START, 1), (-900, 1), (0, 1))),
        (TEN, ((EARLY_START, 4), (0, 2))),
    ]

    assert united_starts(slices) == ((EARLY_START, 5), (second, 3), (second + 900, 1))
    assert united_starts([]) == ()


def pairs_of(*records: dict[str, Any], **spec: Any) -> list[Row]:
    plan = make_plan(make_spec(**spec))
    return build_tables([json.dumps(record) for record in records], plan).pairs


def test_sessions_on_both_sides_of_the_start_of_a_slice_are_as_far_apart_as_they_were() -> None:
    before = flow(event_start="2025-03-01T09:59:59Z", event_end="2025-03-01T10:00:00Z")
    after = flow(event_start="2025-03-01T10:00:01Z", event_end="2025-03-01T10:16:00Z")
    earlier = flow(event_start="2025-03-01T09:59:58Z", event_end="2025-03-01T09:59:59Z")

    rows = [row for row in pairs_of(before, after, earlier) if row["role"] == "outbound"]

    assert [row["starts"] for row in rows] == [((898, 1),), ((-1, 1),), ((-899, 1),)]
    starts = united_starts((row["slice_start_ts"], row["starts"]) for row in rows)
    assert starts == tuple((TEN // SECOND + second, 1) for second in (-2, -1, 1))


def test_the_sizes_of_a_pair_count_all_of_its_sessions() -> None:
    sizes = (None, 0, 100, 100, 1 << 40)

    row = pairs_of(*(flow(source_bytes=size) for size in sizes))[-1]

    assert row["bytes_sent_hist"] == ((0, 2), (100, 2), (34 * 64 + 64, 1))
    assert sum(count for _, count in row["bytes_sent_hist"]) == row["sessions_cnt"]


def timing_of(row: Row) -> list[Any]:
    return [row.get(column.name, "no column") for column in TIMING_COLUMNS]


MIRROR = {
    "name": "outbound",
    "host": "source_ip",
    "peer": "destination_ip",
    "sent": "source_bytes",
    "received": "destination_bytes",
    "peer_port": "destination_port",
}


@pytest.mark.parametrize(
    ("roles", "timed"),
    [
        (["outbound", "inbound"], ["outbound"]),
        (["inbound", "outbound"], ["outbound"]),
        (["inbound"], []),
        ([MIRROR], ["outbound"]),
        ([MIRROR | {"name": "client"}], []),
        ([MIRROR | {"peer_port": "source_port"}], []),
    ],
)
def test_only_the_role_outbound_as_it_is_has_a_timing(roles: list[Any], timed: list[str]) -> None:
    rows = pairs_of(flow(), roles=roles)

    assert len(rows) == len(roles)
    for row in rows:
        expected = [((0, 1),), ((100, 1),), 0, 2] if row["role"] in timed else [None] * 4
        assert timing_of(row) == expected


def test_without_timing_a_pair_has_none_of_its_columns() -> None:
    rows = pairs_of(flow(), pair={"timing": False})

    assert [timing_of(row) for row in rows] == [["no column"] * 4] * 2
