"""A selection takes the records that fit all of its conditions."""

from __future__ import annotations

from typing import Any

import pytest

from ndr_core.flows.selection import Condition, Selection

NULLS = frozenset({"-"})


@pytest.mark.parametrize(
    ("value", "is_listed", "is_present"),
    [
        ("flow", True, True),
        ("Flow", False, True),
        (6, True, True),
        (6.0, True, True),
        (6.5, False, True),
        (True, True, True),
        (None, False, False),
        ("-", False, False),
        (float("nan"), False, False),
        ({"x": 1}, False, True),
        ([], False, True),
    ],
)
def test_a_condition_is_about_a_value_or_about_there_being_one(
    value: Any, is_listed: bool, is_present: bool
) -> None:
    record = {"log": {"type": value}}
    leaf = ("log", "type")

    assert Condition(leaf, ("flow", "6", "true")).fits(record, NULLS) is is_listed
    assert Condition(leaf, present=True).fits(record, NULLS) is is_present
    assert Condition(leaf, present=False).fits(record, NULLS) is not is_present


def test_all_conditions_must_hold_and_without_any_each_record_fits() -> None:
    both = Selection((Condition(("a",), ("1",)), Condition(("b",), ("2",))))

    assert both.fits({"a": 1, "b": 2}, NULLS)
    assert not both.fits({"a": 1}, NULLS)
    assert Selection().fits({}, NULLS)
