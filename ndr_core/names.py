"""What names of things that become paths or columns may look like."""

from __future__ import annotations

import re
from typing import Final

COLUMN_NAME: Final = r"[a-z][a-z0-9_]{0,63}"
PATH_SEGMENT: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
_COLUMN_NAME: Final = re.compile(COLUMN_NAME)
_PATH_SEGMENT: Final = re.compile(PATH_SEGMENT)

COLUMN_NAME_RULE: Final = (
    "may hold lower-case letters, digits and '_' only, 64 at most, a letter first"
)
PATH_SEGMENT_RULE: Final = (
    "may hold letters, digits, '.', '_' and '-' only, 128 at most, a letter or digit first, "
    "as it becomes part of paths"
)


def is_column_name(name: str) -> bool:
    """Whether a name can be that of a table, a column or a part of one."""
    return _COLUMN_NAME.fullmatch(name) is not None


def is_path_segment(name: str) -> bool:
    """Whether a name can be one segment of an output's path, on disk and in S3."""
    return _PATH_SEGMENT.fullmatch(name) is not None


def whole(pattern: str) -> str:
    """Give the pattern of a whole text, for those who look for a pattern in any part of it."""
    return f"^(?:{pattern})$"
