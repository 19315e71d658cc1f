"""Odd and hostile manifests in a folder's output: named, passed over or refused, never acted upon."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from ndr_adapters.local.manifests import manifest_path, read_manifests
from ndr_adapters.outputs import open_output
from ndr_adapters.polars.published import read_deltas, read_pairs
from ndr_core.errors import NdrError, UsageError
from ndr_core.publishing.entry import Entry, entry_of, owner_hash
from ndr_core.publishing.manifest import Manifest
from tests.e2e.cli import ndr, rows, run, snapshot, write_spec
from tests.storages.folder_run import (
    TOKEN,
    only_manifest,
    publish,
    put,
    told_by_publishing,
)
from tests.storages.noting_log import NotingLog

LINKED = "delta/feature_spec_version=v1/dt=2025-03-01/hh=10/mm=00/role=linked"


LEAVING = ["../VICTIM", "{output}/../VICTIM", "delta/../../VICTIM"]


def hostile(output: Path, path: str) -> Manifest:
    """A manifest that is right but for the path of a file, which ends in its token."""
    (manifest,) = read_manifests(output)
    file = evolve(manifest.files[0], path=path)
    return evolve(manifest, token=TOKEN, files=(file,))


@pytest.mark.parametrize("path", LEAVING)
def test_a_published_manifest_whose_path_leaves_the_output_is_an_error_for_all(
    batch: Path, output: Path, path: str
) -> None:
    wrong = path.format(output=output)
    manifest = hostile(output, wrong)
    path_of_it = put(manifest_path(output, entry_of(manifest)), manifest.to_json())
    before = snapshot(output)
    message = re.escape(f"{path_of_it}: names the path {wrong!r}")
    attempts: list[Callable[[], object]] = [
        *(lambda: publish(batch, output), lambda: read_deltas(open_output(output))),
        lambda: read_manifests(output),
    ]
    for attempt in attempts:
        with pytest.raises(NdrError, match=message):
            attempt()
    answer = ndr("inspect", output)
    assert (answer.exit_code, wrong in answer.errors) == (1, True)
    assert (output.parent / "VICTIM").read_text() == "precious"
    assert snapshot(output) == before


@pytest.mark.parametrize("path", LEAVING)
def test_nothing_is_deleted_on_the_word_of_a_pending_manifest_whose_path_leaves_the_output(
    batch: Path, output: Path, path: str
) -> None:
    victim = (output.parent / "VICTIM").rename(output.parent / f"VICTIM-{TOKEN}")
    wrong = f"{path.format(output=output)}-{TOKEN}"
    pending = put(output / "_pending" / f"{TOKEN}.json", hostile(output, wrong).to_json())
    (notice,) = told_by_publishing(batch, output)
    assert f"{pending}: names the path" in notice
    assert "nothing is deleted on its word" in notice
    assert (victim.read_text(), pending.exists()) == ("precious", True)


def test_nothing_is_deleted_through_a_link_that_leads_out_of_the_output(
    batch: Path, output: Path
) -> None:
    elsewhere = output.parent / "elsewhere"
    elsewhere.mkdir()
    victim = put(elsewhere / f"x-{TOKEN}.parquet", "precious")
    link = output / LINKED
    link.symlink_to(elsewhere)
    manifest = hostile(output, f"{LINKED}/x-{TOKEN}.parquet")
    pending = put(output / "_pending" / f"{TOKEN}.json", manifest.to_json())
    log = NotingLog()
    publish(batch, output, log)
    assert f"{link}: a link leads out of the output, to {elsewhere}" in log.notices[0]
    assert (victim.read_text(), pending.exists()) == ("precious", True)


def _make(kind: str, path: Path, output: Path) -> None:
    (manifest,) = read_manifests(output)
    plain = manifest.to_plain()
    path.parent.mkdir(exist_ok=True)
    if kind == "folder":
        path.mkdir()
    elif kind == "FIFO":
        os.mkfifo(path)
    elif kind == "dangling link":
        path.symlink_to("nowhere")
    elif kind == "link to a manifest":
        path.symlink_to(only_manifest(output))
    elif kind == "older version":
        del plain["facts"]["report"]["repaired"]
        put(path, json.dumps(plain))
    elif kind == "newer version":
        put(path, json.dumps(plain | {"span": None}))
    elif kind == "former format":
        put(path, json.dumps({"sequence": 1, "token": TOKEN, "folders": [], "files": []}, indent=1))
    elif kind == "unknown format":
        put(path, json.dumps(plain | {"format": 77}))
    elif kind == "a published run's":
        put(path, manifest.to_json())
    else:
        put(path, kind)


@pytest.mark.parametrize(
    "kind",
    [
        *("folder", "FIFO", "dangling link", "link to a manifest", "older version"),
        *("newer version", "former format", "unknown format", "a published run's"),
        *("[]", "notes", "\0" * 50, "[" * 100_000),
    ],
    ids=lambda kind: kind[:20].replace("\0", "0"),
)
@pytest.mark.parametrize("name", [f"{TOKEN}.json", "notes.txt"])
def test_what_is_odd_among_pending_manifests_is_named_and_passed_over(
    batch: Path, output: Path, kind: str, name: str
) -> None:
    pending = output / "_pending" / name
    _make(kind, pending, output)
    (notice,) = told_by_publishing(batch, output, "other")
    assert notice.startswith(f"{pending}: ")
    assert "it is passed over" in notice
    assert os.path.lexists(pending)
    assert rows(output)[0]


def test_what_has_no_name_of_a_manifest_is_named_by_runs_and_passed_over_by_all(
    batch: Path, output: Path
) -> None:
    first = only_manifest(output)
    odd = [
        put(first.with_name(f"{first.name}~"), "{"),
        put(first.with_name(f"Copy of {first.name}"), "{"),
        put(first.with_name("1.json"), "{"),
        put(first.parent / "feature_spec_version=v1" / first.name, "{"),
        put(output / "_manifests" / ".DS_Store", "{"),
        put(output / "_manifests" / first.name, "{"),
        put(output / "_manifests" / "old" / first.name, "{"),
    ]
    named = {str(path) for path in (*odd[:3], odd[3].parent, *odd[4:])}
    notices = told_by_publishing(batch, output)
    assert {notice.partition(": ")[0] for notice in notices} == named
    assert all("it is passed over" in notice for notice in notices)
    assert len(notices) == len(named)
    assert len(rows(output)[0]) == 2
    assert ndr("inspect", output).exit_code == 0
    assert all(path.exists() for path in odd)


@pytest.mark.parametrize(
    "changed",
    [
        lambda entry: evolve(entry, token=TOKEN),
        lambda entry: evolve(entry, owner=owner_hash("v1/delta_builder/other")),
        lambda entry: evolve(entry, published_at=entry.published_at + 1),
        lambda entry: evolve(entry, last="2025-03-01T2345"),
        lambda entry: evolve(entry, version="v2"),
    ],
    ids=["token", "owner", "moment", "span", "version"],
)
def test_a_manifest_under_the_name_of_another_is_an_error(
    output: Path, changed: Callable[[Entry], Entry]
) -> None:
    """Else it would be deleted, or count, in the place of the other."""
    first = only_manifest(output)
    (manifest,) = read_manifests(output)
    copy = put(manifest_path(output, changed(entry_of(manifest))), first.read_bytes())
    message = re.escape(f"{copy}: is another run's manifest than its name says; restore it")
    with pytest.raises(NdrError, match=message):
        read_manifests(output)
    with pytest.raises(NdrError, match=message):
        read_deltas(open_output(output))
    assert first.exists()


def test_no_run_publishes_beside_a_manifest_of_its_batch_under_the_name_of_another(
    batch: Path, output: Path
) -> None:
    first = only_manifest(output)
    (manifest,) = read_manifests(output)
    copy = manifest_path(output, evolve(entry_of(manifest), token=TOKEN))
    shutil.copy(first, copy)
    with pytest.raises(NdrError, match=re.escape(f"{copy}: is another run's manifest")):
        publish(batch, output)
    assert first.exists()


def test_a_manifest_that_can_not_be_opened_is_an_error_that_names_it(output: Path) -> None:
    (manifest,) = read_manifests(output)
    path = manifest_path(output, evolve(entry_of(manifest), token=TOKEN))
    path.mkdir()
    with pytest.raises(NdrError, match=re.escape(f"{path}: can't be read: Is a directory")):
        read_manifests(output)


@pytest.mark.parametrize("number", [1, 3, 77])
def test_a_manifest_of_another_format_is_refused_by_its_number(
    batch: Path, output: Path, number: int
) -> None:
    path = only_manifest(output)
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"format": number}))
    before = snapshot(output)
    message = re.escape(
        f"{path}: is a manifest of format {number}, and this version reads format 2; use a version "
        "that reads it"
    )
    for attempt in (
        lambda: publish(batch, output),
        lambda: read_deltas(open_output(output)),
        lambda: read_manifests(output),
    ):
        with pytest.raises(NdrError, match=message):
            attempt()
    assert ndr("inspect", output).exit_code == 1
    assert snapshot(output) == before


FORMER_NAME = "000000000001.json"


def former_output(output: Path) -> Path:
    """Put a manifest there as the version wrote it in which a run owned whole slices."""
    folder = "delta/feature_spec_version=v1/dt=2025-03-01/hh=10/mm=00"
    manifest = {
        "sequence": 1,
        "token": TOKEN,
        "facts": {"feature_spec_version": "v1", "mini_batch_id": "mb", "run_id": "run"},
        "folders": [folder],
        "files": [{"folder": folder, "path": f"{folder}/role=inbound/part-00000-{TOKEN}.parquet"}],
    }
    (output / "_manifests").mkdir(parents=True, exist_ok=True)
    return put(output / "_manifests" / FORMER_NAME, json.dumps(manifest, indent=1))


@pytest.mark.parametrize("holds_newer_runs", [False, True])
def test_an_output_of_the_version_in_which_runs_owned_slices_is_refused_with_the_way_out(
    tmp_path: Path, batch: Path, holds_newer_runs: bool
) -> None:
    output = tmp_path / "out"
    if holds_newer_runs:
        publish(batch, output)
    former_output(output)
    before = snapshot(output)
    advice = (
        f"output {output}: was written by an older version, in which a run owned whole slices; bring it "
        f"up to date with `ndr migrate {output}`"
    )
    for attempt in (
        lambda: publish(batch, output),
        lambda: read_deltas(open_output(output)),
        lambda: read_pairs(open_output(output)),
        lambda: read_manifests(output),
    ):
        with pytest.raises(UsageError) as caught:
            attempt()
        assert str(caught.value) == advice
    spec = write_spec(tmp_path / "job.json")
    for answer in (ndr("inspect", output), run(spec, batch, output, "--quiet")):
        assert (answer.exit_code, answer.errors) == (2, f"ndr: {advice}\n")
    assert snapshot(output) == before
