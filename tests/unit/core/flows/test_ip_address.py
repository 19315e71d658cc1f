"""One text for each address, whatever way it is written."""

from __future__ import annotations

import ipaddress
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.flows.ip_address import CANONICAL_IPV4, canonical_ip


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("0.0.0.0", "0.0.0.0"),
        ("255.255.255.255", "255.255.255.255"),
        ("2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),  # one zero group stays
        ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),  # the longest run
        ("1:0:0:2:3:0:0:4", "1::2:3:0:0:4"),  # the first of equal runs
        ("0:0:1:1:1:1:1:1", "::1:1:1:1:1:1"),
        ("1:1:1:1:1:1:0:0", "1:1:1:1:1:1::"),
        ("0001:0020:0300:4000:5:6:7:8", "1:20:300:4000:5:6:7:8"),
        ("::ffff:192.0.2.1", "192.0.2.1"),  # stands for an address of IPv4
        ("0:0:0:0:0:FFFF:c000:201", "192.0.2.1"),
        ("::ffff:0:0", "0.0.0.0"),
        ("::fffe:192.0.2.1", "::fffe:c000:201"),
        ("::192.0.2.1", "::c000:201"),
        ("::1:ffff:192.0.2.1", "::1:ffff:c000:201"),
        ("fe80::1%eth0", "fe80::1"),
        ("FE80::1%12", "fe80::1"),
        ("::ffff:192.0.2.1%lo", "192.0.2.1"),
        ("fe80::1%a:b.c-d_e~f!", "fe80::1"),
        ("::", "::"),
        ("::1", "::1"),
        ("192.0.2.1/32", None),
        ("192.0.2", None),
        ("192.0.2.256", None),
        ("192.0.2.01", None),
        ("192.0.2.1\n", None),
        (" 192.0.2.1", None),
        ("192.0.2.\u0661", None),
        ("fe80::1%", None),
        ("fe80::1%eth0%1", None),
        ("fe80::1%eth 0", None),
        ("fe80::1%\u00e9", None),
        ("fe80::1%eth0\n", None),
        ("192.0.2.1%eth0", None),
        ("192.0.2.1%eth:0", None),
        ("%eth:0", None),
        ("fe80::1\n", None),
        ("1::2::3", None),
        ("12345::", None),
        ("1:2:3:4:5:6:7", None),
        (":", None),
        ("1.2.3.4.5", None),
        ("-", None),
        ("", None),
        (None, None),
    ],
)
def test_canonical_addresses(text: str | None, canonical: str | None) -> None:
    assert canonical_ip(text) == canonical


@settings(max_examples=50, deadline=None)
@given(st.ip_addresses(v=6))
def test_any_way_to_write_an_address_gives_one_text_that_stands_for_it(
    address: ipaddress.IPv6Address,
) -> None:
    canonical = canonical_ip(address.exploded)

    assert canonical is not None
    assert ipaddress.ip_address(canonical) == (address.ipv4_mapped or address)
    assert {canonical_ip(text) for text in (str(address), canonical, f"{address}%eth0")} == {
        canonical
    }


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(["0", "00", "07", "7", "99", "100", "255", "256"]), max_size=5))
def test_the_pattern_matches_just_the_canonical_ipv4_addresses(octets: list[str]) -> None:
    text = ".".join(octets)

    assert (re.fullmatch(CANONICAL_IPV4, text) is not None) == (canonical_ip(text) == text)


@pytest.mark.parametrize(
    ("octet", "matches"),
    [
        *((octet, True) for octet in ("0", "9", "10", "99", "100", "199")),
        *((octet, True) for octet in ("200", "249", "250", "255")),
        *((octet, False) for octet in ("256", "260", "300", "00", "01", "1000", "")),
    ],
)
def test_the_pattern_knows_the_range_of_an_octet(octet: str, matches: bool) -> None:
    for text in (f"{octet}.1.1.1", f"1.1.1.{octet}"):
        assert (re.fullmatch(CANONICAL_IPV4, text) is not None) is matches
