"""`ndr migrate`: an output of the version before, whose runs owned whole slices, is taken over whenever it dies."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from ndr_adapters.local.manifests import read_manifests
from ndr_adapters.local.migrate import FORMER, migrate_folder
from ndr_core.deltas.meaning import MEANING_VERSION
from ndr_core.errors import NdrError, UsageError
from ndr_core.publishing.manifest import Manifest
from tests.e2e.cli import ndr, rows
from tests.makers import flow, write_batch
from tests.storages.folder_runs import die_before, publish_unbound, run_apart

WITHOUT_SPARK = True

LATER = flow(event_start="2025-03-01T10:20:00Z", event_end=None)


def in_former_format(manifest: Manifest, sequence: int) -> dict[str, Any]:
    """What the version before would have written of a run."""
    plain = manifest.to_plain()
    facts = {
        key: value
        for key, value in plain["facts"].items()
        if key not in {"derived_id", "bounds", "inputs", "meaning"}
    }
    files = [{"folder": file.folder, **_plain(file)} for file in manifest.files]
    folders = sorted({file["folder"] for file in files})
    token = manifest.token
    return {
        "sequence": sequence,
        "token": token,
        "facts": facts,
        "folders": folders,
        "files": files,
    }


def _plain(file: Any) -> dict[str, Any]:
    return {"path": file.path, "rows": file.rows, "bytes": file.bytes, "sha256": file.sha256}


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Two runs, of which one has two slices, in the former format."""
    output = tmp_path / "out"
    publish_unbound(write_batch(tmp_path / "a", [[flow(), LATER]]), output, "a")
    last: list[Any] = [flow(event_start="2025-03-01T11:00:00Z", event_end=None), "bad"]
    publish_unbound(write_batch(tmp_path / "b", [last]), output, "b")
    manifests = read_manifests(output)
    folder = output / "_manifests"
    for path in folder.rglob("*.json"):
        path.unlink()
    for number, manifest in enumerate(manifests, 1):
        former = in_former_format(manifest, number)
        (folder / f"{number:012}.json").write_text(json.dumps(former))
    return output


def columns_of(_: str) -> dict[str, str]:
    return {"host_ip": "string"}


def test_rows_are_those_of_the_former_runs(tmp_path: Path, output: Path) -> None:
    known = tmp_path / "known"
    publish_unbound(tmp_path / "a", known, "a")
    publish_unbound(tmp_path / "b", known, "b")

    answer = ndr("migrate", output)

    assert answer.exit_code == 0, answer.errors
    assert "3 slices are now those of 4 mini-batches" in answer.output
    assert rows(output) == rows(known)
    assert ndr("verify", output).exit_code == 0
    assert sorted(path.name for path in (output / FORMER).iterdir()) == [
        "000000000001.json",
        "000000000002.json",
    ]


def test_until_then_nobody_reads_it_nor_adds_to_it(tmp_path: Path, output: Path) -> None:
    for attempt in (
        lambda: rows(output),
        lambda: publish_unbound(tmp_path / "a", output, "c"),
    ):
        with pytest.raises(UsageError, match=f"with `ndr migrate {output}`"):
            attempt()


def test_a_run_that_puts_sessions_elsewhere_in_time_is_refused_afterwards(
    tmp_path: Path, output: Path
) -> None:
    migrate_folder(output, columns_of, print)

    with pytest.raises(NdrError, match=f"meaning_version: is {MEANING_VERSION} here, but 1"):
        publish_unbound(tmp_path / "a", output, "c")


def test_what_holds_nothing_of_the_version_before_is_refused(tmp_path: Path, output: Path) -> None:
    migrate_folder(output, columns_of, print)

    for place, why in (
        (output, "holds nothing of the version before"),
        (tmp_path / "x", "no such"),
    ):
        answer = ndr("migrate", place)
        assert (answer.exit_code, why in answer.errors) == (2, True)


def test_a_former_manifest_that_is_broken_is_named(output: Path) -> None:
    broken = output / "_manifests" / "000000000002.json"
    broken.write_text("{")

    with pytest.raises(NdrError, match=r"000000000002\.json: is no manifest"):
        migrate_folder(output, columns_of, print)


def _migrate_and_die(output: Path, step: int) -> None:
    die_before(step)
    migrate_folder(output, columns_of, print)


def test_a_migration_that_is_killed_at_any_step_is_done_by_the_next_one(
    tmp_path: Path, output: Path
) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(output, whole)
    migrate_folder(whole, columns_of, print)
    died: int | None = 9
    for step in range(100):
        copy = tmp_path / f"out-{step}"
        shutil.copytree(output, copy)
        died = run_apart(_migrate_and_die, copy, step)
        if any(path.is_file() for path in (copy / "_manifests").glob("0*.json")):
            migrate_folder(copy, columns_of, print)
        assert read_manifests(copy) == read_manifests(whole)
        if died == 0:
            break
    assert (died, step > 4) == (0, True)
