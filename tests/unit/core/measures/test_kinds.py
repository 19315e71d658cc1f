"""Each kind of measure says which columns it has, how they merge, and what a record adds to them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import col
from ndr_core.expressions.portable import FIXED_POINT_SCALE, bucket_of
from ndr_core.measures.kinds import (
    CELL_AGGREGATES,
    PERCENTILES,
    Derived,
    Distribution,
    LargestCount,
    PairDerived,
    PairKey,
    Quantile,
    Untold,
    count,
    count_where,
    quantiles,
    records_where,
    row_formulas,
    sum_of,
)
from ndr_core.tables.columns import ColumnType, Merge, OutputColumn

OF_SESSION, OF_THREAT = {"is_session": True}, {"is_session": False}


def test_a_count_adds_one_for_each_session_and_can_not_overflow() -> None:
    measure = count("sessions_cnt", "sessions")

    assert evaluate(measure.contribution, OF_SESSION) == 1
    assert evaluate(measure.contribution, OF_THREAT) == 0
    assert not measure.can_overflow
    assert measure.columns() == (
        OutputColumn("sessions_cnt", ColumnType.INT64, Merge.SUM, "sessions"),
    )


@pytest.mark.parametrize(("action", "added"), [("allow", 1), ("deny", 0), (None, 0)])
def test_a_condition_counts_where_it_is_true_and_not_where_it_is_unknown(
    action: str | None, added: int
) -> None:
    measure = count_where("allow_cnt", col("event_action").eq("allow"), "allowed")

    assert evaluate(measure.contribution, OF_SESSION | {"event_action": action}) == added
    assert evaluate(measure.contribution, OF_THREAT | {"event_action": action}) == 0
    assert not measure.can_overflow
    assert measure.name == "allow_cnt"
    assert measure.meaning == "allowed"


@pytest.mark.parametrize(("value", "added"), [(7, 7), (0, 0), (None, 0)])
def test_a_sum_adds_the_value_or_nothing_for_a_null_and_may_overflow(
    value: int | None, added: int
) -> None:
    measure = sum_of("bytes_sum", col("bytes"), "bytes")

    assert evaluate(measure.contribution, OF_SESSION | {"bytes": value}) == added
    assert evaluate(measure.contribution, OF_THREAT | {"bytes": value}) == 0
    assert measure.can_overflow
    assert [column.merge for column in measure.columns()] == [Merge.SUM]


@pytest.mark.parametrize(("action", "added"), [("alert", 1), ("deny", 0), (None, 0)])
def test_records_are_counted_whether_they_are_sessions_or_not(
    action: str | None, added: int
) -> None:
    measure = records_where("alert_cnt", col("event_action").eq("alert"), "alerts")

    assert evaluate(measure.contribution, {"event_action": action}) == added
    assert not measure.can_overflow


def test_a_sum_that_is_not_told_is_a_null_that_merges_as_the_sum_would() -> None:
    measure = Untold("packets_sum", "packets")

    assert measure.columns() == sum_of("packets_sum", col("packets"), "packets").columns()
    ((name, value, column_type),) = row_formulas([measure])
    assert (name, evaluate(value, {}), column_type) == ("packets_sum", None, ColumnType.INT64)


def test_a_distribution_stores_its_histogram_and_derives_its_readouts() -> None:
    measure = Distribution(
        name="size",
        histogram="size_hist",
        bucket=col("size"),
        readouts=(
            Quantile("size_p50", 50, col("bucket"), ColumnType.FLOAT64),
            LargestCount("size_top"),
        ),
        meaning="records by size",
        readout_meaning="a size",
    )

    assert measure.columns() == (
        OutputColumn("size_hist", ColumnType.HISTOGRAM, Merge.HISTOGRAM, "records by size"),
        OutputColumn("size_p50", ColumnType.FLOAT64, Merge.DERIVED, "a size"),
        OutputColumn("size_top", ColumnType.INT64, Merge.DERIVED, "a size"),
    )


def test_a_measure_of_pairs_is_derived_from_the_merged_pair_table() -> None:
    measure = PairDerived("peers", "peer_ip", col("peer_ip:cells"), ColumnType.INT64, "peers")

    assert measure.columns() == (OutputColumn("peers", ColumnType.INT64, Merge.PAIRS, "peers"),)


def test_a_formula_is_a_float_derived_from_its_row() -> None:
    measure = Derived("seconds", col("us").to_float() / 1e6, ("us",), "seconds")

    assert measure.columns() == (
        OutputColumn("seconds", ColumnType.FLOAT64, Merge.DERIVED, "seconds"),
    )


@pytest.mark.parametrize("key", ["peer_ip", "peer_port"])
def test_a_cell_gives_each_of_its_aggregates_from_its_sessions_and_bytes(key: PairKey) -> None:
    values = {
        aggregate.name: (aggregate.how, evaluate(aggregate.value, {"sessions": 8, "bytes": 100}))
        for aggregate in CELL_AGGREGATES[key]
    }

    assert values == {
        f"{key}:cells": ("sum", 1),
        f"{key}:sessions": ("sum", 8),
        f"{key}:sessions_top": ("max", 8),
        f"{key}:sessions_log": ("sum", 8 * 3 * FIXED_POINT_SCALE),
        f"{key}:bytes": ("sum", 100),
        f"{key}:bytes_top": ("max", 100),
    }


def percentiles(measure: Distribution) -> Sequence[Quantile]:
    return [readout for readout in measure.readouts if isinstance(readout, Quantile)]


def test_quantiles_have_a_column_for_each_percentile_beside_their_histogram() -> None:
    measure = quantiles("bytes_sent", col("bytes_sent"), 1, "bytes")

    assert measure.name == "bytes_sent_quantiles"
    assert [column.name for column in measure.columns()] == [
        "bytes_sent_hist",
        "bytes_sent_p25",
        "bytes_sent_p50",
        "bytes_sent_p75",
        "bytes_sent_p95",
        "bytes_sent_p99",
    ]
    assert tuple(readout.percent for readout in percentiles(measure)) == PERCENTILES
    assert measure.meaning == "sessions by log-linear bucket of bytes_sent (bytes)"
    assert measure.readout_meaning == "nearest-rank percentile of bytes_sent, bytes, within 1 %"


def test_quantiles_without_a_scale_are_whole_numbers() -> None:
    for readout in percentiles(quantiles("size", col("size"), 1, "bytes")):
        value = evaluate(readout.value, {"bucket": 100})

        assert readout.type is ColumnType.INT64
        assert (value, type(value)) == (100, int)


def test_quantiles_with_a_scale_are_floats_of_their_unit_over_a_histogram_of_the_stored_one() -> (
    None
):
    measure = quantiles("duration", col("duration_us"), 1_000_000, "seconds")
    bucket = evaluate(measure.bucket, OF_SESSION | {"duration_us": 500_000})

    for readout in percentiles(measure):
        assert readout.type is ColumnType.FLOAT64
        assert evaluate(readout.value, {"bucket": bucket}) == pytest.approx(0.5, rel=0.01)
    assert measure.meaning == "sessions by log-linear bucket of duration (us)"
    assert measure.readout_meaning.endswith("of duration, seconds, within 1 %")


@given(st.integers(0, (1 << 63) - 1))
def test_a_percentile_is_within_one_percent_of_the_value_in_its_bucket(value: int) -> None:
    measure = quantiles("size", col("size"), 1, "bytes")

    bucket = evaluate(measure.bucket, OF_SESSION | {"size": value})
    middle = evaluate(percentiles(measure)[0].value, {"bucket": bucket})

    assert bucket == evaluate(bucket_of(col("size")), {"size": value})
    assert evaluate(measure.bucket, OF_THREAT | {"size": value}) is None
    assert abs(middle - value) * 100 <= value
