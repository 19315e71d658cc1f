"""The table of names: what is read of it, what is refused, and which hosts do not last."""

from __future__ import annotations

import pytest

from ndr_core.baselines.names import HostName, addresses_digest, parse_host_names
from ndr_core.errors import UsageError
from tests.makers import us

HEADER = "ip,name,valid_from,valid_to\n"
NOON = us("2025-03-01T12:00:00Z")


def fleeting(rows: str, *prefixes: str, moment: int = NOON) -> set[str]:
    return set(parse_host_names(HEADER + rows, "names.csv").fleeting(prefixes, moment))


def test_a_row_says_which_name_an_address_has_from_when_to_when() -> None:
    table = parse_host_names(
        HEADER + '10.0.0.1,"a, b",2025-03-01T00:00:00Z,2025-03-02\n2001:DB8::0:1,c,,\n', "x"
    )

    assert table.rows == (
        HostName("10.0.0.1", "a, b", us("2025-03-01T00:00:00Z"), us("2025-03-02T00:00:00Z")),
        HostName("2001:db8::1", "c", None, None),
    )


def test_columns_may_come_in_any_order_with_others_among_them() -> None:
    table = parse_host_names(
        "\ufeffvalid_to, name ,site,ip,valid_from\n\n,a,Bonn,10.0.0.1,\n", "names.csv"
    )

    assert table.rows == (HostName("10.0.0.1", "a", None, None),)


def test_hosts_whose_names_have_one_of_the_beginnings_do_not_last() -> None:
    rows = "10.0.0.1,dhcp-17.example,,\n10.0.0.2,VPN-3,,\n10.0.0.3,server,,\n10.0.0.4,my-dhcp-1,,\n"

    assert fleeting(rows, "DHCP-", "vpn") == {"10.0.0.1", "10.0.0.2"}
    assert fleeting(rows) == set()


def test_a_name_counts_while_it_is_valid() -> None:
    rows = "10.0.0.1,dhcp-1,2025-03-01T12:00:00Z,2025-03-01T13:00:00Z\n"

    assert fleeting(rows, "dhcp", moment=NOON) == {"10.0.0.1"}
    assert fleeting(rows, "dhcp", moment=NOON - 1) == set()
    assert fleeting(rows, "dhcp", moment=us("2025-03-01T13:00:00Z")) == set()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "names.csv, line 1: the header lacks ip, name, valid_from, valid_to; it must name"),
        ("ip,name\n", "names.csv, line 1: the header lacks valid_from, valid_to"),
        (HEADER + "10.0.0.1,a\n", "names.csv, row 2: has 2 fields, and the header 4"),
        (HEADER + "\n10.0.0.x,a,,\n", "names.csv, row 3, ip: '10.0.0.x' is no address"),
        (
            HEADER + "10.0.0.1,a,noon,\n",
            "names.csv, row 2, valid_from: 'noon' is no ISO-8601 time",
        ),
        (HEADER + '10.0.0.1,"a"b,,\n', "names.csv, line 2: is no CSV: "),
    ],
)
def test_what_is_no_table_is_refused_with_file_and_row(text: str, problem: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_host_names(text, "names.csv")

    assert str(error.value).startswith(problem)


def test_a_set_of_addresses_has_one_digest_in_any_order() -> None:
    assert addresses_digest(["b", "a"]) == addresses_digest(["a", "b"])
    assert addresses_digest(["a"]) != addresses_digest(["a", "b"])
