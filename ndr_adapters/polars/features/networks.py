"""Sides and segments of many addresses at once: `Networks` of the core, compiled for Polars.

IPv4 addresses become numbers, which are compared with the networks; the few IPv6 ones are asked of the core.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import polars as pl

from ndr_core.features.networks import (
    ADDRESS_BITS,
    NEITHER_CIDRS,
    SEGMENT_BITS,
    Cidr,
    Networks,
    Side,
)

_BITS = ADDRESS_BITS[4]


def sides(addresses: pl.Series, networks: Networks) -> pl.Series:
    """Give the side of each address, as the text of `Side`. `addresses`: distinct canonical texts, no null."""
    number = pl.col("number")
    side = (
        pl.when(_in_any(number, NEITHER_CIDRS))
        .then(pl.lit(Side.NEITHER.value))
        .when(_in_any(number, networks.internal_cidrs))
        .then(pl.lit(Side.INTERNAL.value))
        .otherwise(pl.lit(Side.EXTERNAL.value))
    )
    return _told(addresses, side, lambda ip: networks.side_of(ip).value)


def segments(addresses: pl.Series, networks: Networks) -> pl.Series:
    """Give the segment of each address. `addresses`: distinct canonical texts, no null."""
    configured: dict[int, dict[int, str]] = {}
    for cidr, name in networks.segment_cidrs:
        if cidr.version == 4:
            configured.setdefault(cidr.bits, {})[cidr.first] = name
    number = pl.col("number")
    found = [
        _first_of(number, bits).replace_strict(names, default=None, return_dtype=pl.String)
        for bits, names in sorted(configured.items(), reverse=True)
    ]
    bits = SEGMENT_BITS[4]
    start = _first_of(number, bits)
    octets = [(start // (1 << shift) % 256).cast(pl.String) for shift in (24, 16, 8, 0)]
    usual = pl.concat_str(*octets, separator=".") + f"/{bits}"
    return _told(addresses, pl.coalesce(*found, usual), networks.segment_of)


def _told(addresses: pl.Series, of_number: pl.Expr, of_text: Callable[[str], str]) -> pl.Series:
    """What is told of each address: by its number where it is an IPv4 address, else by its text."""
    text = pl.col("address")
    octets = text.str.split_exact(".", 3).struct
    numbered = [
        octets.field(f"field_{place}").cast(pl.Int64, strict=False) * (1 << shift)
        for place, shift in enumerate((24, 16, 8, 0))
    ]
    is_four = ~text.str.contains(":", literal=True)
    frame = addresses.alias("address").to_frame()
    told = frame.with_columns(
        number=pl.when(is_four).then(pl.sum_horizontal(numbered, ignore_nulls=False))
    ).select("address", told=pl.when(is_four).then(of_number))
    others = told.filter(pl.col("told").is_null()).get_column("address").to_list()
    if not others:
        return told.get_column("told").alias(addresses.name)
    by_text = {ip: of_text(ip) for ip in others}
    other = text.replace_strict(by_text, default=None, return_dtype=pl.String)
    return told.select(pl.coalesce("told", other)).to_series().alias(addresses.name)


def _in_any(number: pl.Expr, cidrs: Iterable[Cidr]) -> pl.Expr:
    """Whether the number of an IPv4 address lies in one of some networks."""
    ranges = [number.is_between(cidr.first, cidr.last) for cidr in cidrs if cidr.version == 4]
    return pl.any_horizontal(ranges) if ranges else pl.lit(False)


def _first_of(number: pl.Expr, bits: int) -> pl.Expr:
    """The first address of the network of so many bits in which an address lies."""
    size = 1 << (_BITS - bits)
    return number // size * size
