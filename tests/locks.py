"""Reads what the project's lock files say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from packaging.markers import Marker

ROOT: Final = Path(__file__).parents[1]


def locked(
    lock: str = "requirements.lock", python: str = "3.12"
) -> dict[str, tuple[str, list[str]]]:
    """Version and SHA-256 hashes of each package in a lock, by name. `python`: of two versions, that for this one."""
    blocks = re.findall(
        r"^([a-z0-9-]+)(?:\[[^]]*\])?==(\S+)(?: ; ([^\n]*?))? \\\n((?: +--hash=\S+(?: \\)?\n)+)",
        (ROOT / lock).read_text(),
        re.MULTILINE,
    )
    of_python = {"python_full_version": f"{python}.0"}
    return {
        name: (version, re.findall(r"sha256:([0-9a-f]{64})", hashes))
        for name, version, marker, hashes in blocks
        if not marker or "python_full_version" not in marker or Marker(marker).evaluate(of_python)
    }
