"""What Spark's own processes tell beside what a run says."""

from __future__ import annotations

import re
from typing import Final

_OPTIONS: Final = re.compile(r"^Picked up JAVA_TOOL_OPTIONS: .*\n?", re.MULTILINE)
_DAEMON: Final = re.compile(
    r"^Exception ignored in: <_io.BufferedWriter .*\n"
    r"Traceback .*\n.*/pyspark/daemon.py.*\nBrokenPipeError: .*\n?",
    re.MULTILINE,
)
"""Python 3.13 tells what it can't write as it closes files; the daemon of Python workers loses its JVM."""


def lines_said(text: str) -> list[str]:
    """Give the lines that a run says: without those of a JVM that starts, and of Spark's daemon that ends."""
    return _DAEMON.sub("", _OPTIONS.sub("", text)).splitlines()
