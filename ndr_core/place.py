"""Places that runs read from and publish to, whatever storage they lie in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from ndr_core.errors import UsageError


class Place(Protocol):
    """A folder, or a prefix in S3; `str` gives its address."""

    def holds(self, other: object) -> bool:
        """Whether `other` is this place or lies below it; never so for a place of another kind."""
        ...


def overlap(one: Place, other: Place) -> bool:
    """Whether one of two places lies in the other, or both are the same."""
    return one.holds(other) or other.holds(one)


def refuse_overlap(sources: Iterable[Place], target: Place) -> None:
    """Raise UsageError where a run would read what runs publish."""
    for source in sources:
        if overlap(source, target):
            raise UsageError(
                f"output {target} and input {source}: one lies in the other, so that a run would "
                "read what runs publish; give an output apart from the input"
            )
