"""The notes of a watcher in an output's folder: one file, a line for each attempt."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from attrs import define, field

from ndr_adapters.full_disk import full_disk_named
from ndr_adapters.local.durable import make_folder, sync_folders, write_file
from ndr_core.watching.attempts import Attempt, read_notes

WATCH: Final = "_watch"
"""Folder of what a watcher keeps in an output."""
_NOTES: Final = "attempts.jsonl"


@define
class NotesFile:
    """Notes below an output. One process writes them: whoever holds the watcher's lock."""

    output: Path
    _known: dict[str, Attempt] | None = field(default=None, init=False)
    """Run id -> its last note."""
    _lines: int = field(default=0, init=False)

    @property
    def path(self) -> Path:
        """The file."""
        return self.output / WATCH / _NOTES

    def attempts(self) -> Sequence[Attempt]:
        return list(self._read_once().values())

    def add(self, attempt: Attempt) -> None:
        known = self._read_once()
        line = attempt.to_line().encode()
        with full_disk_named(self.path), self.path.open("r+b") as stream:
            end = stream.seek(0, os.SEEK_END)
            if end:
                stream.seek(end - 1)
                if stream.read(1) != b"\n":  # a loss of power has cut the last line
                    line = b"\n" + line
            stream.write(line)
            stream.flush()
            os.fsync(stream.fileno())
        known[attempt.run_id] = attempt
        self._lines += 1

    def keep(self, attempts: Iterable[Attempt]) -> None:
        """Leave these notes and no others, where that halves the file at least: it must not grow for ever."""
        kept = list(attempts)
        self._read_once()
        if 2 * len(kept) > self._lines:
            return
        new = self.path.with_suffix(".new")
        write_file(new, "".join(attempt.to_line() for attempt in kept))
        os.replace(new, self.path)
        sync_folders([self.path.parent])
        self._known = _by_run(kept)
        self._lines = len(kept)

    def _read_once(self) -> dict[str, Attempt]:
        if self._known is None:
            self._known = self._read()
        return self._known

    def _read(self) -> dict[str, Attempt]:
        if not self.path.exists():
            changed = make_folder(self.path.parent)
            write_file(self.path, "")
            sync_folders({self.path.parent, *changed})
        text = self.path.read_text(encoding="utf-8", errors="replace")
        lines = text.splitlines()
        self._lines = len(lines)
        return _by_run(read_notes(lines))


def _by_run(attempts: Iterable[Attempt]) -> dict[str, Attempt]:
    return {attempt.run_id: attempt for attempt in attempts}
