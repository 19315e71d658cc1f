"""Files that hold records are told from others by their names."""

from __future__ import annotations

import pytest

from ndr_core.errors import UsageError
from ndr_core.flows.files import SUFFIXES, is_data, is_hidden


@pytest.mark.parametrize("suffix", [".gz", ".json", ".jsonl", ".ndjson", ".log", ".zst"])
def test_a_file_of_lines_is_data(suffix: str) -> None:
    assert suffix in SUFFIXES
    assert is_data(f"hour=10/part-0{suffix}", "s3://bucket/x")


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
    ],
)
def test_names_that_begin_with_an_underscore_or_a_dot_are_no_data(
    relative: str, hidden: bool
) -> None:
    assert is_hidden(relative) is hidden
    assert is_data(relative.removesuffix(".json") + ".json", "address") is not hidden


@pytest.mark.parametrize("name", ["part.parquet", "part", "part.json.bak", "gz", "part.JSON"])
def test_another_name_is_refused_with_the_address_and_what_to_do(name: str) -> None:
    with pytest.raises(UsageError) as refused:
        is_data(name, f"s3://bucket/{name}")

    assert str(refused.value) == (
        f"input s3://bucket/{name}: not a name of JSON Lines "
        "(.gz, .json, .jsonl, .ndjson, .log, .zst); remove the file or begin its name with '_'"
    )


def test_a_hidden_file_may_have_any_name() -> None:
    assert not is_data("_part.parquet", "address")
