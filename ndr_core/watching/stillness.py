"""Which files of a landing folder are finished: they lie still for a while, or were moved in whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from attrs import define, field, frozen

from ndr_core.watching.landed import LandedFile

_NS: Final = 1_000
"""Nanoseconds of a microsecond."""


@frozen
class Moment:
    """A moment by two clocks, us."""

    wall: int
    """Since 1970: what the times of files are compared with."""
    steady: int
    """Of a clock that is never set: by it lengths of time are measured."""


@frozen
class Finished:
    """What of a listing can be read, and when to look again."""

    files: tuple[LandedFile, ...]
    growing: tuple[LandedFile, ...]
    """Files that may still be written."""
    wait: int | None
    """us until the first of these may be finished; None where there are none."""


@define
class Stillness:
    """Remembers since when files lie still, from look to look."""

    settle: int
    """us for which size and time of a file must stay what they are."""
    _since: dict[str, tuple[tuple[str, int, str, int], int]] = field(factory=dict, init=False)

    def look(self, files: Iterable[LandedFile], now: Moment) -> Finished:
        """Tell which files are finished.

        A file is finished once it was moved in, or once its last writing lies `settle` back; where its time can't tell,
        as clocks differ, once it was seen to be the same for so long. So one look is enough for files that lie there.
        """
        before, self._since = self._since, {}
        finished, growing, waits = [], [], []
        for file in files:
            state, since = before.get(file.path, (None, now.steady))
            if state != file.state:
                since = now.steady
            self._since[file.path] = (file.state, since)
            left = self._left(file, since, now)
            if left > 0:
                growing.append(file)
                waits.append(left)
            else:
                finished.append(file)
        return Finished(tuple(finished), tuple(growing), min(waits, default=None))

    def _left(self, file: LandedFile, since: int, now: Moment) -> int:
        """us until a file is finished; 0 or less where it is."""
        if file.was_moved_in:
            return 0
        seen_for = now.steady - since
        lies_for = now.wall - file.modified_at // _NS
        return self.settle - max(seen_for, lies_for)
