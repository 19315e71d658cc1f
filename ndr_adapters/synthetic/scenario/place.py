"""Where something is planted: a host, the last day, and draws that nothing else uses."""

from __future__ import annotations

from typing import Any

import polars as pl
from attrs import frozen

from ndr_adapters.synthetic.scenario.draws import Draws
from ndr_adapters.synthetic.scenario.population import Population
from ndr_adapters.synthetic.scenario.sessions import TCP
from ndr_core.times import MINUTE_US


@frozen
class Place:
    """One host on the last day."""

    population: Population
    host: int
    draws: Draws

    @property
    def day_us(self) -> int:
        """Start of the last day."""
        size = self.population.size
        return size.day_us(size.days - 1)

    def begin_us(self, first_hour: int, last_hour: int) -> int:
        """Draw a whole minute between two hours of the day."""
        minute = self.draws.number("begin", first_hour * 60, last_hour * 60 - 1)
        return self.day_us + minute * MINUTE_US

    def times(self, count: int, begin_us: int, length_us: int) -> pl.Series:
        """Draw times in a stretch of time, the earliest first."""
        return (self.draws.below("times", count, length_us) + begin_us).sort()

    def clients(self, count: int) -> list[int]:
        """Draw clients other than the host itself."""
        found = self.draws.shuffled("clients", self.population.clients)
        return [client for client in found if client != self.host][:count]

    def new_peer(self) -> int:
        """Give an external peer that no host has contacted."""
        return self.population.new_peers(1).start

    def ends(self, start_us: pl.Series, **columns: Any) -> pl.DataFrame:
        """Sessions from the host by TCP; each column is a series, or one value for all."""
        found = {"source": self.host, "transport": TCP} | columns
        return pl.DataFrame({"start_us": start_us}).with_columns(
            **{
                name: value if isinstance(value, pl.Series) else pl.lit(value)
                for name, value in found.items()
            }
        )
