"""A run does not read what runs publish."""

from __future__ import annotations

import pytest

from ndr_core.errors import UsageError
from ndr_core.place import refuse_overlap
from tests.unit.core.fakes import MemoryPlace


@pytest.mark.parametrize(
    ("source", "target"), [("/a", "/a"), ("/a", "/a/out"), ("/a/in", "/a"), ("/a", "/a/b/c")]
)
def test_places_of_which_one_lies_in_the_other_are_refused_and_both_named(
    source: str, target: str
) -> None:
    with pytest.raises(UsageError, match=rf"^output {target} and input {source}: one lies in"):
        refuse_overlap([MemoryPlace("/elsewhere"), MemoryPlace(source)], MemoryPlace(target))


@pytest.mark.parametrize(("source", "target"), [("/a", "/b"), ("/a/in", "/a/out"), ("/a", "/ab")])
def test_places_apart_are_not_refused(source: str, target: str) -> None:
    refuse_overlap([MemoryPlace(source)], MemoryPlace(target))


def test_without_a_source_there_is_nothing_to_refuse() -> None:
    refuse_overlap([], MemoryPlace("/a"))
