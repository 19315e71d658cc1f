"""Fixtures of several files here."""

from __future__ import annotations

from pathlib import Path

import pytest

from ndr_adapters.sagemaker import wheels
from ndr_entrypoints.commands import pipeline
from tests.makers import flow, write_batch
from tests.storages.folder_run import publish
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


@pytest.fixture
def batch(tmp_path: Path) -> Path:
    return write_batch(tmp_path / "in", [[flow()]])


@pytest.fixture
def output(tmp_path: Path, batch: Path) -> Path:
    """An output that holds a published run, a file beside it that is none of its business."""
    publish(batch, tmp_path / "out")
    (tmp_path / "VICTIM").write_text("precious")
    return tmp_path / "out"
