"""What is kept of a rejected record."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from ndr_core.quality.rules import rule_label

EXAMPLE_CHARACTERS: Final = 200
"""So much of a rejected record is shown in reports: of each rule the least text, whichever engine looks for it."""

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
        return rule_label(self.rule, self.detail or self.field)

    @property
    def example(self) -> str:
        """The beginning of its text."""
        return self.raw[:EXAMPLE_CHARACTERS]
