"""How much of the hosts' details fits into a page."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any


def as_json(data: Any) -> str:
    """Give data as JSON text in ASCII, without spaces."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False)


def fitting(details: Iterable[tuple[str, Any]], most_bytes: int) -> dict[str, Any]:
    """Give the first details, by host, that take at most so many bytes together as JSON.

    `details`: host, and JSON-ready data. Details that come after the first one that does not fit are left out, too.
    """
    found: dict[str, Any] = {}
    left = most_bytes
    for host, detail in details:
        left -= len(as_json({host: detail}))
        if left < 0:
            break
        found[host] = detail
    return found
