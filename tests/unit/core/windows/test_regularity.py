"""Gaps and sizes of a pair, by starts made by hand."""

from __future__ import annotations

from ndr_core.deltas.timing import EARLY_START
from ndr_core.windows.regularity import distinct_starts, regularity

SIZES = ((100, 9),)


def test_equal_seconds_make_one_start_and_those_too_early_none() -> None:
    assert distinct_starts(((EARLY_START, 4), (-5, 2), (10, 1))) == [-5, 10]


def test_the_median_gap_is_the_lower_one_of_an_even_number() -> None:
    found = regularity([0, 10, 30, 60, 100], SIZES)  # gaps 10 20 30 40

    assert found["gaps_cnt"] == 4
    assert found["period_s"] == 20
    assert found["beacon:mad"] == 10  # distances 0 10 10 20: the second


def test_gaps_are_like_the_median_within_a_fifth_of_it_and_at_least_2_seconds() -> None:
    # Gaps 98 100 100 100 120 121: the median is 100, within 20 of it are all but 121.
    assert regularity([0, 98, 198, 298, 398, 518, 639], SIZES)["beacon:mode_gaps"] == 5
    # Gaps 1 1 1 3 4: within max(2, 1 // 5) = 2 of 1 are all but 4.
    assert regularity([0, 1, 2, 3, 6, 10], SIZES)["beacon:mode_gaps"] == 4


def test_sizes_are_like_the_median_within_a_twentieth_of_it_and_at_least_8_bytes() -> None:
    small = regularity([0, 1], ((92, 1), (100, 3), (108, 1), (109, 1)))
    # 2007 is the middle of bucket 381; 382 spans 2016..2031 (2023), 384 2048..2079 (2063), 386 (2127).
    large = regularity([0, 1], ((381, 3), (382, 1), (384, 1), (386, 1)))

    assert (small["bytes_sent_median"], small["beacon:like_sized"]) == (100, 5)
    assert (large["bytes_sent_median"], large["beacon:like_sized"]) == (2007, 5)


def test_sessions_are_all_of_the_pair_and_times_the_first_and_the_last_start() -> None:
    found = regularity([5, 7, 9], SIZES)

    assert (found["sessions_cnt"], found["beacon:first"], found["beacon:last"]) == (9, 5, 9)
