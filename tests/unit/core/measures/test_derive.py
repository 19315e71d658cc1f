"""A row is derived from what is stored of it and of its pairs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.expressions.expr import col
from ndr_core.expressions.portable import FIXED_POINT_SCALE
from ndr_core.measures.derive import cell_row, derive_row, readouts
from ndr_core.measures.kinds import (
    Derived,
    Distribution,
    LargestCount,
    Measure,
    PairDerived,
    Quantile,
    count,
)
from ndr_core.tables.columns import ColumnType

SIZES = Distribution(
    name="size",
    histogram="size_hist",
    bucket=col("size"),
    readouts=(
        Quantile("p25", 25, col("bucket") * 10, ColumnType.INT64),
        Quantile("p75", 75, col("bucket") * 10, ColumnType.INT64),
        LargestCount("top"),
    ),
    meaning="",
    readout_meaning="",
)


def pair(peer: str, port: int | None, sessions: int, sent: int) -> dict[str, Any]:
    return {"peer_ip": peer, "peer_port": port, "sessions_cnt": sessions, "bytes_sent_sum": sent}


PAIRS = [pair("a", 443, 2, 10), pair("a", 22, 1, 70), pair("b", None, 5, 1), pair("c", 443, 2, 0)]


def test_readouts_are_the_values_of_nearest_rank_and_the_count_of_the_fullest_bucket() -> None:
    assert readouts(SIZES, ((1, 2), (2, 5), (9, 3))) == {"p25": 20, "p75": 90, "top": 5}


def test_of_a_histogram_that_is_not_known_nothing_is_known() -> None:
    assert readouts(SIZES, None) == {"p25": None, "p75": None, "top": None}


def test_an_empty_histogram_has_no_percentile_and_no_largest_count() -> None:
    assert readouts(SIZES, ()) == {"p25": None, "p75": None, "top": 0}


def test_the_rows_of_one_peer_are_one_cell() -> None:
    assert cell_row(PAIRS, "peer_ip") == {
        "peer_ip:cells": 3,
        "peer_ip:sessions": 10,
        "peer_ip:sessions_top": 5,
        # 3 log2 3 + 5 log2 5 + 2 log2 2 of the sessions of a, b and c, each rounded
        "peer_ip:sessions_log": round(4.754887502163469 * FIXED_POINT_SCALE)
        + round(11.60964047443681 * FIXED_POINT_SCALE)
        + 2 * FIXED_POINT_SCALE,
        "peer_ip:bytes": 81,
        "peer_ip:bytes_top": 80,
    }


def test_an_unknown_port_is_no_cell() -> None:
    row = cell_row(PAIRS, "peer_port")

    assert row["peer_port:cells"] == 2
    assert row["peer_port:sessions"] == 5
    assert row["peer_port:sessions_top"] == 4
    assert row["peer_port:bytes"] == 80
    assert row["peer_port:bytes_top"] == 70


def test_port_zero_is_a_port() -> None:
    assert cell_row([pair("a", 0, 1, 1)], "peer_port")["peer_port:cells"] == 1


@pytest.mark.parametrize("pairs", [[], [pair("a", None, 3, 3)]])
def test_without_any_cell_every_aggregate_is_zero(pairs: list[dict[str, Any]]) -> None:
    assert set(cell_row(pairs, "peer_port").values()) == {0}


@settings(max_examples=30)
@given(
    st.lists(
        st.builds(
            pair,
            peer=st.sampled_from("abc"),
            port=st.sampled_from([None, 1, 2]),
            sessions=st.integers(1, 100),
            sent=st.integers(0, 100),
        ),
        max_size=10,
    ),
    st.randoms(use_true_random=False),
)
def test_cells_depend_neither_on_the_order_of_pairs_nor_on_how_they_are_cut(
    pairs: list[dict[str, Any]], random: Any
) -> None:
    cut = [one | part for one in pairs for part in ({}, {"sessions_cnt": 1, "bytes_sent_sum": 1})]
    whole = [
        one
        | {
            "sessions_cnt": one["sessions_cnt"] + 1,
            "bytes_sent_sum": one["bytes_sent_sum"] + 1,
        }
        for one in pairs
    ]
    random.shuffle(cut)

    assert cell_row(cut, "peer_ip") == cell_row(whole, "peer_ip")
    assert cell_row(cut, "peer_port") == cell_row(whole, "peer_port")


def test_a_row_holds_the_columns_of_its_measures_in_their_order() -> None:
    measures: list[Measure] = [
        Derived("half", col("sessions_cnt").to_float() / 2.0, ("sessions_cnt",), ""),
        PairDerived("peers", "peer_ip", col("peer_ip:cells"), ColumnType.INT64, ""),
        SIZES,
        PairDerived("ports", "peer_port", col("peer_port:cells"), ColumnType.INT64, ""),
        count("sessions_cnt", ""),
    ]
    stored = {"sessions_cnt": 10, "size_hist": ((1, 4),), "other": 1}

    row = derive_row(stored, PAIRS, measures)

    assert list(row.items()) == [
        ("half", 5.0),
        ("peers", 3),
        ("size_hist", ((1, 4),)),
        ("p25", 10),
        ("p75", 10),
        ("top", 4),
        ("ports", 2),
        ("sessions_cnt", 10),
    ]


def test_a_row_without_measures_of_pairs_needs_none() -> None:
    assert derive_row({"n": 1}, [{"no": "pair"}], [count("n", "")]) == {"n": 1}
