"""The sides and segments of many addresses at once: what `features.networks` of the core says of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import polars as pl
from attrs import frozen

from ndr_core.features.networks import (
    ADDRESS_BITS,
    NEITHER_CIDRS,
    SEGMENT_BITS,
    Cidr,
    Networks,
    numbered,
)

_V4: Final = 4
_REST_BITS: Final = ADDRESS_BITS[_V4] - SEGMENT_BITS[_V4]


def sides(addresses: pl.Series, networks: Networks) -> pl.Series:
    """Give the side of each address, as the text of its `Side`. `addresses`: canonical texts, best each one once."""
    cidrs = (*NEITHER_CIDRS, *networks.internal_cidrs)
    v4 = _Answers.of(cidrs, lambda ip: networks.side_of(ip).value)
    return _answers(addresses, v4.at, lambda ip: networks.side_of(ip).value)


def segments(addresses: pl.Series, networks: Networks) -> pl.Series:
    """Give the segment of each address. `addresses`: canonical texts, best each one once."""
    configured = _Answers.of(
        (cidr for cidr, _ in networks.segment_cidrs), lambda ip: _configured(ip, networks)
    )

    def of_v4(numbers: pl.Series) -> pl.Series:
        names = configured.at(numbers)
        return pl.select(pl.coalesce(names, _first_bits(numbers))).to_series()

    return _answers(addresses, of_v4, networks.segment_of)


@frozen
class _Answers:
    """Answers for IPv4 addresses that change only where a network begins or ends."""

    bounds: pl.Series
    """Addresses, as numbers, from which on an answer holds; the first is 0."""
    found: pl.Series
    """The answer of each."""

    @classmethod
    def of(cls, cidrs: Iterable[Cidr], answer: Callable[[str], str | None]) -> _Answers:
        """Ask for the answer at each address where a network begins, or ends before it."""
        v4 = [one for one in cidrs if one.version == _V4]
        bounds = {bound for one in v4 for bound in (one.first, one.last + 1)}
        ordered = sorted({0, *bounds} - {1 << ADDRESS_BITS[_V4]})
        found = [answer(_text(bound)) for bound in ordered]
        return cls(pl.Series(ordered, dtype=pl.Int64), pl.Series(found, dtype=pl.String))

    def at(self, numbers: pl.Series) -> pl.Series:
        """Give the answer for each address, given as a number."""
        return self.found.gather(self.bounds.search_sorted(numbers, side="right") - 1)


def _configured(ip: str, networks: Networks) -> str | None:
    """The name of the configured segment of an address."""
    return next((name for cidr, name in networks.segment_cidrs if cidr.holds(*numbered(ip))), None)


def _answers(
    addresses: pl.Series, of_v4: Callable[[pl.Series], pl.Series], of_v6: Callable[[str], str]
) -> pl.Series:
    """Answer for IPv4 addresses all at once, for others one by one."""
    v6 = addresses.str.contains(":", literal=True)
    answers = pl.repeat(None, addresses.len(), dtype=pl.String, eager=True)
    v4_places, v6_places = (~v6).arg_true(), v6.arg_true()
    if v4_places.len():
        numbers = _numbers(addresses.gather(v4_places))
        answers = answers.scatter(v4_places, of_v4(numbers))
    if v6_places.len():
        found = [of_v6(ip) for ip in addresses.gather(v6_places)]
        answers = answers.scatter(v6_places, pl.Series(found, dtype=pl.String))
    return answers


def _numbers(addresses: pl.Series) -> pl.Series:
    parts = pl.col("ip").str.split_exact(".", 3).struct.unnest()
    fields = addresses.to_frame("ip").select(parts).select(pl.all().cast(pl.Int64))
    first, second, third, fourth = fields.get_columns()
    return ((first * 256 + second) * 256 + third) * 256 + fourth


def _text(number: int) -> str:
    return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))


def _first_bits(numbers: pl.Series) -> pl.Series:
    """The segments of addresses that no configured network holds."""
    first = numbers.alias("number").to_frame() // (1 << _REST_BITS) * (1 << _REST_BITS)
    octets = (pl.col("number") // (1 << shift) % 256 for shift in (24, 16, 8, 0))
    text = pl.format(f"{{}}.{{}}.{{}}.{{}}/{SEGMENT_BITS[_V4]}", *octets)
    return first.select(text).to_series()
