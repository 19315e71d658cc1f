"""What is noted of each mini-batch before it is built: of which files, with which content.

Notes say what was tried, never what was done: a note counts once a published run has its run id, or when all that its
run was for was pruned. Of several notes of a run the last one counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from attrs import asdict, frozen
from cattrs import Converter

HEAD_BYTES: Final = 1024
"""So many first bytes of a file are hashed to find those that begin alike."""
_CONVERTER: Final = Converter(detailed_validation=False)


@frozen
class Source:
    """A finished file, with what tells its content."""

    path: str
    """Below the landing folder."""
    size_bytes: int
    inode: str
    modified_at: int
    """ns since 1970."""
    fingerprint: str
    """As the manifest of a run has it of an input file: made of content alone."""
    head: str
    """Hash of its first HEAD_BYTES; empty for a file with fewer."""

    @property
    def state(self) -> tuple[str, int, str, int]:
        """As `LandedFile.state`."""
        return self.path, self.size_bytes, self.inode, self.modified_at


@frozen
class Attempt:
    """A run that was begun."""

    mini_batch_id: str
    run_id: str
    sources: tuple[Source, ...]
    covers: tuple[str, ...] = ()
    """Fingerprints of former contents that the sources begin with: what was counted of them, this run counts."""
    until: int | None = None
    """The end of the last slice that it was for, or has rows in, us; None before it is published, and of no slice."""

    def is_pruned(self, first: int) -> bool:
        """Whether it was published, and all its slices lie before the first one that prune has left, us."""
        return self.until is not None and self.until <= first

    @property
    def written(self) -> int:
        """When the last of its files was written, us since 1970."""
        return max(source.modified_at for source in self.sources) // 1_000

    def to_line(self) -> str:
        """Give the note as one line of JSON, with its line feed."""
        return json.dumps(asdict(self), separators=(",", ":")) + "\n"


def read_notes(lines: Iterable[str]) -> Iterator[Attempt]:
    """Read notes. A line that is none, as one that a loss of power has cut, is passed over: its run never began."""
    for line in lines:
        try:
            data: Any = json.loads(line)
            yield _CONVERTER.structure(data, Attempt)
        except Exception:  # noqa: S112 - whatever half a line leads a converter to
            continue
