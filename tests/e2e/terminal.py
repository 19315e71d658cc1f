"""What a command shows on a terminal."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import threading
from pathlib import Path


def shown_on_terminal(*arguments: object, columns: int) -> str:
    """Run the `ndr` command with a terminal for its standard error; gives all that it wrote there, without colours."""
    ours, theirs = pty.openpty()
    shown: list[bytes] = []

    def read() -> None:
        try:
            while chunk := os.read(ours, 4096):
                shown.append(chunk)
        except OSError:  # the other end is closed
            return

    reader = threading.Thread(target=read)
    reader.start()
    done = subprocess.run(
        [sys.executable, "-m", "ndr_entrypoints.cli", *map(str, arguments)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "COLUMNS": str(columns), "LINES": "40", "TERM": "xterm"},
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        timeout=120,
    )
    os.close(theirs)
    reader.join()
    os.close(ours)

    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", b"".join(shown).decode())
    assert done.returncode == 0, text
    return text
