"""A form in which the logs of a source come: how they are told, and what a JobSpec says of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import field, frozen

from ndr_core.flows.leaf import Leaf

FORMAT_KEYS: Final = ("format", "separator", "header")
"""Keys of `input` that say how files are read, the format first."""


@frozen
class SourceForm:
    """One way in which a source, or its usual forwarder, writes its logs."""

    name: str
    """What users call it, such as tsv."""
    about: str
    """What it is, in one line."""
    marks: tuple[tuple[Leaf, ...], ...]
    """Places where values lie by which its records are told: of each group, records have at least one."""
    settings: Mapping[str, Any] = field(factory=dict, hash=False)
    """Keys of a JobSpec's `input` that it needs beside the preset, as people write them."""
    files: tuple[str, ...] = ()
    """Patterns of the usual names of its files, for folders that hold other logs too."""
    repeats: tuple[str, ...] = ()
    """Patterns of the usual names of files with records that its other files have, too."""
    session_key: tuple[str, ...] = ()
    """Columns that name a session, where the source logs one several times as it grows."""

    any_layout: bool = False
    """Whether its lines may have other separators, and its header may be absent: the settings are the usual ones."""

    def is_form_of(self, settings: Mapping[str, Any], leaves: frozenset[Leaf]) -> bool:
        """Whether logs that are read by these settings of a format, and have these places, are of this form."""
        return self.is_read_as(settings) and all(leaves.intersection(group) for group in self.marks)

    def is_read_as(self, settings: Mapping[str, Any]) -> bool:
        """Whether its files are read by these settings of a format."""
        keys = FORMAT_KEYS[:1] if self.any_layout else FORMAT_KEYS
        return all(self.settings.get(key) == settings.get(key) for key in keys)
