"""Fixtures of several files here."""

from __future__ import annotations

from pathlib import Path

import pytest

from ndr_adapters.sagemaker import wheels
from ndr_entrypoints.commands import pipeline
from tests.storages.wheels import PackageIndex, pin_of, write_wheel


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PackageIndex:
    """A package index with one wheel, which is all that is pinned."""
    file = write_wheel(tmp_path / "index", "tiny")
    wheel = pin_of(file)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(file.parent))
    monkeypatch.setenv("NDR_WHEELS", str(tmp_path / "fetched"))
    for module in (wheels, pipeline):
        monkeypatch.setattr(module, "pinned_wheels", lambda: (wheel,))
    return PackageIndex(wheel, file, tmp_path / "fetched")
