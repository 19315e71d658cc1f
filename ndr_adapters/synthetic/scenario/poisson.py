"""Pairs that look regular to bad scores: always as many bytes, but at random times. A beacon score must stay low."""

from __future__ import annotations

from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.synthetic.scenario.population import Population
from ndr_adapters.synthetic.scenario.sessions import FIN, TCP, as_sessions, repeated
from ndr_core.times import DAY_US, SECOND_US

_FEWEST: Final = 12
_MOST: Final = 1000
_SENT: Final = 512
_RECEIVED: Final = 904
PORT: Final = 443


@frozen
class PoissonPairs:
    """Which hosts contact which peers, so many times each day."""

    population: Population
    peers: range

    @classmethod
    def among(cls, population: Population) -> PoissonPairs:
        """Give each host of this use a peer that no other host has."""
        return cls(population, population.new_peers(len(population.uses["poisson"])))

    @property
    def pairs(self) -> list[tuple[int, int, int]]:
        """Host, peer and sessions a day: 12 for the first, 1,000 for the last, in equal ratios between."""
        hosts = self.population.uses["poisson"]
        ratio = (_MOST / _FEWEST) ** (1 / (len(hosts) - 1))
        return [
            (host, peer, round(_FEWEST * ratio**place))
            for place, (host, peer) in enumerate(zip(hosts, self.peers, strict=True))
        ]

    def sessions(self, day: int) -> pl.DataFrame:
        """Give these sessions of a day: of so many, each starts at any time with equal chance."""
        draws = self.population.draws.of("poisson", day)
        pairs = pl.DataFrame(self.pairs, schema=["source", "destination", "number"], orient="row")
        rows = repeated(pairs, pairs["number"])
        # No session is carried over to the next day, so that each day has its number.
        time = draws.below("time", rows.height, DAY_US - 2 * SECOND_US)
        return as_sessions(
            rows.with_columns(
                start_us=time + self.population.size.day_us(day),
                duration_us=draws.below("duration", rows.height, SECOND_US),
                port=pl.lit(PORT),
                transport=pl.lit(TCP),
                source_bytes=pl.lit(_SENT),
                destination_bytes=pl.lit(_RECEIVED),
                ending=pl.lit(FIN),
            )
        )
