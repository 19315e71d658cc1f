"""Runs the `ndr` command and writes down, in order, which files it syncs, renames and deletes.

`python -m tests.storages.recorded_run RECORD ARGUMENTS..`
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any


def main(record: str, *arguments: str) -> None:
    from ndr_entrypoints.cli import main as ndr

    events: list[str] = []
    fsync = os.fsync

    def named(path: Any, descriptor: int = -1) -> str:
        folder = os.readlink(f"/proc/self/fd/{descriptor}") if descriptor >= 0 else os.getcwd()
        return os.path.join(folder, os.fspath(path))

    def fsync_and_note(fd: Any) -> None:
        fsync(fd)
        events.append(f"sync\t{os.readlink(f'/proc/self/fd/{fd}')}")

    def note(event: str, args: tuple[Any, ...]) -> None:
        if event == "os.rename":
            source, target, source_folder, target_folder = args
            events.append(f"rename\t{named(source, source_folder)}\t{named(target, target_folder)}")
        elif event == "os.remove":
            events.append(f"delete\t{named(*args)}")

    os.fsync = fsync_and_note
    sys.addaudithook(note)
    try:
        ndr(arguments)
    finally:
        Path(record).write_text("\n".join(events))


if __name__ == "__main__":
    main(*sys.argv[1:])
