"""Odd files and folders in a folder's output: links that lead out, disks mounted into it, names of any kind."""

from __future__ import annotations

import errno
import gzip
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ndr_adapters.local.manifests import read_manifests
from ndr_adapters.local.sink import FolderSink
from ndr_core.deltas.tables import PAIR
from ndr_core.errors import NdrError, UsageError
from ndr_core.flows.source import InputFile
from ndr_core.publishing.sink import Publication
from tests.e2e.cli import rows, snapshot
from tests.storages.folder_run import publish, put, told_by_publishing


@pytest.mark.parametrize("where", ["delta", "failed", "_locks", "_staging", "_manifests"])
def test_a_folder_of_the_output_that_is_a_link_to_elsewhere_is_refused_before_any_work(
    tmp_path: Path, batch: Path, where: str
) -> None:
    output = tmp_path / "out"
    (tmp_path / "elsewhere").mkdir()
    output.mkdir()
    (output / where).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="a link leads out of the output"):
        publish(batch, output)
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("where", ["delta", "_manifests"])
def test_a_partition_that_is_a_link_to_elsewhere_fails_the_run_before_a_file_moves(
    tmp_path: Path, batch: Path, where: str
) -> None:
    output = tmp_path / "out"
    (tmp_path / "elsewhere").mkdir()
    (output / where).mkdir(parents=True)
    (output / where / "feature_spec_version=v1").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NdrError, match="a link leads out of the output"):
        publish(batch, output)
    assert not list((tmp_path / "elsewhere").iterdir())
    assert not (output / "pair").exists()


def test_the_output_itself_may_be_a_link(tmp_path: Path, batch: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    for _ in range(2):
        assert told_by_publishing(batch, tmp_path / "out") == []
    assert len(rows(tmp_path / "out")[0]) == 2


def test_a_lock_that_is_a_link_changes_no_file(batch: Path, output: Path) -> None:
    (output / "_lock").unlink()
    (output / "_lock").symlink_to(output.parent / "VICTIM")
    with pytest.raises(UsageError, match="can't be written"):
        publish(batch, output)
    assert (output.parent / "VICTIM").read_text() == "precious"


def test_renaming_across_file_systems_is_an_error_with_advice_and_leaves_nothing(
    batch: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, replace = snapshot(output), os.replace

    def across(source: Any, target: Any) -> None:
        if "/pair/" in str(target):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        replace(source, target)

    with monkeypatch.context() as devices:
        devices.setattr(os, "replace", across)
        with pytest.raises(
            NdrError, match=r"is on another file system than .* put the whole output"
        ):
            publish(batch, output)
    assert snapshot(output) == before


@pytest.mark.parametrize("where", ["delta", "pair/feature_spec_version=v1"])
def test_a_disk_mounted_into_the_output_is_an_error_with_advice(
    tmp_path: Path, batch: Path, where: str
) -> None:
    output = tmp_path / "out"
    mounted = output / where
    mounted.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "none", str(mounted)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting is not permitted here")
    try:
        with pytest.raises(NdrError) as caught:
            publish(batch, output)
        assert f"{mounted}" in str(caught.value)
        assert "is on another file system than" in str(caught.value)
        assert f"put the whole output{' ' + str(output) if '/' in where else ''} on one" in str(
            caught.value
        )
        assert not [path for path in snapshot(output) if not path.startswith("_")]
    finally:
        subprocess.run(["umount", str(mounted)], check=True)


ODD_NAMES = [
    "x" * 230 + ".json.gz",
    "tab\tline\n.json.gz",
    b"latin-\xe9.json.gz",
    "a\\b:c?.json.gz",
]


@pytest.mark.parametrize("name", ODD_NAMES, ids=["long", "control", "no UTF-8", "reserved"])
def test_a_broken_file_of_any_name_is_kept_under_one_that_is_valid_everywhere(
    batch: Path, output: Path, name: str | bytes
) -> None:
    broken = batch / os.fsdecode(name)
    broken.write_bytes(gzip.compress(b"x" * 1000)[:-5])
    done = publish(batch, output, quality={"on_unreadable_file": "quarantine"})
    kept = [file.path for file in done.manifest.files if "/unreadable-" in file.path]
    assert len(kept) == 1
    stored = kept[0].rpartition("/")[2]
    assert re.fullmatch(r"unreadable-00000-[0-9a-f]{12}-[A-Za-z0-9._-]{1,120}", stored)
    assert stored.endswith(".json.gz")
    assert (output / kept[0]).read_bytes() == broken.read_bytes()


def test_what_is_no_file_or_can_not_be_opened_is_named_and_not_copied(
    batch: Path, output: Path
) -> None:
    """As inputs go, whoever lists them: nothing here blocks, nothing fails the run."""
    os.mkfifo(batch / "fifo.json")
    (batch / "dangling.json").symlink_to("nowhere")
    (batch / "folder.json").mkdir()
    broken = put(batch / "broken.json.gz", b"\x1f\x8b no gzip")
    odd = [batch / "fifo.json", batch / "dangling.json", batch / "folder.json", Path("/dev/null")]
    notices: list[str] = []
    staging = FolderSink(output).open_staging("run", [PAIR], notices.append)
    (manifest,) = read_manifests(output)
    files = tuple(InputFile(str(path), 0) for path in (*odd, broken))
    published = staging.publish(Publication(manifest.facts, (PAIR,), {}, unreadable=files))
    staging.close()
    kept = [file.path for file in published.files if "/unreadable-" in file.path]
    assert [(output / path).read_bytes() for path in kept] == [b"\x1f\x8b no gzip"]
    assert [notice.partition(": ")[0] for notice in notices] == [repr(str(path)) for path in odd]
