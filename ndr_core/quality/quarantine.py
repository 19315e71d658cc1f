"""What is kept of a rejected record."""

from __future__ import annotations

from typing import Final

from attrs import frozen

QUARANTINE: Final = "quarantine"
"""Folder of rejected records and unreadable files, in a staging place and in an output."""


@frozen
class Quarantined:
    """A rejected record: its rule, the canonical field at fault if one is, and the line's text."""

    rule: str
    field: str | None
    raw: str
