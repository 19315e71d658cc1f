"""A row of a Parquet file stands for an object, type by type."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ndr_core.flows.parquet_rows import (
    ArrayOf,
    MapOf,
    ObjectOf,
    RowType,
    Scalar,
    TimeIn,
    Unit,
    row_object,
    time_text,
    type_problem,
)
from ndr_core.flows.raw_record import object_text

NOON_US = 1_740_823_200_000_000


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        (Scalar.PLAIN, "é", "é"),
        (Scalar.PLAIN, 2**64 - 1, 2**64 - 1),
        (Scalar.PLAIN, True, True),
        (Scalar.PLAIN, None, None),
        (Scalar.FLOAT, 6.0, 6.0),
        (Scalar.FLOAT, float("nan"), None),
        (Scalar.FLOAT, float("-inf"), None),
        (TimeIn(Unit.US), NOON_US + 1, "2025-03-01T10:00:00.000001Z"),
        (TimeIn(Unit.US, is_local=True), NOON_US, "2025-03-01T10:00:00.000000"),
        (TimeIn(Unit.MS), NOON_US // 1000, "2025-03-01T10:00:00.000000Z"),
        (TimeIn(Unit.MS), 2**54, "18014398509481984000Z"),
        (TimeIn(Unit.NS), -1, "1969-12-31T23:59:59.999999Z"),
        (TimeIn(Unit.US), None, None),
        (Scalar.DECIMAL, Decimal("0E-10"), "0.0000000000"),
        (Scalar.DECIMAL, Decimal("-12.50"), "-12.50"),
        (Scalar.BINARY, b"\x00\xff", "00ff"),
        (ArrayOf(Scalar.FLOAT), [1.5, float("inf"), None], [1.5, None, None]),
        (ArrayOf(Scalar.PLAIN), None, None),
        (MapOf(Scalar.BINARY), {"a": b"\x01"}, {"a": "01"}),
        (
            ObjectOf({"ip": Scalar.PLAIN, "at": TimeIn(Unit.US)}),
            {"ip": "192.0.2.1", "at": 0},
            {"ip": "192.0.2.1", "at": "1970-01-01T00:00:00.000000Z"},
        ),
        (ObjectOf({"a": Scalar.PLAIN}), None, None),
    ],
)
def test_a_value_is_read_by_its_type(kind: RowType, value: Any, read: Any) -> None:
    assert row_object({"column": value}, ObjectOf({"column": kind})) == {"column": read}


def test_the_object_has_the_columns_in_their_order() -> None:
    types = ObjectOf({"z": Scalar.PLAIN, "a": ObjectOf({"y": Scalar.PLAIN, "b": Scalar.FLOAT})})

    value = row_object({"a": {"b": 0.1, "y": 1}, "z": "x"}, types)

    assert object_text(value) == '{"z":"x","a":{"y":1,"b":0.1}}'


@pytest.mark.parametrize(
    ("time_us", "text"),
    [
        (-1, "1969-12-31T23:59:59.999999"),
        (-62_135_596_800_000_000, "0001-01-01T00:00:00.000000"),
        (253_402_300_799_999_999, "9999-12-31T23:59:59.999999"),
        (253_402_300_800_000_000, "253402300800000000"),
        (-(2**63), "-9223372036854775808"),
    ],
)
def test_a_time_out_of_the_calendar_is_its_number(time_us: int, text: str) -> None:
    assert time_text(time_us) == text


def test_a_column_of_another_type_is_named() -> None:
    assert type_problem("day", "Date") == (
        "its column 'day' is of the type Date, which stands for no value of JSON; "
        "write it as text, a number or a timestamp"
    )
