"""What runs that died leave in a folder's output: the next run of any mini-batch finishes or removes it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from ndr_adapters.local.manifests import read_manifests
from ndr_adapters.local.sink import FolderStaging
from tests.e2e.cli import rows, snapshot
from tests.makers import flow, write_batch
from tests.storages.folder_run import TOKEN, publish, put, told_by_publishing


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_pending_manifest_that_was_cut_short_is_removed_and_named(
    batch: Path, output: Path, share: float
) -> None:
    (manifest,) = read_manifests(output)
    whole = evolve(manifest, token=TOKEN).to_json()
    pending = put(output / "_pending" / f"{TOKEN}.json", whole[: int(len(whole) * share)])
    (notice,) = told_by_publishing(batch, output)
    assert notice.startswith(f"{pending}: its run died while it wrote this")
    assert not pending.exists()


@pytest.mark.parametrize("mini_batch", ["mb", "other"])
def test_a_pending_manifest_of_a_run_that_died_is_undone_by_the_next_run_of_any_batch(
    batch: Path, output: Path, mini_batch: str
) -> None:
    (manifest,) = read_manifests(output)
    files = [evolve(file, path=file.path.replace(manifest.token, TOKEN)) for file in manifest.files]
    for file in files:
        put(output / file.path, b"moved by a run that died")
    facts = evolve(manifest.facts, mini_batch_id=mini_batch)
    dead = evolve(manifest, token=TOKEN, facts=facts, files=tuple(files))
    pending = put(output / "_pending" / f"{TOKEN}.json", dead.to_json())
    assert told_by_publishing(batch, output) == []
    assert not pending.exists()


def test_what_is_odd_among_staging_folders_is_named_and_passed_over(
    batch: Path, output: Path
) -> None:
    staging = output / "_staging"
    stray = put(staging / "notes.txt", "mine")
    named_so = put(staging / f"notes-{TOKEN}", "mine")
    unlocked = staging / f"run-{TOKEN}"
    put(unlocked / "x", "mine")
    other = staging / "notes"
    other.mkdir()
    put(other / "_lock", "")
    link = staging / f"link-{TOKEN}"
    link.symlink_to(output.parent)
    odd = [stray, named_so, unlocked, other, link]
    notices = told_by_publishing(batch, output)
    assert sorted(notice.partition(": ")[0] for notice in notices) == sorted(map(str, odd))
    assert all("it is passed over" in notice for notice in notices)
    assert all(os.path.lexists(path) for path in odd)
    assert (output.parent / "VICTIM").exists()


def test_staging_folders_of_runs_that_died_are_removed_wherever_they_died(
    batch: Path, output: Path
) -> None:
    died_at_once = output / "_staging" / f"a-{TOKEN}"
    died_at_once.mkdir()
    died_later = output / "_staging" / f"b-{TOKEN}"
    put(died_later / "_lock", "")
    put(died_later / "delta" / "x", "half")
    assert told_by_publishing(batch, output) == []
    assert list((output / "_staging").iterdir()) == []


@pytest.mark.parametrize(
    "note",
    [
        *(b"", b"\xff\xfe", b"v1", b"../../v1/0123456789abcdef", b"v1/../../x", b"v1/*"),
        *(b"v2/0123456789abcdef", b"v1/0123456789abcdef\n", b"/" * 5000),
    ],
)
def test_a_dead_run_whose_note_of_its_batch_is_odd_is_removed_and_nothing_else_is(
    batch: Path, output: Path, note: bytes
) -> None:
    died = output / "_staging" / f"run-{TOKEN}"
    put(died / "_lock", "")
    put(died / "_owner", note)
    assert told_by_publishing(batch, output) == []
    assert list((output / "_staging").iterdir()) == []
    assert (output.parent / "VICTIM").exists()
    assert len(rows(output)[0]) == 2


class KilledError(BaseException):
    """A process ends at once."""


def publish_and_die(batch: Path, output: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Publish, but end before the first file below a place is deleted, as a killed process does: locks are free."""
    unlink = os.unlink

    def die(path: Any, *args: Any, **kwargs: Any) -> None:
        if place in str(path):
            raise KilledError
        unlink(path, *args, **kwargs)

    with monkeypatch.context() as last:
        last.setattr(os, "unlink", die)
        last.setattr(FolderStaging, "close", lambda staging: os.close(staging.lock))
        with pytest.raises(KilledError):
            publish(batch, output)


@pytest.mark.parametrize("place", ["/delta/", "/pair/", "/_manifests/"])
@pytest.mark.parametrize("mini_batch", ["mb", "other"])
def test_a_run_that_died_before_it_removed_what_it_replaced_is_finished_by_the_next_of_any_batch(
    tmp_path: Path, output: Path, mini_batch: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = {path for path in snapshot(output) if not path.startswith("_")}
    newer = write_batch(tmp_path / "newer", [[flow(source_bytes=7)]])
    publish_and_die(newer, output, place, monkeypatch)
    assert len(read_manifests(output)) == 2
    assert _sent(output) == [7]

    assert told_by_publishing(newer, output, mini_batch) == []

    assert len(read_manifests(output)) == len({"mb", mini_batch})
    assert list((output / "_staging").iterdir()) == []
    assert old.isdisjoint(snapshot(output))


def _sent(output: Path) -> list[int]:
    return [row["bytes_sent_sum"] for row in rows(output)[0] if row["role"] == "outbound"]
