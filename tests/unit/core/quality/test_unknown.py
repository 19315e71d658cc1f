"""Of values that no measure knows the most frequent ones are told."""

from __future__ import annotations

from ndr_core.quality.unknown import most_frequent


def test_the_most_frequent_values_come_first_and_of_equals_the_first_by_name() -> None:
    found = most_frequent({"event_name": {"b": 1, "a": 1, "c": 2}, "event_action": {"x": 1}})

    assert list(found) == ["event_action", "event_name"]
    assert list(found["event_name"].items()) == [("c", 2), ("a", 1), ("b", 1)]


def test_ten_values_of_a_field_are_told() -> None:
    found = most_frequent({"event_name": {f"{number:02}": number for number in range(30)}})

    assert list(found["event_name"]) == [f"{number:02}" for number in range(29, 19, -1)]


def test_a_field_without_any_is_left_out() -> None:
    assert most_frequent({"event_name": {}}) == {}
