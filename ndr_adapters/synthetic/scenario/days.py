"""The days of a scenario, one after the other: all sessions by the time at which a firewall logs them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl

from ndr_adapters.synthetic.scenario.activity import activity
from ndr_adapters.synthetic.scenario.planted import Planting, still_ordinary
from ndr_adapters.synthetic.scenario.poisson import PoissonPairs
from ndr_adapters.synthetic.scenario.population import Population
from ndr_adapters.synthetic.scenario.rhythm import presence
from ndr_adapters.synthetic.scenario.sessions import FIN, SCHEMA, THREAT, as_sessions
from ndr_adapters.synthetic.scenario.timers import timers
from ndr_adapters.synthetic.scenario.work import work
from ndr_core.times import DAY_US

_THREATS: Final = 0.002
"""So many sessions are told of once more, by a THREAT record."""


def logged_days(
    population: Population, planted: Sequence[Planting], poisson: PoissonPairs
) -> Iterator[pl.DataFrame]:
    """Give the sessions that are logged on each day, in order; a session is logged when it ends.

    What ends on a later day is carried over to it; what ends after the last day is not logged.
    """
    carried = pl.DataFrame(schema=SCHEMA)
    for day in range(population.size.days):
        end_us = population.size.day_us(day) + DAY_US
        found = pl.concat([carried, _started(population, planted, poisson, day)])
        logged_us = pl.col("start_us") + pl.col("duration_us")
        carried = found.filter(logged_us >= end_us)
        yield found.filter(logged_us < end_us).sort(logged_us, *SCHEMA)


def _started(
    population: Population, planted: Sequence[Planting], poisson: PoissonPairs, day: int
) -> pl.DataFrame:
    present = presence(population, day)
    ordinary = pl.concat(
        [
            activity(population, present, day),
            timers(population, present, day),
            work(population, day),
        ]
    )
    ordinary = pl.concat([ordinary, _threats(population, ordinary, day)])
    parts = [ordinary, poisson.sessions(day)]
    if population.size.is_last(day):
        parts[0] = ordinary.filter(still_ordinary(planted))
        parts += [planting.sessions for planting in planted]
    return pl.concat(parts)


def _threats(population: Population, sessions: pl.DataFrame, day: int) -> pl.DataFrame:
    """Records of threats: each tells of a session that has a record of its own."""
    luck = population.draws.of("threats", day).uniform("threat", sessions.height)
    found = sessions.filter((luck < _THREATS) & (pl.col("ending") == FIN))
    return as_sessions(found.with_columns(ending=pl.lit(THREAT), duration_us=pl.lit(0)))
