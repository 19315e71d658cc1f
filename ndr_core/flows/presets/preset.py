"""What is known of a source: its mapping, and the forms in which its logs come."""

from __future__ import annotations

from attrs import frozen

from ndr_core.flows.mapping import InputMapping
from ndr_core.flows.presets.form import SourceForm


@frozen
class Preset:
    """A known source, to start a JobSpec from."""

    title: str
    """What the source is called."""
    about: str
    """What is read of it, in one line."""
    links: tuple[str, ...]
    """Where its makers document its fields."""
    mapping: InputMapping
    """How its records are read, in all of its forms."""
    forms: tuple[SourceForm, ...]
    """The forms in which its logs come."""
