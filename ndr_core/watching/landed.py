"""Files as they lie in a landing folder: which of them are data, and to which mini-batch they belong."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Final

from attrs import field, frozen

from ndr_core.flows.file_choice import fits_name
from ndr_core.flows.files import is_hidden
from ndr_core.quality.replay import is_replay

_UNFINISHED: Final = (".tmp", ".temp", ".part", ".partial", ".filepart")
"""Endings of names that programs give to files which they still write, and change once these are whole."""
_LONGEST: Final = 100
"""Of a mini-batch id made from a name: there is room for what tells two contents of one name apart."""


@frozen
class LandedFile:
    """One file below a landing folder, as one look found it. Times are ns since 1970, of the file system's clock."""

    path: str
    """Below the landing folder, with slashes."""
    size_bytes: int
    inode: str
    """Device and inode: the same one under another name after a rename."""
    modified_at: int
    """When its content was last written."""
    changed_at: int
    """When its inode was last changed: by writing, renaming, or setting its times or rights."""
    folder_changed_at: int = 0
    """The latest such moment of the folders that it lies in, of those that were changed by more than names in them."""

    @property
    def place(self) -> str:
        """The name in the landing folder that it lies at or below: that of its mini-batch."""
        return self.path.partition("/")[0]

    @property
    def state(self) -> tuple[str, int, str, int]:
        """Another one when it is written, or another file has its name."""
        return self.path, self.size_bytes, self.inode, self.modified_at

    @property
    def was_moved_in(self) -> bool:
        """Whether it, or a folder around it, was renamed (or got its times or rights set) after the last writing.

        Writing sets both times of a file to the same moment, and a rename sets one of them.
        """
        return max(self.changed_at, self.folder_changed_at) > self.modified_at


@frozen
class Listing:
    """What one look at a landing folder found."""

    files: tuple[LandedFile, ...]
    problems: Mapping[str, str] = field(factory=dict)
    """What can't be looked at -> why."""


def holds_records(path: str, patterns: Sequence[str]) -> bool:
    """Whether a path below a landing folder is one of data.

    Names with a `.` or `_` at their begin are not (`_SUCCESS`), nor those of files that are still written (`.part`),
    nor of a name that fits none of `input.files` (`patterns`).
    """
    names = path.split("/")
    return (
        not is_hidden(path)
        and not any(name.lower().endswith(_UNFINISHED) for name in names)
        and fits_name(names[-1], patterns)
    )


def mini_batch_id_of(place: str) -> str:
    """Make a mini-batch id of a name in the landing folder: the name itself where it can be an id.

    Else what can't be in an id becomes `-`, and a hash of the name follows, so that two names never share one.
    """
    cleaned = re.sub(r"[^A-Za-z0-9._-]+", "-", place).lstrip("._-")[:_LONGEST]
    if cleaned == place and not is_replay(cleaned):
        return cleaned
    hashed = hashlib.sha256(place.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{cleaned or 'mini-batch'}-{hashed}"
