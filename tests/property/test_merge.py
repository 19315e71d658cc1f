"""Merging the deltas of any split of a slice gives the delta of the whole."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.deltas.merge import merge_deltas, merge_pairs
from ndr_core.deltas.reference import build_tables
from ndr_core.errors import OverflowingColumnError
from tests.makers import make_plan, make_spec, outcome_of
from tests.property.flows import PACKED, batches, plain_batches
from tests.soak import examples

PLAN = make_plan(
    make_spec(input={"preset": "paloalto", "fields": PACKED}),
    ("2025-03-01T10:00:00Z", "2025-03-01T10:15:00Z"),
)
parts = st.lists(st.one_of(batches(12), plain_batches(12)), min_size=1, max_size=4)


@settings(max_examples=examples(150), deadline=None)
@given(parts)
def test_the_merge_of_any_split_is_the_whole(split: list[list[bytes]]) -> None:
    whole = outcome_of(lambda: build_tables([line for part in split for line in part], PLAN))
    if isinstance(whole, OverflowingColumnError):
        return  # the next test is about these
    built = [build_tables(part, PLAN) for part in split]
    pairs = [row for tables in built for row in tables.pairs]
    deltas = [row for tables in built for row in tables.deltas]
    assert merge_pairs(pairs) == whole.pairs
    assert merge_deltas(deltas, pairs, PLAN.measures) == whole.deltas


@settings(max_examples=examples(50), deadline=None)
@given(st.lists(batches(20), min_size=1, max_size=3))
def test_no_record_is_lost(split: list[list[bytes]]) -> None:
    lines = [line for part in split for line in part]
    tables = outcome_of(lambda: build_tables(lines, PLAN))
    if not isinstance(tables, OverflowingColumnError):
        report = tables.report
        assert report.read + report.blank_lines == len(lines)
        assert report.read == report.kept + sum(report.rejected.values())
        assert len(tables.quarantine) == sum(report.rejected.values())
        records = {row["role"]: 0 for row in tables.deltas}
        for row in tables.deltas:
            records[row["role"]] += row["sessions_cnt"] + row["threat_cnt"]
        assert set(records.values()) <= {report.kept}
