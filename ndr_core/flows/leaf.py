"""Where a value lies in the object of a record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final, TypeAlias

from ndr_core.errors import shown

Leaf: TypeAlias = tuple[str, ...]
"""The names on the way to a value: one for a flat column (dots are part of it), more inside objects."""

MAX_LEAF_NAMES: Final = 16
"""Of one path."""


def value_at(record: Mapping[str, Any], leaf: Leaf) -> Any:
    """Give the value at a leaf of a record, whose objects are dicts.

    None where it is absent, also where there is no object on the way.
    """
    value = record.get(leaf[0])
    for name in leaf[1:]:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def holds(record: Mapping[str, Any], leaf: Leaf) -> bool:
    """Whether a record has a value at a leaf, be it null."""
    inner = value_at(record, leaf[:-1]) if len(leaf) > 1 else record
    return isinstance(inner, dict) and leaf[-1] in inner


def leaves_of(record: Mapping[str, Any], most: int) -> tuple[Leaf, ...]:
    """Give all leaves of a record and of its inner objects, at most so many."""
    return tuple(islice(_leaves(record), most))


def _leaves(record: Mapping[str, Any]) -> Iterator[Leaf]:
    for name, value in record.items():
        if isinstance(value, dict) and value:
            yield from ((name, *leaf) for leaf in _leaves(value))
        else:
            yield (name,)


def leaf_text(leaf: Leaf) -> str:
    """A leaf as messages show it: a quoted column, or `[flow, bytes_toserver]`."""
    return shown(leaf[0]) if len(leaf) == 1 else f"[{', '.join(leaf)}]"
