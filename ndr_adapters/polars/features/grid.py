"""The baselines with which some windows can be compared, numbered: a number for each horizon, label and place.

So columns of them are looked up by number, and no text is compared twice.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from attrs import frozen

from ndr_core.baselines.tables import HOST, NETWORK, SCOPES, SEGMENT


@frozen
class Grid:
    """All numbers there are: those of one horizon and label are together, in the order of the places."""

    horizons: tuple[str, ...]
    labels: tuple[str, ...]
    """Names of windows."""
    places: pl.DataFrame
    """`scope` and `name`: hosts, then segments, then the network."""

    @classmethod
    def of(
        cls,
        horizons: Sequence[str],
        labels: Sequence[str],
        hosts: pl.Series,
        segments: pl.Series,
    ) -> Grid:
        """Number what hosts are compared with. `hosts`, `segments`: texts, each once."""
        parts = ((HOST, hosts), (SEGMENT, segments), (NETWORK, pl.Series([NETWORK])))
        frames = (
            names.alias("name").to_frame().select(pl.lit(scope).alias("scope"), "name")
            for scope, names in parts
        )
        return cls(tuple(horizons), tuple(labels), pl.concat(frames))

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return len(self.horizons) * len(self.labels) * self.places.height

    def scopes(self) -> pl.Series:
        """Give the scope of each number."""
        return pl.concat([self.places.get_column("scope")] * len(self.horizons) * len(self.labels))

    def numbers_at(self, horizons: pl.Series, labels: pl.Series, places: pl.Series) -> pl.Series:
        """Give the numbers of some horizons, labels and places, each given as where it stands here."""
        return (horizons * len(self.labels) + labels) * self.places.height + places

    def numbers(self, rows: pl.DataFrame) -> pl.Series:
        """Give the numbers of rows of `baseline` or `baseline_rows`; null for what no window is compared with."""
        return self.numbers_at(
            numbered(rows.get_column("horizon"), self.horizons),
            numbered(rows.get_column("window_label"), self.labels),
            self._places_of(rows),
        )

    def _places_of(self, rows: pl.DataFrame) -> pl.Series:
        """Where the places of rows stand, which are in no order; null for others."""
        names = self.places.get_column("name").unique()
        known, wanted = (
            numbered(of.get_column("scope"), SCOPES) * names.len()
            + numbered(of.get_column("name"), names)
            for of in (self.places, rows)
        )
        return standing(known, len(SCOPES) * names.len()).gather(wanted)


def numbered(texts: pl.Series, known: Sequence[str] | pl.Series) -> pl.Series:
    """Give the place of each text among known ones, of which each is there once; null for others."""
    return texts.cast(pl.Enum(known), strict=False).to_physical().cast(pl.Int64)


def standing(numbers: pl.Series, size: int) -> pl.Series:
    """Give, for each number below `size`, where it stands among some; null where it does not.

    Some may be null, and no other one is there twice.
    """
    are_known = numbers.is_not_null()
    places = pl.int_range(numbers.len(), dtype=pl.Int64, eager=True).filter(are_known)
    nowhere = pl.repeat(None, size, dtype=pl.Int64, eager=True)
    return nowhere.scatter(numbers.filter(are_known), places)
