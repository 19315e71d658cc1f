"""When hosts are on, and at which times of the day things happen."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

import polars as pl

from ndr_adapters.synthetic.scenario.draws import Draws, cumulated
from ndr_adapters.synthetic.scenario.population import Population
from ndr_core.times import DAY_US, HOUR_US

OFFICE: Final = (
    1,
    1,
    1,
    1,
    1,
    2,
    6,
    20,
    60,
    90,
    95,
    85,
    60,
    80,
    90,
    85,
    75,
    50,
    20,
    10,
    6,
    4,
    2,
    1,
)
"""How much happens in each hour of a day, on hosts that are on day and night."""
SERVERS: Final = (
    14,
    14,
    40,
    25,
    14,
    14,
    16,
    20,
    28,
    34,
    36,
    34,
    28,
    32,
    34,
    34,
    30,
    24,
    18,
    16,
    14,
    14,
    14,
    14,
)
"""The same on servers, with their work of the night."""
_LUNCH: Final = (9, 10, 10, 9, 6, 8, 10, 10, 9, 7)
"""The same on hosts that are switched off at night, in tenths of the time that they are on."""
_STEPS: Final = 1 << 16
_WEEKEND_SHARE: Final = 0.12
"""Of the hosts that are switched off at night, so many are on at a weekend."""
_QUIET: Final = 0.25
"""How much happens on a day of a weekend, beside a working day."""


def presence(population: Population, day: int) -> pl.DataFrame:
    """Give the hosts that are on some time of a day, with `from_us`, `until_us` and how much they do (`pace`)."""
    size = population.size
    draws = population.draws.of("presence", day)
    is_weekend = size.is_weekend(day)
    comes = draws.uniform("comes", size.hosts) < (_WEEKEND_SHARE if is_weekend else 0.96)
    quiet = _QUIET if is_weekend else 1.0
    always_on, is_client = pl.col("always_on"), pl.col("is_client")
    late = draws.below("late", size.hosts, HOUR_US // 2)
    return (
        population.hosts.with_columns(
            from_us=pl.when(always_on).then(0).otherwise(pl.col("wakes_us") + late),
            until_us=pl.when(always_on).then(DAY_US).otherwise(pl.col("sleeps_us") + late),
            mood=draws.log_normal("mood", size.hosts, 0.0, 0.35),
        )
        .filter(always_on | comes)
        .with_columns(
            pace=pl.col("activity") * pl.col("mood") * pl.when(is_client).then(quiet).otherwise(1.0)
        )
    )


def times_of_day(present: pl.DataFrame, draws: Draws) -> pl.Series:
    """Give each row of hosts that are on a time within the day, us from its start, by the rhythm of the host."""
    steps = draws.bits("time", present.height) // ((1 << 64) // _STEPS)
    within = draws.uniform("within", present.height) / _STEPS
    rows = present.with_columns(
        office=_table(OFFICE).gather(steps) + within,
        server=_table(SERVERS).gather(steps) + within,
        worked=_table(_LUNCH).gather(steps) + within,
    )
    shifted = (pl.col("office") * DAY_US).cast(pl.Int64) + pl.col("shift_us")
    open_us = pl.col("until_us") - pl.col("from_us")
    return rows.select(
        pl.when(~pl.col("is_client"))
        .then((pl.col("server") * DAY_US).cast(pl.Int64))
        .when("always_on")
        .then(shifted % DAY_US)
        .otherwise(pl.col("from_us") + (pl.col("worked") * open_us).cast(pl.Int64))
        .alias("time_us")
    ).to_series()


@cache
def _table(weights: Sequence[float]) -> pl.Series:
    """Equally likely times, as shares of the day: within each part of it they lie evenly."""
    sums = [0.0, *cumulated(weights)]
    found, part = [], 0
    for step in range(_STEPS):
        point = (step + 0.5) / _STEPS
        while point >= sums[part + 1]:
            part += 1
        within = (point - sums[part]) / (sums[part + 1] - sums[part])
        found.append((part + within) / len(weights))
    return pl.Series(found, dtype=pl.Float64)
