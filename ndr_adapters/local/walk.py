"""The files below a folder, by whatever links, each once."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator

from attrs import define, field, frozen

from ndr_core.errors import printable

_FileId = tuple[int, int]
"""Device and inode: two paths that have the same one lead to the same file."""


@frozen
class Entry:
    """What lies at a path: a file, or something that can't be looked into (`problem` says why)."""

    path: str
    problem: str | None = None


def walk(
    root: str, left_out: Callable[[str], bool], notice: Callable[[str], None]
) -> Iterator[Entry]:
    """Everything below a folder but folders, sorted by name within each; links to folders are followed.

    `left_out`: names to pass over. A folder or file to which several links lead, or a link back up, is met
    once; `notice` hears of the other ways to it.
    """
    status = os.stat(root)
    yield from _Walk(left_out, notice).below(root, [(status.st_dev, status.st_ino)], linked=False)


@define
class _Walk:
    left_out: Callable[[str], bool]
    notice: Callable[[str], None]
    folders: dict[_FileId, str] = field(factory=dict)
    files: dict[_FileId, tuple[str, bool]] = field(factory=dict)
    """Path, and whether a link leads there."""

    def below(self, folder: str, above: list[_FileId], *, linked: bool) -> Iterator[Entry]:
        self.folders[above[-1]] = folder
        try:
            with os.scandir(folder) as found:
                names = sorted(entry.name for entry in found)
        except OSError as error:
            yield Entry(folder, f"can't be listed: {error.strerror or error}")
            return
        for name in names:
            if not self.left_out(name):
                yield from self._entry(f"{folder}/{name}", above, linked)

    def _entry(self, path: str, above: list[_FileId], linked: bool) -> Iterator[Entry]:
        try:
            status = os.stat(path)
        except OSError:
            yield Entry(path)  # a link to nowhere, say: whoever opens it gets the error
            return
        place = (status.st_dev, status.st_ino)
        linked = linked or os.path.islink(path)
        if stat.S_ISDIR(status.st_mode):
            if place in above:
                self._tell(path, "leads back to a folder that it lies in; it is not followed")
            elif place in self.folders:
                self._tell(
                    path, f"is the folder {printable(self.folders[place])}, which is read there"
                )
            else:
                yield from self.below(path, [*above, place], linked=linked)
            return
        first, first_linked = self.files.setdefault(place, (path, linked))
        if first != path and (linked or first_linked):
            self._tell(path, f"is the file {printable(first)}, which is read there")
            return
        yield Entry(path)

    def _tell(self, path: str, text: str) -> None:
        self.notice(f"{printable(path)}: {text}")
