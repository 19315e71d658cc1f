"""What Polars reads off many histograms at once is what the core reads off each of them."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from attrs import asdict
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ndr_adapters.polars.features.metric_buckets import BUCKETS
from ndr_adapters.polars.features.metric_cells import CELLS
from ndr_adapters.polars.features.metric_codes import GROUP
from ndr_adapters.polars.features.metric_readouts import ZEROS, read_off
from ndr_core.baselines.metrics import UNKNOWN
from ndr_core.baselines.readout import read_off as core_read_off
from ndr_core.tables.columns import Histogram
from tests.soak import examples

Samples = tuple[int, int, Histogram]
"""Samples that are in no cell, of value 0, those of unknown value, and the cells."""

NEAR = st.integers(1, 40)
BUCKET = NEAR | st.integers(0, BUCKETS - 1) | st.sampled_from([2047, 2048, 3000, BUCKETS - 1])
COUNTS = st.integers(1, 4) | st.integers(1, 400)


@st.composite
def samples(draw: st.DrawFn) -> Samples:
    cells = draw(st.dictionaries(BUCKET, COUNTS, max_size=12))
    zeros = 0 if 0 in cells else draw(st.sampled_from([0, 0, 1, 3, 50]))
    return zeros, draw(st.sampled_from([0, 0, 1, 30])), tuple(sorted(cells.items()))


@settings(max_examples=examples(300), deadline=None)
@given(st.lists(samples(), max_size=6))
@example([(0, 0, ((5, 1),))])
@example([(0, 2, ((5, 1), (9, 1)))])
@example([(3, 0, ((1, 1), (5, 1), (9, 1)))])
@example([(1, 0, ((2, 1), (3, 1), (30, 1))), (0, 5, ())])
@example([(0, 0, ((1, 1), (2, 1), (4, 1), (8, 1), (16, 1))), (7, 0, ())])
def test_they_are_the_same(all_samples: Sequence[Samples]) -> None:
    groups = pl.DataFrame(
        [(2 * number, zeros) for number, (zeros, _, _) in enumerate(all_samples)],
        {GROUP: pl.UInt64(), ZEROS: pl.Int64()},
        orient="row",
    )
    cells = [
        (2 * number, bucket, count)
        for number, (_, unknown, histogram) in enumerate(all_samples)
        for bucket, count in (*[(UNKNOWN, unknown)] * bool(unknown), *histogram)
    ]

    of_others = [(2 * number + 1, 5, 1) for number in range(len(all_samples))]

    found = read_off(groups, pl.DataFrame(sorted([*cells, *of_others]), CELLS, orient="row"))

    assert found.drop(GROUP).rows(named=True) == [
        asdict(core_read_off(((0, zeros), *cells) if zeros else cells))
        for zeros, _, cells in all_samples
    ]
