"""Polars tells sides and segments of many addresses as the core does of each."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_adapters.polars.features.networks import segments, sides
from ndr_core.features.networks import Networks
from tests.soak import examples

NETWORKS = {
    "those of a spec that names none": Networks(),
    "some within others": Networks(
        internal=("10.0.0.0/8", "192.168.1.0/24", "0.0.0.0/32", "fc00::/7", "2001:db8::/64"),
        segments={
            "wide": ("10.1.0.0/16", "0.0.0.0/8", "2001:db8::/32"),
            "narrow": ("10.1.2.0/24", "10.1.2.7/32", "255.255.255.128/25", "2001:db8::/120"),
        },
    ),
}
EDGES = [
    *("0.0.0.0", "0.0.0.1", "0.255.255.255", "1.0.0.0", "9.255.255.255", "10.0.0.0"),
    *("10.1.1.255", "10.1.2.0", "10.1.2.6", "10.1.2.7", "10.1.2.8", "10.1.3.0", "10.2.0.0"),
    *("11.0.0.0", "192.168.0.255", "192.168.1.0", "192.168.2.0", "223.255.255.255", "224.0.0.0"),
    *("239.255.255.255", "240.0.0.0", "255.255.255.127", "255.255.255.128", "255.255.255.255"),
    *("::", "::1", "::2", "2001:db8::", "2001:db8::ff", "2001:db8::100", "2001:db8:0:1::"),
    *(
        "2001:db9::",
        "fbff::",
        "fc00::",
        "fdff::1",
        "fe80::1",
        "fec0::",
        "feff::",
        "ff00::",
        "ffff::",
    ),
]


@pytest.mark.parametrize("networks", NETWORKS.values(), ids=NETWORKS)
def test_addresses_at_the_edges_of_networks_are_told_as_the_core_tells_them(
    networks: Networks,
) -> None:
    assert sides(pl.Series(EDGES), networks).to_list() == [
        networks.side_of(ip).value for ip in EDGES
    ]
    assert segments(pl.Series(EDGES), networks).to_list() == [
        networks.segment_of(ip) for ip in EDGES
    ]


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(st.ip_addresses().map(str)), st.sampled_from(list(NETWORKS)))
def test_any_addresses_are_told_as_the_core_tells_them(addresses: list[str], name: str) -> None:
    networks = NETWORKS[name]
    texts = pl.Series(addresses, dtype=pl.String)

    assert sides(texts, networks).to_list() == [networks.side_of(ip).value for ip in addresses]
    assert segments(texts, networks).to_list() == [networks.segment_of(ip) for ip in addresses]
