"""Keys of metrics' histograms as numbers, which sort as the keys do: a whole key is one integer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.addresses import Addresses
from ndr_core.windows.calendar import TimeBand
from ndr_core.windows.plan import ROLE_NAMES

ROW: Final = "row"
"""Column: the number of role, band, label, horizon and name."""
GROUP: Final = "group"
"""Column: the number of these and a metric: of one histogram."""
PLACE: Final = "place"
"""Column: the place of a host, a segment or the network among those of a build."""

_ROLES: Final = tuple(sorted(ROLE_NAMES))
_BANDS: Final = tuple(sorted(band.value for band in TimeBand))
_Part = tuple[pl.Expr, int]
"""A part of a number: over rows what it is, and how many there are."""
NO_HORIZON: Final = ("",)
"""Where there are no horizons: summaries are of one date."""


@frozen
class Codes:
    """Numbers of keys, and the keys of numbers: they hold for one build.

    A number has the place of each part of its key among the sorted texts of this part. A ROW has role, band, label,
    horizon, name; a GROUP has role, band, some names, metric, label, horizon, name among these. So histograms sorted by
    GROUP are in the order of files: those of one metric lie together, which packs best, but of so many names only that
    who reads some names reads few others.
    """

    names: pl.Series
    """The texts of PLACE, in order."""
    labels: tuple[str, ...]
    metrics: tuple[str, ...]
    horizons: tuple[str, ...]
    names_together: int
    """Names whose histograms of one metric lie together."""

    @classmethod
    def of(
        cls,
        names: pl.Series,
        labels: Iterable[str],
        metrics: Iterable[str],
        horizons: Iterable[str] = NO_HORIZON,
        *,
        names_together: int,
    ) -> Codes:
        """Number some keys. `names`: sorted, each once."""
        labels, metrics, horizons = (tuple(sorted(some)) for some in (labels, metrics, horizons))
        return cls(names, labels, metrics, horizons, max(1, min(names_together, len(names))))

    def row(self) -> pl.Expr:
        """Give ROW, over `role`, `time_band`, PLACE, `window_label` and, where there are some, `horizon`."""
        return self._number(*self._band(), *self._rest()).alias(ROW)

    def group(self) -> pl.Expr:
        """Give GROUP, over the columns of `row` and `metric`."""
        *rest, (place, _) = self._rest()
        metric = (_place("metric", self.metrics), len(self.metrics))
        return self._group_of_parts(self._band(), place, [metric, *rest])

    def group_of(self, metric: str) -> pl.Expr:
        """Give GROUP of a metric, over ROW."""
        rest, place = pl.col(ROW) // self._names, pl.col(ROW) % self._names
        of_metric = pl.lit(self.metrics.index(metric), dtype=pl.UInt64)
        within = [(of_metric, len(self.metrics)), (rest % self._rests, self._rests)]
        return self._group_of_parts([(rest // self._rests, 1)], place, within)

    def row_of(self) -> pl.Expr:
        """Give ROW, over GROUP."""
        of_metric = self._rests * self.names_together
        above = pl.col(GROUP) // (of_metric * len(self.metrics))
        return self._number(
            (above // self._pieces, 1),
            (pl.col(GROUP) % of_metric // self.names_together, self._rests),
            (self._place_of(), self._names),
        ).alias(ROW)

    def metric_of(self) -> pl.Expr:
        """Give `metric`, over GROUP."""
        return _text(self._metric_place(), self.metrics).alias("metric")

    def is_of(self, metrics: Iterable[str]) -> pl.Expr:
        """Whether GROUP is one of some metrics."""
        return self._metric_place().is_in([self.metrics.index(one) for one in metrics])

    def key(self, name: str) -> list[pl.Expr]:
        """Give the columns of a key, over ROW: role, time_band, window_label, horizon, and PLACE's text as `name`."""
        above = pl.col(ROW)
        found = []
        for column, texts in (
            (name, self.names),
            ("horizon", self.horizons),
            ("window_label", self.labels),
            ("time_band", _BANDS),
            ("role", _ROLES),
        ):
            count = max(1, len(texts))
            found.append(_text(above % count, texts).alias(column))
            above = above // count
        return found

    def renamed(self, others: Codes, places: pl.Series) -> pl.Expr:
        """Give GROUP among others, over GROUP, where all but the names is the same.

        `places`: by PLACE, the place among the names of the others.
        """
        above = pl.col(GROUP) // self.names_together
        of_piece = len(self.metrics) * self._rests
        name = pl.lit(places.cast(pl.UInt64)).gather(self._place_of())
        band = (above // of_piece // self._pieces, 1)
        return others._group_of_parts([band], name, [(above % of_piece, of_piece)])

    @property
    def _names(self) -> int:
        return max(1, len(self.names))

    @property
    def _pieces(self) -> int:
        """How many times there are names that lie together."""
        return -(-self._names // self.names_together)

    @property
    def _rests(self) -> int:
        """Numbers of label and horizon."""
        return len(self.labels) * len(self.horizons)

    def _metric_place(self) -> pl.Expr:
        return pl.col(GROUP) // (self._rests * self.names_together) % len(self.metrics)

    def _place_of(self) -> pl.Expr:
        """PLACE, over GROUP, as a UInt64."""
        of_piece = len(self.metrics) * self._rests * self.names_together
        piece = pl.col(GROUP) // of_piece % self._pieces
        return piece * self.names_together + pl.col(GROUP) % self.names_together

    def _band(self) -> list[_Part]:
        return [
            (_place("role", _ROLES), len(_ROLES)),
            (_place("time_band", _BANDS), len(_BANDS)),
        ]

    def _rest(self) -> list[_Part]:
        none = pl.lit(0, dtype=pl.UInt64)
        horizon = none if self.horizons == NO_HORIZON else _place("horizon", self.horizons)
        return [
            (_place("window_label", self.labels), len(self.labels)),
            (horizon, len(self.horizons)),
            (pl.col(PLACE).cast(pl.UInt64), self._names),
        ]

    def _group_of_parts(
        self, band: Iterable[_Part], place: pl.Expr, within: Iterable[_Part]
    ) -> pl.Expr:
        """GROUP of its parts. `place`: PLACE, as a UInt64; `within`: what lies between some names and one of them."""
        piece = (place // self.names_together, self._pieces)
        name = (place % self.names_together, self.names_together)
        return self._number(*band, piece, *within, name).alias(GROUP)

    @staticmethod
    def _number(*parts: _Part) -> pl.Expr:
        number = parts[0][0]
        for place, count in parts[1:]:
            number = number * pl.lit(count, dtype=pl.UInt64) + place
        return number


@frozen
class Hosts:
    """The hosts of some frames, in the order of their texts."""

    addresses: Addresses
    texts: pl.Series
    ranks: pl.Series
    """Number of an address -> its place among the texts."""

    @classmethod
    def of(cls, addresses: Addresses, numbers: Iterable[pl.Series]) -> Hosts:
        """Order the hosts of some numbers, as `addresses` gives them."""
        largest = [found.max() for found in numbers]
        count = max((one + 1 for one in largest if isinstance(one, int)), default=0)
        known = pl.int_range(count, dtype=pl.UInt32, eager=True)
        texts = pl.select(addresses.text(pl.lit(known))).to_series()
        order = texts.arg_sort()
        places = pl.int_range(count, dtype=pl.UInt32, eager=True)
        return cls(
            addresses,
            texts.gather(order),
            pl.zeros(count, dtype=pl.UInt32, eager=True).scatter(order, places),
        )

    def place(self) -> pl.Expr:
        """Give PLACE, over HOST_NUMBER."""
        return pl.lit(self.ranks).gather(pl.col(HOST_NUMBER)).alias(PLACE)


HOST_NUMBER: Final = "host_number"
"""Column: the number of a host's address."""


def _place(column: str, texts: Sequence[str]) -> pl.Expr:
    places = pl.Series(range(len(texts)), dtype=pl.UInt64)
    return pl.col(column).replace_strict(pl.Series(texts, dtype=pl.String), places)


def _text(place: pl.Expr, texts: pl.Series | Sequence[str]) -> pl.Expr:
    return pl.lit(pl.Series(texts, dtype=pl.String)).gather(place)
