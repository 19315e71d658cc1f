"""Relative paths mean the same folders to processes that work elsewhere, as Python workers of Spark may."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from ndr_adapters.local.sink import FolderSink
from ndr_adapters.local.source import FolderSource
from ndr_core.deltas.tables import PAIR
from tests.makers import flow, write_batch


def test_a_copy_of_a_source_reads_the_same_files_in_another_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_batch(tmp_path / "in", [[flow(), flow()]])
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    source = FolderSource(Path("in"))
    (file,) = source.files(print)

    monkeypatch.chdir(tmp_path / "elsewhere")
    copy: FolderSource = pickle.loads(pickle.dumps(source))

    assert file.uri == "in/part-000.json.gz"
    assert b"".join(copy.blocks(file)).count(b"\n") == 2


def test_files_are_staged_by_a_path_that_means_the_same_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path)

    staging = FolderSink(Path("link/../out")).open_staging("run", [PAIR], print)
    root = Path(staging.root)
    staging.close()

    assert root.is_absolute()
    assert root.parents[1] == tmp_path / "link/../out"
