"""Which of several records with one key is kept: logs tell of a session again as it grows."""

from __future__ import annotations

from typing import Final

ALSO_EQUAL: Final = "event_name"
"""Records of one key are duplicates where this field is equal too: a threat is no copy of its session."""

LONGEST: Final = ("event_end", "source_bytes", "destination_bytes")
"""The record with the greatest values in these repaired fields is kept, a null below all; of equals the least text."""
