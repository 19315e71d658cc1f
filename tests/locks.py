"""Reads what the project's lock files say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]


def locked(lock: str = "requirements.lock") -> dict[str, tuple[str, list[str]]]:
    """Version and SHA-256 hashes of each package in a lock, by name."""
    blocks = re.findall(
        r"^([a-z0-9-]+)(?:\[[^]]*\])?==(\S+)[^\n]*\n((?: +--hash=\S+(?: \\)?\n)+)",
        (ROOT / lock).read_text(),
        re.MULTILINE,
    )
    return {
        name: (version, re.findall(r"sha256:([0-9a-f]{64})", hashes))
        for name, version, hashes in blocks
    }
