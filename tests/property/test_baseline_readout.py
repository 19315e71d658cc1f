"""z of a histogram agrees with z of the values themselves: of their true median, mad and quartiles.

A bucket's middle is within h = 2^-(bits + 1) of any value in it, so the median m is wrong by h * m at most, mad by
h * (mad + 2 m), the distance of the quartiles by h * (iqr + 2 m), and with them the scale s by h * (s + 2.97 m). What
this makes of z depends on how wide the values are spread: the least where s is above m, or the floor or 0.05 m; the
most where s is a little more than 0.05 m.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.baselines.buckets import BUCKET_BITS, bucket
from ndr_core.baselines.metrics import Unit
from ndr_core.baselines.readout import SCALE_OF_MAD, Readout, Z, read_off, scale_of
from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import col
from ndr_core.tables.columns import Histogram, add_histograms
from tests.soak import examples

H = 2.0 ** -(BUCKET_BITS + 1)
"""The middle of a bucket is within this part of any value in it."""
EXACT = 2 << BUCKET_BITS
"""Values below it have buckets of their own."""
MOST_Z = 8.0
"""Farther out z only says: far out."""

BUCKET = bucket(col("x"))
SCALES = {unit: scale_of(unit) for unit in Unit}
UNITS = st.sampled_from(Unit)
MOST_ERROR = 0.2
SIZES = st.integers(20, 300)


def histogram_of(values: Sequence[int]) -> Histogram:
    return add_histograms([[(int(evaluate(BUCKET, {"x": value})), 1)] for value in values])


def exact_readout(values: Sequence[int]) -> Readout:
    """What `read_off` reads off, of the values themselves."""
    ordered = sorted(values)

    def at(percent: int, of: Sequence[int] = ordered) -> int:
        return of[-(-percent * len(of) // 100) - 1]

    median = at(50)
    mad = at(50, sorted(abs(value - median) for value in values))
    return Readout(len(values), median, at(25), at(75), at(95), at(99), mad, at(75) - at(25))


def z_of(x: int, readout: Readout, unit: Unit) -> float:
    operands = {"x": x, "median": readout.median, "mad": readout.mad, "iqr": readout.iqr}
    return float(evaluate(Z[unit], operands))


def scale(readout: Readout, unit: Unit) -> float:
    operands = {"median": readout.median, "mad": readout.mad, "iqr": readout.iqr}
    return float(evaluate(SCALES[unit], operands))


def values_around(readout: Readout, unit: Unit) -> list[int]:
    """Values of which z is known to lie within 8, those of the largest z among them."""
    assert readout.median is not None
    reach = MOST_Z * scale(readout, unit)
    found = (readout.median + math.trunc(part * reach) for part in (-1, -0.6, -0.1, 0, 0.2, 0.7, 1))
    return [x for x in found if x >= 0]


def error(values: Sequence[int], unit: Unit) -> float:
    """How far z of a value lies from that by the histogram at most."""
    exact, found = exact_readout(values), read_off(histogram_of(values))
    return max(abs(z_of(x, found, unit) - z_of(x, exact, unit)) for x in values_around(exact, unit))


@settings(max_examples=examples(400), deadline=None)
@given(
    st.lists(st.integers(0, 2**40), min_size=20, max_size=60)
    | st.lists(st.integers(1000, 1300), min_size=20, max_size=60),
    UNITS,
)
def test_z_of_a_histogram_is_as_near_as_its_buckets_allow_whatever_the_values(
    values: list[int], unit: Unit
) -> None:
    exact, found = exact_readout(values), read_off(histogram_of(values))
    assert exact.median is not None

    for x in values_around(exact, unit):
        z = z_of(x, exact, unit)
        allowed = exact.median + abs(z) * (scale(exact, unit) + 2 * SCALE_OF_MAD * exact.median)
        difference = abs(z_of(x, found, unit) - z)
        assert difference <= H * allowed / scale(found, unit) + 1e-9


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(st.integers(0, EXACT - 1), min_size=20, max_size=100), UNITS)
def test_z_of_small_values_is_exact(values: list[int], unit: Unit) -> None:
    assert error(values, unit) == 0.0


CHANCES = st.integers(0, 2**32).map(random.Random)


@settings(max_examples=examples(1000), deadline=None)
@given(st.floats(0, 25), st.floats(0, 3) | st.floats(0, 0.3), SIZES, CHANCES, UNITS)
def test_z_of_lognormal_values_is_within_a_fifth(
    mu: float, sigma: float, size: int, chance: random.Random, unit: Unit
) -> None:
    values = [int(chance.lognormvariate(mu, sigma)) for _ in range(size)]

    assert error(values, unit) <= MOST_ERROR


@settings(max_examples=examples(400), deadline=None)
@given(st.integers(0, 2**45), SIZES, UNITS)
def test_z_of_a_constant_is_within_a_fifth(value: int, size: int, unit: Unit) -> None:
    assert error([value] * size, unit) <= MOST_ERROR


@settings(max_examples=examples(400), deadline=None)
@given(st.floats(-5, 9).map(math.exp), SIZES, CHANCES)
def test_z_of_counts_is_within_a_fifth(rate: float, size: int, chance: random.Random) -> None:
    counts = [events(rate, chance) for _ in range(size)]

    assert error(counts, Unit.COUNT) <= MOST_ERROR


def events(rate: float, chance: random.Random) -> int:
    """How many events of a rate there are in a unit of time; of many events as a normal law has it."""
    if rate > 100:
        return max(0, round(chance.gauss(rate, math.sqrt(rate))))
    count, time = 0, chance.expovariate(rate)
    while time < 1:
        count, time = count + 1, time + chance.expovariate(rate)
    return count


@settings(max_examples=examples(400), deadline=None)
@given(st.floats(0, 1), st.integers(1, 100), SIZES, CHANCES)
def test_z_of_ratios_is_within_a_fifth(
    part: float, most: int, size: int, chance: random.Random
) -> None:
    wholes = [chance.randint(1, most) for _ in range(size)]
    ratios = [1000 * sum(chance.random() < part for _ in range(whole)) // whole for whole in wholes]

    assert error(ratios, Unit.THOUSANDTHS) <= MOST_ERROR


@settings(max_examples=examples(400), deadline=None)
@given(st.integers(0, 16_000), st.integers(0, 2000), SIZES, CHANCES)
def test_z_of_entropies_is_within_a_fifth(
    mean: int, deviation: int, size: int, chance: random.Random
) -> None:
    entropies = [max(0, round(chance.gauss(mean, deviation))) for _ in range(size)]

    assert error(entropies, Unit.THOUSANDTHS) <= MOST_ERROR
