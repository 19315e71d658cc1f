"""Odd files and hostile manifests in a folder's output: named, passed over or refused, never acted upon."""

from __future__ import annotations

import errno
import gzip
import json
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve, field

from ndr_adapters import lock as lock_module
from ndr_adapters.local.manifests import read_manifests
from ndr_adapters.local.sink import FolderSink
from ndr_adapters.local.source import FolderSource
from ndr_adapters.outputs import open_output
from ndr_adapters.polars.published import read_deltas
from ndr_adapters.reference.engine import ReferenceEngine
from ndr_core.deltas.job import DeltaBuilderRunner, RunSummary
from ndr_core.deltas.tables import PAIR
from ndr_core.errors import NdrError, UsageError
from ndr_core.flows.source import InputFile
from ndr_core.jobs.ports import QuietLog
from ndr_core.jobs.run import RuntimeParams
from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.ownership import live_files
from ndr_core.publishing.sink import Publication
from tests.e2e.cli import ndr, rows, snapshot
from tests.makers import flow, make_spec, started, write_batch
from tests.storages.test_publishing import TEN

TOKEN = "0123456789ab"
FORK = multiprocessing.get_context("fork")


@define
class NotingLog(QuietLog):
    """Keeps what a run says beside its outcome."""

    notices: list[str] = field(factory=list)

    def notice(self, message: str) -> None:
        self.notices.append(message)


def publish(batch: Path, output: Path, log: NotingLog | None = None, **spec: Any) -> RunSummary:
    return DeltaBuilderRunner(
        spec=make_spec(**spec),
        params=RuntimeParams("mb", "run", TEN, TEN + 900_000_000),
        source=FolderSource(batch),
        start_engine=started(ReferenceEngine()),
        sink=FolderSink(output),
        log=log or NotingLog(),
    ).run()


def told_by_publishing(batch: Path, output: Path) -> list[str]:
    """What a run says that succeeds, and leaves no more than what is live."""
    log = NotingLog()
    publish(batch, output, log)
    live = {file.path for file in live_files(read_manifests(output))}
    assert {path for path in snapshot(output) if not path.startswith("_")} == live
    return log.notices


@pytest.fixture
def batch(tmp_path: Path) -> Path:
    return write_batch(tmp_path / "in", [[flow()]])


@pytest.fixture
def output(tmp_path: Path, batch: Path) -> Path:
    """An output that holds a published run, a file beside it that is none of its business."""
    publish(batch, tmp_path / "out")
    (tmp_path / "VICTIM").write_text("precious")
    return tmp_path / "out"


def hostile(output: Path, path: str, sequence: int = 2) -> Manifest:
    """A manifest that is right but for the path of a file, which ends in its token."""
    (manifest,) = read_manifests(output)
    file = evolve(manifest.files[0], path=path)
    return evolve(manifest, sequence=sequence, token=TOKEN, files=(file,))


def put(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


LEAVING = ["../VICTIM", "{output}/../VICTIM", "delta/../../VICTIM"]


@pytest.mark.parametrize("path", LEAVING)
def test_a_published_manifest_whose_path_leaves_the_output_is_an_error_for_all(
    batch: Path, output: Path, path: str
) -> None:
    wrong = path.format(output=output)
    put(output / "_manifests" / "000000000002.json", hostile(output, wrong).to_json())
    before = snapshot(output)
    message = re.escape(f"000000000002.json: names the path {wrong!r}")
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
    pending = put(output / "_pending" / "000000000002.json", hostile(output, wrong).to_json())
    (notice,) = told_by_publishing(batch, output)
    assert f"{pending}: names the path" in notice
    assert "nothing is deleted on its word" in notice
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
        path.symlink_to(output / "_manifests" / "000000000001.json")
    elif kind == "older version":
        del plain["facts"]["report"]["repaired"]
        put(path, json.dumps(plain))
    elif kind == "newer version":
        put(path, json.dumps(plain | {"span": None}))
    elif kind == "a published run's":
        put(path, manifest.to_json())
    else:
        put(path, kind)


@pytest.mark.parametrize(
    "kind",
    [
        *("folder", "FIFO", "dangling link", "link to a manifest", "older version"),
        *("newer version", "a published run's", "[]", "notes", "\0" * 50, "[" * 100_000),
    ],
    ids=lambda kind: kind[:20].replace("\0", "0"),
)
@pytest.mark.parametrize("name", ["000000000099.json", "notes.txt"])
def test_what_is_odd_among_pending_manifests_is_named_and_passed_over(
    batch: Path, output: Path, kind: str, name: str
) -> None:
    pending = output / "_pending" / name
    _make(kind, pending, output)
    (notice,) = told_by_publishing(batch, output)
    assert notice.startswith(f"{pending}: ")
    assert "it is passed over" in notice
    assert os.path.lexists(pending)
    assert rows(output)[0]


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_pending_manifest_that_was_cut_short_is_removed_and_named(
    batch: Path, output: Path, share: float
) -> None:
    (manifest,) = read_manifests(output)
    whole = evolve(manifest, sequence=2).to_json()
    pending = put(output / "_pending" / "000000000002.json", whole[: int(len(whole) * share)])
    (notice,) = told_by_publishing(batch, output)
    assert notice.startswith(f"{pending}: its run died while it wrote this")
    assert not pending.exists()


def test_a_pending_manifest_of_a_run_that_died_is_undone_whatever_version_named_it(
    batch: Path, output: Path
) -> None:
    """Under the name that earlier versions gave it, too."""
    (manifest,) = read_manifests(output)
    files = [evolve(file, path=file.path.replace(manifest.token, TOKEN)) for file in manifest.files]
    for file in files:
        put(output / file.path, b"moved by a run that died")
    dead = evolve(manifest, sequence=2, token=TOKEN, files=tuple(files))
    pending = put(output / "_pending" / "000000000002.json", dead.to_json())
    assert told_by_publishing(batch, output) == []
    assert not pending.exists()


def test_nothing_is_deleted_through_a_link_that_leads_out_of_the_output(
    batch: Path, output: Path
) -> None:
    elsewhere = output.parent / "elsewhere"
    elsewhere.mkdir()
    victim = put(elsewhere / f"x-{TOKEN}.parquet", "precious")
    link = output / "delta" / "linked=1"
    link.symlink_to(elsewhere)
    manifest = hostile(output, f"delta/linked=1/x-{TOKEN}.parquet")
    file = evolve(manifest.files[0], folder="delta/linked=1")
    pending = put(
        output / "_pending" / "000000000002.json",
        evolve(manifest, folders=("delta/linked=1",), files=(file,)).to_json(),
    )
    log = NotingLog()
    publish(batch, output, log)
    assert f"{link}: a link leads out of the output, to {elsewhere}" in log.notices[0]
    assert (victim.read_text(), pending.exists()) == ("precious", True)


@pytest.mark.parametrize("where", ["delta", "_staging", "_manifests"])
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


def test_a_partition_that_is_a_link_to_elsewhere_fails_the_run_before_a_file_moves(
    tmp_path: Path, batch: Path
) -> None:
    output = tmp_path / "out"
    (tmp_path / "elsewhere").mkdir()
    (output / "delta").mkdir(parents=True)
    (output / "delta" / "feature_spec_version=v1").symlink_to(tmp_path / "elsewhere")
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


def test_what_has_no_name_of_a_manifest_is_named_by_runs_and_passed_over_by_all(
    batch: Path, output: Path
) -> None:
    folder = output / "_manifests"
    for name in ("000000000001.json~", ".DS_Store", "1.json", "000000000001 (1).json"):
        put(folder / name, "{")
    (folder / "old").mkdir()
    names = {path.name for path in folder.iterdir()} - {"000000000001.json"}
    notices = told_by_publishing(batch, output)
    assert {Path(notice.partition(": ")[0]).name for notice in notices} == names
    assert len(rows(output)[0]) == 2
    assert ndr("inspect", output).exit_code == 0
    assert names <= {path.name for path in folder.iterdir()}


def test_a_manifest_under_the_name_of_another_is_an_error(batch: Path, output: Path) -> None:
    """Else the other one would be deleted in its place."""
    first = output / "_manifests" / "000000000001.json"
    shutil.copy(first, output / "_manifests" / "000000000007.json")
    with pytest.raises(NdrError, match=r"000000000007.json: says that its number is 1"):
        publish(batch, output)
    assert first.exists()


def test_a_manifest_that_can_not_be_opened_is_an_error_that_names_it(output: Path) -> None:
    (output / "_manifests" / "000000000002.json").mkdir()
    with pytest.raises(NdrError, match=r"000000000002.json: can't be read: Is a directory"):
        read_manifests(output)


def _hold(output: Path, held: Any) -> None:
    with lock_module.locked(output, print):
        held.set()
        signal.pause()


@pytest.fixture
def holder(output: Path) -> Iterator[Any]:
    """A process that holds the lock of the output and was stopped."""
    held = FORK.Event()
    process = FORK.Process(target=_hold, args=(output, held))
    process.start()
    assert held.wait(30)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGSTOP)
    yield process
    if process.is_alive():
        os.kill(process.pid, signal.SIGKILL)
    process.join(30)


def test_a_run_that_waits_for_a_stopped_process_says_for_which_and_goes_on_waiting(
    batch: Path, output: Path, holder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_module, "NOTICE_SECONDS", 0.2)
    told = threading.Event()

    class Telling(NotingLog):
        def notice(self, message: str) -> None:
            super().notice(message)
            told.set()

    log = Telling()
    run = threading.Thread(target=publish, args=(batch, output, log))
    run.start()
    assert told.wait(30)
    run.join(1)
    assert run.is_alive()
    assert log.notices == [f"waiting for the lock of {output}, held by process {holder.pid}"]
    os.kill(holder.pid, signal.SIGKILL)
    run.join(30)
    assert not run.is_alive()
    assert len(log.notices) == 1


def test_closing_waits_for_the_lock_too_and_says_so(
    output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_module, "NOTICE_SECONDS", 0.1)
    told: list[str] = []
    staging = FolderSink(output).open_staging("run", [PAIR], told.append)
    held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with lock_module.locked(output, print):
            held.set()
            go_on.wait(30)

    other = threading.Thread(target=hold)
    other.start()
    assert held.wait(30)
    closing = threading.Thread(target=staging.close)
    closing.start()
    closing.join(1)
    assert closing.is_alive()
    assert staging.folder.exists()
    go_on.set()
    closing.join(30)
    other.join(30)
    assert told == [f"waiting for the lock of {output}, held by process {os.getpid()}"]
    assert not staging.folder.exists()


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
