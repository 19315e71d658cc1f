"""What engines note of each line while they read it: what became of it, and its keys for deduplication."""

from __future__ import annotations

from typing import Final

READ: Final = 0
BLANK: Final = 1
MALFORMED: Final = 2
UNFIT: Final = 3
SKIPPED: Final = 4
BAD_VALUE: Final = 5
"""What became of a line, in the column `outcome`.

MALFORMED: no record of the format; UNFIT: it is still to be read carefully; SKIPPED: the mapping does not select it;
BAD_VALUE: a value can't be read, that of the first canonical field at fault, which is in the column `fault`.
"""


def key_column(name: str) -> str:
    """Name the column that holds a source column which only deduplication reads."""
    return f"key:{name}"
