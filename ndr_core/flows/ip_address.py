"""Canonical text of IP addresses."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
CANONICAL_IPV4 = rf"(?:{_OCTET}\.){{3}}{_OCTET}"
"""Pattern (of a whole text) of a dotted quad without leading zeros: such a text is already canonical."""

ZONE = "%[!-$&-~]+"
"""Pattern of what may follow an IPv6 address: the network interface of the host that wrote the log."""

_IPV6 = re.compile(rf"([0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)(?:{ZONE})?", re.ASCII)


# A mini-batch names the same few addresses again and again.
@lru_cache(maxsize=1 << 17)
def canonical_ip(text: str | None) -> str | None:
    """Canonical form of an IPv4 or IPv6 address, or None for any other text.

    IPv6 follows RFC 5952 (lower case, no leading zeros, the first longest run of two or more zero
    groups as `::`), always in hexadecimal groups. A zone (`%eth0`) is cut, and what stands for an IPv4 address
    (`::ffff:192.0.2.1`) is that address: a host has one text, whichever socket has seen it.
    """
    if not text:
        return None
    try:
        if ":" not in text:
            return str(ipaddress.IPv4Address(text))
        found = _IPV6.fullmatch(text)
        if found is None:
            return None
        address = ipaddress.IPv6Address(found[1])
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        groups = address.packed.hex(":", 2).split(":")
    except ValueError:
        return None
    return _compress([group.lstrip("0") or "0" for group in groups])


def _compress(groups: list[str]) -> str:
    best_start, best_length = 0, 1
    start = 0
    while start < len(groups):
        end = start
        while end < len(groups) and groups[end] == "0":
            end += 1
        if end - start > best_length:
            best_start, best_length = start, end - start
        start = max(end, start + 1)
    if best_length == 1:
        return ":".join(groups)
    return ":".join(groups[:best_start]) + "::" + ":".join(groups[best_start + best_length :])
