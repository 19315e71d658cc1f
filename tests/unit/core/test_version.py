"""The version is in one place, and the changelog tells of it."""

from __future__ import annotations

from pathlib import Path

from ndr_core.version import __version__

CHANGELOG = Path(__file__).parents[3] / "CHANGELOG.md"


def test_the_changelog_has_a_chapter_for_the_version() -> None:
    assert f"\n## {__version__}" in CHANGELOG.read_text()
