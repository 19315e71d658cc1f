"""Transports have the names that IANA gives their numbers."""

from __future__ import annotations

import pytest

from ndr_core.flows.transports import OTHER_SPELLINGS, TRANSPORT_NAMES


@pytest.mark.parametrize(
    ("number", "name"),
    [
        *((0, "HOPOPT"), (1, "ICMP"), (6, "TCP"), (17, "UDP"), (47, "GRE"), (50, "ESP")),
        *((89, "OSPFIGP"), (103, "PIM"), (112, "VRRP"), (132, "SCTP"), (139, "HIP"), (146, "HOMA")),
    ],
)
def test_a_number_has_the_name_of_iana(number: int, name: str) -> None:
    assert OTHER_SPELLINGS[str(number)] == name
    assert name in TRANSPORT_NAMES


@pytest.mark.parametrize("number", [61, 63, 68, 99, 114, 147, 253, 255, 256])
def test_a_number_without_a_name_is_no_other_spelling(number: int) -> None:
    assert str(number) not in OTHER_SPELLINGS


@pytest.mark.parametrize("spelling", ["58", "IPV6-ICMP", "ICMPV6", "ICMP6"])
def test_icmp_of_ipv6_is_icmp(spelling: str) -> None:
    assert OTHER_SPELLINGS[spelling] == "ICMP"
    assert spelling not in TRANSPORT_NAMES


def test_names_are_in_upper_case_without_blanks() -> None:
    assert all(name == name.upper() and " " not in name for name in TRANSPORT_NAMES)
    assert set(OTHER_SPELLINGS.values()) == TRANSPORT_NAMES
