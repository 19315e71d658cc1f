"""The sides and segments of many addresses at once: what `features.networks` of the core says of each."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address
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
_V6: Final = 6
_REST_BITS: Final = ADDRESS_BITS[_V4] - SEGMENT_BITS[_V4]


def sides(addresses: pl.Series, networks: Networks) -> pl.Series:
    """Give the side of each address, as the text of its `Side`. `addresses`: canonical texts, best each one once."""
    cidrs = (*NEITHER_CIDRS, *networks.internal_cidrs)
    answers = {
        version: Answers.of(version, cidrs, lambda ip: networks.side_of(ip).value)
        for version in ADDRESS_BITS
    }
    return _answered(addresses, answers[_V4].of_numbers, answers[_V6].of_text)


def segments(addresses: pl.Series, networks: Networks) -> pl.Series:
    """Give the segment of each address. `addresses`: canonical texts, best each one once."""
    cidrs = tuple(cidr for cidr, _ in networks.segment_cidrs)
    configured = Answers.of(_V4, cidrs, lambda ip: _configured(ip, networks))

    def of_v4(numbers: pl.Series) -> pl.Series:
        return pl.select(
            pl.coalesce(configured.of_numbers(numbers), _first_bits(numbers))
        ).to_series()

    return _answered(addresses, of_v4, networks.segment_of)


@frozen
class Answers:
    """Answers for the addresses of one version that change only where a network begins or ends."""

    bounds: tuple[int, ...]
    """Addresses, as numbers, from which on an answer holds; the first is 0."""
    found: tuple[str | None, ...]
    """The answer of each."""

    @classmethod
    def of(
        cls, version: int, cidrs: Iterable[Cidr], answer: Callable[[str], str | None]
    ) -> Answers:
        """Ask for the answer at each address where a network begins, or ends before it."""
        of_version = [one for one in cidrs if one.version == version]
        bounds = {bound for one in of_version for bound in (one.first, one.last + 1)}
        ordered = sorted({0, *bounds} - {1 << ADDRESS_BITS[version]})
        make = IPv4Address if version == _V4 else IPv6Address
        return cls(tuple(ordered), tuple(answer(str(make(bound))) for bound in ordered))

    def of_numbers(self, numbers: pl.Series) -> pl.Series:
        """Give the answer for each address, given as a number below 2^63."""
        bounds = pl.Series(self.bounds, dtype=pl.Int64)
        found = pl.Series(self.found, dtype=pl.String)
        return found.gather(bounds.search_sorted(numbers, side="right") - 1)

    def of_text(self, ip: str) -> str | None:
        """Give the answer for one address."""
        return self.found[bisect_right(self.bounds, numbered(ip)[1]) - 1]


def _configured(ip: str, networks: Networks) -> str | None:
    """The name of the configured segment of an address."""
    return next((name for cidr, name in networks.segment_cidrs if cidr.holds(*numbered(ip))), None)


def _answered(
    addresses: pl.Series,
    of_v4: Callable[[pl.Series], pl.Series],
    of_v6: Callable[[str], str | None],
) -> pl.Series:
    """Answer for IPv4 addresses all at once, for others one by one."""
    is_v6 = addresses.str.contains(":", literal=True)
    answers = pl.repeat(None, addresses.len(), dtype=pl.String, eager=True)
    v4_places, v6_places = (~is_v6).arg_true(), is_v6.arg_true()
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


def _first_bits(numbers: pl.Series) -> pl.Series:
    """The segments of IPv4 addresses that no configured network holds."""
    first = numbers.alias("number").to_frame() // (1 << _REST_BITS) * (1 << _REST_BITS)
    octets = (pl.col("number") // (1 << shift) % 256 for shift in (24, 16, 8, 0))
    text = pl.format(f"{{}}.{{}}.{{}}.{{}}/{SEGMENT_BITS[_V4]}", *octets)
    return first.select(text).to_series()
