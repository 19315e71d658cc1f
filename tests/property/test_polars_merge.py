"""Merging by Polars gives what the reference gives of all raw records, however these were split."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_adapters.polars.merge import SLICE_KEYS, Keys, merge_deltas, merge_pairs
from ndr_core.deltas import merge as core
from ndr_core.deltas.reference import Tables, build_tables
from ndr_core.deltas.tables import PAIR
from ndr_core.deltas.timing import TIMING_COLUMNS
from ndr_core.errors import OverflowingColumnError
from ndr_core.int64 import INT64_MAX
from ndr_core.tables.merge import Row
from tests.makers import make_plan, make_spec, outcome_of
from tests.property.flows import PACKED, batches, plain_batches
from tests.property.frames import exactly, frame_of, rows_of
from tests.soak import examples

PLAN = make_plan(make_spec(input={"preset": "paloalto", "fields": PACKED}))
_SPEC = make_spec()
_FIELDS = {name: one for name, one in _SPEC.input.fields.items() if not name.endswith("_packets")}
UNTOLD = make_plan(evolve(_SPEC, input=evolve(_SPEC.input, fields=_FIELDS)))
"""Of a source that tells no packets."""
DELTA = PLAN.delta
SPLITS = st.lists(st.one_of(batches(12), plain_batches(12)), min_size=1, max_size=4)
PLAIN_SPLITS = st.lists(plain_batches(8), min_size=1, max_size=4)


def merged_deltas(deltas: Sequence[Row], pairs: Sequence[Row]) -> list[Row]:
    names = [column.name for column in DELTA.columns]
    rows, of_pairs = frame_of(deltas, DELTA.columns), frame_of(pairs, PAIR.columns)
    found = merge_deltas(rows.lazy(), of_pairs.lazy(), Keys(SLICE_KEYS), PLAN.measures, names)
    return rows_of(found, DELTA.columns, DELTA.keys)


def merged_pairs(pairs: Sequence[Row]) -> list[Row]:
    return rows_of(merge_pairs(frame_of(pairs, PAIR.columns).lazy()), PAIR.columns, PAIR.keys)


def together(built: Sequence[Tables]) -> tuple[list[Row], list[Row]]:
    return (
        [row for tables in built for row in tables.deltas],
        [row for tables in built for row in tables.pairs],
    )


@settings(max_examples=examples(40), deadline=None)
@given(SPLITS)
def test_the_merge_of_any_split_is_the_whole_to_the_last_bit(split: list[list[bytes]]) -> None:
    whole = outcome_of(lambda: build_tables([line for part in split for line in part], PLAN))
    if isinstance(whole, OverflowingColumnError):
        return  # the next test is about these
    deltas, pairs = together([build_tables(part, PLAN) for part in split])

    assert exactly(merged_deltas(deltas, pairs)) == exactly(whole.deltas)
    assert exactly(merged_pairs(pairs)) == exactly(whole.pairs)


def outcome(merge: Callable[[], list[Row]]) -> list[str]:
    try:
        return exactly(merge())
    except OverflowingColumnError as error:
        return [str(error)]


LARGE = st.sampled_from([0, 1, INT64_MAX // 2, INT64_MAX])
SUMS = ("bytes_sent_sum", "bytes_recv_sum")
NULLABLE = (
    "bytes_recv_sum",
    "packets_sent_sum",
    "tcp_cnt",
    "sessions_per_minute",
    "duration_hist",
    "duration_us_sum",
)


PAIR_NULLABLE = ("bytes_recv_sum", *(column.name for column in TIMING_COLUMNS))


@settings(max_examples=examples(40), deadline=None)
@given(PLAIN_SPLITS, st.data())
def test_nulls_and_sums_that_leave_int64_are_those_of_the_plain_merge(
    split: list[list[bytes]], data: st.DataObject
) -> None:
    deltas, pairs = together([build_tables(part, PLAN) for part in split])
    for row in data.draw(st.lists(st.sampled_from(deltas), max_size=3)) if deltas else []:
        row[data.draw(st.sampled_from(SUMS))] = data.draw(LARGE)
        row[data.draw(st.sampled_from(NULLABLE))] = None
    for row in data.draw(st.lists(st.sampled_from(pairs), max_size=3)) if pairs else []:
        row[data.draw(st.sampled_from(SUMS))] = data.draw(LARGE)
        row[data.draw(st.sampled_from(PAIR_NULLABLE))] = None

    assert outcome(lambda: merged_deltas(deltas, pairs)) == outcome(
        lambda: core.merge_deltas(deltas, pairs, PLAN.measures)
    )
    assert outcome(lambda: merged_pairs(pairs)) == outcome(lambda: core.merge_pairs(pairs))


@settings(max_examples=examples(10), deadline=None)
@given(plain_batches(8), plain_batches(8))
def test_packets_are_null_where_one_of_the_sources_tells_none(
    told: list[bytes], untold: list[bytes]
) -> None:
    one, other = build_tables(told, PLAN), build_tables(untold, UNTOLD)
    deltas, pairs = together([one, other])

    found = merged_deltas(deltas, pairs)

    assert exactly(found) == exactly(core.merge_deltas(deltas, pairs, PLAN.measures))
    without = {DELTA.key_of(row) for row in other.deltas}
    known = {DELTA.key_of(row): row["packets_sent_sum"] for row in one.deltas}
    for row in found:
        key = DELTA.key_of(row)
        assert row["packets_sent_sum"] == (None if key in without else known[key])


@settings(max_examples=examples(20), deadline=None)
@given(SPLITS)
def test_what_no_source_tells_is_null_in_every_merged_row(split: list[list[bytes]]) -> None:
    whole = outcome_of(lambda: build_tables([line for part in split for line in part], UNTOLD))
    if isinstance(whole, OverflowingColumnError):
        return
    deltas, pairs = together([build_tables(part, UNTOLD) for part in split])

    assert core.merge_deltas(deltas, pairs, UNTOLD.measures) == whole.deltas
    assert exactly(merged_deltas(deltas, pairs)) == exactly(whole.deltas)


@pytest.mark.parametrize("with_pairs", [True, False])
def test_of_no_rows_no_rows_are_made(with_pairs: bool) -> None:
    pairs = build_tables([], PLAN).pairs if with_pairs else []

    assert merged_deltas([], pairs) == merged_pairs([]) == []
