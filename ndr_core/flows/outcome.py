"""What engines note of each line while they read it: what became of it, and its keys for deduplication."""

from __future__ import annotations

from typing import Final

READ: Final = 0
BLANK: Final = 1
MALFORMED: Final = 2
UNFIT: Final = 3
"""What became of a line, in the column `outcome`; UNFIT: it is still to be read carefully."""


def key_column(name: str) -> str:
    """Name the column that holds a source column which only deduplication reads."""
    return f"key:{name}"
