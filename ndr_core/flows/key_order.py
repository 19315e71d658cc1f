"""In which order an object has its keys: a hint for reading others that are spelt alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

KeyOrder: TypeAlias = "tuple[str | tuple[str, KeyOrder], ...]"
"""The keys of an object, in order; of an inner object that has keys: its key, and their order."""


def key_order(record: Mapping[str, Any]) -> KeyOrder:
    """Give the order of the keys of an object, those of inner objects included, not those in lists."""
    return tuple(
        (key, key_order(value)) if isinstance(value, dict) and value else key
        for key, value in record.items()
    )
