"""What is kept of a rejected record."""

from __future__ import annotations

import json
from typing import Final

from attrs import frozen

from ndr_core.errors import NdrError
from ndr_core.quality.rules import rule_label

QUARANTINE: Final = "quarantine"
"""Folder of rejected records and unreadable files, in a staging place and in an output."""


@frozen
class Quarantined:
    """A rejected record: its rule, the canonical field at fault if one is, the line's text, the rule's detail."""

    rule: str
    field: str | None
    raw: str
    detail: str | None = None

    @property
    def label(self) -> str:
        """The label of the rule that rejected it."""
        return rule_label(self.rule, self.detail)

    @property
    def text(self) -> str:
        """The record as one line of JSON, where it is one."""
        return self.raw

    @classmethod
    def from_line(cls, line: bytes) -> Quarantined:
        """Read a line of a file of rejected records. Raises NdrError for another line."""
        try:
            found = json.loads(line)
            return cls(found["rule"], found.get("field"), found["raw"], found.get("detail"))
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise NdrError("is no file of rejected records") from error
