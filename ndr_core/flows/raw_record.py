"""What a record is before its fields are read: one JSON object, and the texts that are kept of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import frozen


@frozen
class Blank:
    """A line with nothing on it."""


@frozen
class Malformed:
    """A line that is no record of the format; `raw` is its text, cut."""

    raw: str


@frozen
class RawRecord:
    """One record of the input."""

    value: Mapping[str, Any]
    """The object, as `json.loads` gives one."""
    raw: str
    """The record's own text; of a record that has none, the text of its object."""
    object: str | None = None
    """The text of the object, where `raw` is another text."""


def object_text(value: Mapping[str, Any]) -> str:
    """Write an object as JSON: its keys in their order, no blanks, floats as Python writes them."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
