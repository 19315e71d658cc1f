"""Which addresses are the own ones, and in which segment each lies."""

from __future__ import annotations

import pytest

from ndr_core.features.networks import Cidr, Networks, Side, numbered, parse_cidr

DEFAULT = Networks()


@pytest.mark.parametrize(
    "ip",
    [
        "10.0.0.0",
        "10.255.255.255",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.7.7",
        "100.64.0.1",
        "100.127.255.255",
        "169.254.1.1",
        "127.0.0.1",
        "fc00::1",
        "fdff::1",
        "fe80::1",
        "febf::1",
        "::1",
    ],
)
def test_private_shared_link_local_and_loopback_addresses_are_internal(ip: str) -> None:
    assert DEFAULT.side_of(ip) is Side.INTERNAL


@pytest.mark.parametrize(
    "ip",
    [
        "9.255.255.255",
        "11.0.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "100.128.0.0",
        "223.255.255.255",
        "240.0.0.1",
        "0.0.0.1",
        "2001:db8::1",
        "::2",
        "fec0::1",
    ],
)
def test_other_addresses_are_external(ip: str) -> None:
    assert DEFAULT.side_of(ip) is Side.EXTERNAL


@pytest.mark.parametrize(
    "ip",
    ["224.0.0.0", "239.255.255.255", "255.255.255.255", "ff02::fb", "0.0.0.0", "::"],
)
def test_addresses_of_no_single_host_are_neither(ip: str) -> None:
    assert DEFAULT.side_of(ip) is Side.NEITHER
    assert Networks(internal=("0.0.0.0/0", "::/0")).side_of(ip) is Side.NEITHER


def test_configured_networks_stand_for_the_default_ones() -> None:
    networks = Networks(internal=("203.0.113.0/24",))

    assert networks.side_of("203.0.113.9") is Side.INTERNAL
    assert networks.side_of("10.0.0.1") is Side.EXTERNAL


def test_an_address_belongs_to_the_smallest_configured_network_that_holds_it() -> None:
    networks = Networks(
        segments={"site": ("10.0.0.0/8", "2001:db8::/32"), "servers": ("10.1.0.0/16",)}
    )

    assert networks.segment_of("10.1.2.3") == "servers"
    assert networks.segment_of("10.2.2.3") == "site"
    assert networks.segment_of("2001:db8::1") == "site"


def test_an_address_of_no_configured_network_belongs_to_its_24_or_64_bits() -> None:
    assert DEFAULT.segment_of("192.0.2.200") == "192.0.2.0/24"
    assert DEFAULT.segment_of("2001:db8:1:2:3::4") == "2001:db8:1:2::/64"


def test_a_network_holds_its_first_and_its_last_address_of_its_own_version() -> None:
    cidr = parse_cidr("10.1.0.0/16")

    assert cidr == Cidr(4, 16, 10 << 24 | 1 << 16)
    assert cidr.holds(*numbered("10.1.0.0"))
    assert cidr.holds(*numbered("10.1.255.255"))
    assert not cidr.holds(*numbered("10.2.0.0"))
    assert not cidr.holds(6, cidr.first)
    assert parse_cidr("2001:db8::/32").last == numbered("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff")[1]


@pytest.mark.parametrize(
    ("networks", "problem"),
    [
        (Networks(internal=()), "internal: needs at least one network"),
        (
            Networks(internal=("10.0.0.1/8",)),
            "internal: '10.0.0.1/8' is no network such as 10.1.0.0/16 or 2001:db8::/32: "
            "10.0.0.1/8 has host bits set",
        ),
        (
            Networks(internal=("10.0.0.0",)),
            "internal: '10.0.0.0' is no network such as 10.1.0.0/16 or 2001:db8::/32",
        ),
        (
            Networks(internal=("10.0.0.0/8",) * 10_001),
            "internal: has 10001 entries; at most 10000 are possible",
        ),
        (
            Networks(segments={"a": ("10.0.0.0/33",)}),
            "segments.a: '10.0.0.0/33' is no network such as 10.1.0.0/16 or 2001:db8::/32: "
            "'10.0.0.0/33' does not appear to be an IPv4 or IPv6 network",
        ),
        (
            Networks(segments={"a/b": ("10.0.0.0/8",)}),
            "segments.a/b: the name may hold letters, digits, '.', '_' and '-' only, 128 at most, "
            "a letter or digit first",
        ),
        (
            Networks(segments={"a": ("10.0.0.0/8",), "b": ("10.0.0.0/8",)}),
            "segments.b: 10.0.0.0/8 is also in segment 'a'; name it once",
        ),
        (
            Networks(segments={f"s{number}": () for number in range(10_001)}),
            "segments: has 10001 entries; at most 10000 are possible",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_key(networks: Networks, problem: str) -> None:
    assert list(map(str, networks.problems())) == [problem]


def test_default_networks_have_no_problems() -> None:
    assert DEFAULT.problems() == []


def test_networks_that_are_written_otherwise_mean_the_same() -> None:
    one = Networks(("fc00::/7", "10.0.0.0/8"), {"b": ("10.2.0.0/16",), "a": ("FC00::/64",)})
    other = Networks(
        ("10.0.0.0/8", "FC00::/7", "fc00::/7"), {"a": ("fc00::/64",), "b": ("10.2.0.0/16",)}
    )

    assert one.meaning() == other.meaning()
    assert one.meaning() != DEFAULT.meaning()
    assert one.to_plain()["internal"] == ["fc00::/7", "10.0.0.0/8"]
