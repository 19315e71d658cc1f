"""What the rows of windows hold, by examples that can be worked out by hand."""

from __future__ import annotations

import pytest

from ndr_core.windows.tables import BEACON
from tests.window_cases import A_DAY_OF_BEACONS, CASES, EVERY_COLUMN, WindowCase, found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_rows_hold_what_was_worked_out_by_hand(case: WindowCase) -> None:
    tables = case.build()

    rows = {(row["role"], row["host_ip"]): row for row in tables.fg_a}
    beacons = {
        (row["peer_ip"], row["peer_port"]): row
        for row in tables.beacons
        if row["host_ip"] == "10.0.0.1"
    }

    for key, expected in case.fg_a.items():
        assert found(rows[key], expected) == expected
    for peer, expected in case.beacons.items():
        assert found(beacons[peer], expected) == expected


def test_every_column_of_windows_has_a_value_worked_out_by_hand() -> None:
    (row,) = (row for row in EVERY_COLUMN.build().fg_a if row["role"] == "outbound")

    assert set(row) == set(EVERY_COLUMN.fg_a["outbound", "10.0.0.1"])
    assert list(row) == [column.name for column in EVERY_COLUMN.plan.fg_a.columns]


def test_every_column_of_beacons_has_a_value_worked_out_by_hand() -> None:
    columns = {column.name for column in BEACON.columns} - {"peer_ip", "peer_port"}

    assert set(A_DAY_OF_BEACONS.beacons["192.0.2.7", 443]) == columns


def test_a_pair_of_too_few_distinct_starts_and_a_multicast_peer_are_no_beacons() -> None:
    beacons = A_DAY_OF_BEACONS.build().beacons

    assert [(row["peer_ip"], row["peer_port"]) for row in beacons] == [
        ("10.0.1.5", 123),
        ("192.0.2.7", 443),
        ("198.51.100.9", None),
    ]


def test_rows_of_external_hosts_are_built_where_the_spec_asks_for_them() -> None:
    assert {row["host_ip"] for row in EVERY_COLUMN.build().fg_a} == {
        "10.0.0.1",
        "10.0.1.5",
        "10.0.1.6",
    }
