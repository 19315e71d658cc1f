"""As many details go into a page as fit."""

from __future__ import annotations

import pytest

from ndr_core.report.fit import as_json, fitting

DETAILS = [("a", [1, 2]), ("b", [3] * 100), ("c", [])]
WHOLE = len('{"a":[1,2]}')


def test_json_has_no_spaces_and_is_ascii() -> None:
    assert as_json({"a": [1, "é\u2028"]}) == '{"a":[1,"\\u00e9\\u2028"]}'


def test_json_has_no_numbers_that_are_none() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        as_json(float("nan"))


@pytest.mark.parametrize(
    ("most", "hosts"),
    [(0, []), (WHOLE - 1, []), (WHOLE, ["a"]), (200, ["a"]), (1000, ["a", "b", "c"])],
)
def test_the_first_details_are_taken_as_far_as_they_fit(most: int, hosts: list[str]) -> None:
    assert list(fitting(DETAILS, most)) == hosts
