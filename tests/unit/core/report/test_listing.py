"""Values are shown as people read them, whatever their kind."""

from __future__ import annotations

import pytest

from ndr_core.report.listing import UNKNOWN, Column, Kind, Listing, shown_as

COLUMNS = (Column("host", "host", Kind.TEXT), Column("sent", "bytes sent", Kind.BYTES))


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        ("10.0.0.1", Kind.TEXT, "10.0.0.1"),
        (1_741_867_200, Kind.TIME, "2025-03-13 12:00"),
        (1234567, Kind.COUNT, "1,234,567"),
        (0.98765, Kind.NUMBER, "0.988"),
        (1022.04, Kind.NUMBER, "1,022.0"),
        (-0.08, Kind.NUMBER, "-0.080"),
        (0, Kind.BYTES, "0 B"),
        (999, Kind.BYTES, "999 B"),
        (1000, Kind.BYTES, "1.0 kB"),
        (501_000_010, Kind.BYTES, "501.0 MB"),
        (12_345 * 10**18, Kind.BYTES, "12,345.0 EB"),
        *((None, kind, UNKNOWN) for kind in Kind),
    ],
)
def test_a_value_is_shown_by_its_kind(value: object, kind: Kind, text: str) -> None:
    assert shown_as(value, kind) == text


def test_numbers_stand_flush_right_and_texts_and_times_do_not() -> None:
    assert [kind for kind in Kind if kind.is_number] == [Kind.COUNT, Kind.BYTES, Kind.NUMBER]


def test_a_listing_is_plain_data_for_plots() -> None:
    listing = Listing.of(COLUMNS, [["10.0.0.1", 1500], ["10.0.0.2", None]])

    assert listing.to_plain() == {
        "columns": [["host", "host", "text"], ["sent", "bytes sent", "bytes"]],
        "rows": [["10.0.0.1", 1500], ["10.0.0.2", None]],
    }
