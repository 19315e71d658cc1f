"""The order of the keys of a record, inner objects included."""

from __future__ import annotations

from ndr_core.flows.key_order import key_order


def test_keys_come_in_their_order_with_those_of_objects_that_have_some() -> None:
    record = {"b": 1, "a": {"d": {}, "c": {"e": None}}, "f": [{"g": 1}]}

    assert key_order(record) == ("b", ("a", ("d", ("c", ("e",)))), "f")
