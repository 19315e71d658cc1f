"""Files that hold records are told from others by their names."""

from __future__ import annotations

import pytest

from ndr_core.flows.files import is_hidden


@pytest.mark.parametrize(
    ("relative", "hidden"),
    [
        ("_SUCCESS", True),
        (".part.json", True),
        ("_temporary/part.json", True),
        ("a/.git/part.json", True),
        ("a/b/_part.json", True),
        ("a_b/c.d.json", False),
        ("part.json", False),
        ("part.parquet", False),
        ("conn.2025-03-01.log", False),
        ("part", False),
        ("part.JSON.bak", False),
    ],
)
def test_names_that_begin_with_an_underscore_or_a_dot_are_no_data_and_all_others_are(
    relative: str, hidden: bool
) -> None:
    assert is_hidden(relative) is hidden
