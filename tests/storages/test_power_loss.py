"""What a folder's output holds after a loss of power: what was synced, which is whole, old or new."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from ndr_adapters.local.manifests import manifest_path, read_manifests
from ndr_adapters.outputs import open_output
from ndr_adapters.polars.published import read_deltas, read_pairs
from ndr_core.errors import AfterPublicationError, NdrError
from ndr_core.publishing.entry import entry_of, owner_hash
from ndr_core.publishing.ownership import live_files
from tests.e2e.cli import SLICE, ndr, rows, snapshot, write_spec
from tests.makers import flow, write_batch
from tests.storages.test_publishing import publish
from tests.support import spark_session

ROOT = Path(__file__).parents[2]
Events = list[tuple[str, ...]]


def recorded(source: Path, output: Path, record: Path) -> Events:
    """What a run of the command in a process of its own syncs, renames and deletes, in order."""
    spec = write_spec(
        record.with_suffix(".spec.json"), quality={"on_unreadable_file": "quarantine"}
    )
    places = ("--spec", spec, "--input", source, "--output", output, "--mini-batch-id", "mb")
    done = subprocess.run(
        [sys.executable, "-m", "tests.storages.recorded_run", record, "run", *places, *SLICE],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return [tuple(line.split("\t")) for line in record.read_text().splitlines()]


def first(events: Events, *event: str) -> int:
    return events.index(event)


def committed(events: Events) -> str:
    """The manifest of the run that a process published."""
    return [event[2] for event in events if event[0] == "rename"][-1]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Events, Events]:
    """An output, and the events of a first run into it and of one that replaces its rows."""
    home = tmp_path_factory.mktemp("power")
    source = write_batch(home / "in", [[flow(), "bad"]])
    (source / "broken.json.gz").write_bytes(b"\x1f\x8b no gzip")
    before = recorded(source, home / "out", home / "first")
    return home / "out", before, recorded(source, home / "out", home / "second")


@pytest.mark.parametrize("run", [1, 2])
def test_all_that_a_run_publishes_is_on_disk_before_it_counts(
    runs: tuple[Path, Events, Events], run: int
) -> None:
    output = runs[0]
    events = runs[1] if run == 1 else runs[2]
    manifests = str(output / "_manifests" / "feature_spec_version=v1")
    moves = [event for event in events if event[0] == "rename"]
    pending, published = moves[-1][1:]
    assert (os.path.dirname(pending), os.path.dirname(published)) == (
        str(output / "_pending"),
        manifests,
    )
    assert (
        len(moves) == 8
    )  # four of the tables, a quarantine, a broken file, the report, the manifest
    commit = events.index(moves[-1])
    first_move = events.index(moves[0])
    assert first(events, "sync", pending) < first(events, "sync", str(output / "_pending"))
    assert first(events, "sync", str(output / "_pending")) < first_move
    for _, staged, target in moves[:-1]:
        assert first(events, "sync", staged) < first_move
        folder = os.path.dirname(target)
        last_move = max(i for i, e in enumerate(events) if e[0] == "rename" and e[2] == target)
        assert last_move < events.index(("sync", folder), last_move) < commit
    assert ("sync", manifests) in events[commit:]
    deletions = [
        place for place, event in enumerate(events) if event[0] == "delete" and place > commit
    ]
    assert events.index(("sync", manifests), commit) < deletions[0]


def test_a_run_that_makes_folders_has_their_names_on_disk_before_it_counts(
    runs: tuple[Path, Events, Events],
) -> None:
    output, events, _ = runs
    commit = max(place for place, event in enumerate(events) if event[0] == "rename")
    moved = {event[2] for event in events[:commit] if event[0] == "rename"}
    moved.add(os.path.dirname(committed(events)))
    made = {str(folder) for path in moved for folder in Path(path).parents}
    naming = {folder for folder in made if folder.startswith(str(output))}
    assert len(naming) > 20  # down to the folders of the files themselves
    assert naming <= {event[1] for event in events[:commit] if event[0] == "sync"}


def test_nothing_is_deleted_before_the_run_counts_and_no_folder_is_synced_twice_between(
    runs: tuple[Path, Events, Events],
) -> None:
    output, before, events = runs
    moves = [place for place, event in enumerate(events) if event[0] == "rename"]
    published = [
        event
        for event in events[: moves[-1]]
        if event[0] == "delete" and "/_staging/" not in event[1]
    ]
    assert published == []
    replaced = [
        event[1]
        for event in events[moves[-1] :]
        if event[0] == "delete" and "/_staging/" not in event[1]
    ]
    assert len([path for path in replaced if not path.startswith(f"{output}/_manifests")]) == 7
    assert replaced[-1] == committed(before)
    between = [event[1] for event in events[moves[0] : moves[-1]] if event[0] == "sync"]
    assert len(between) == len(set(between))


def test_what_a_run_replaced_is_gone_for_good_before_its_manifest_is(
    runs: tuple[Path, Events, Events],
) -> None:
    """Otherwise nobody would know any more whose those files are."""
    _, before, events = runs
    manifest = first(events, "delete", committed(before))
    for kind, *paths in events[:manifest]:
        if kind == "delete" and "/_staging/" not in paths[0]:
            folder = os.path.dirname(paths[0])
            assert ("sync", folder) in events[events.index((kind, *paths)) : manifest]


def test_whose_rows_a_run_replaces_is_on_disk_before_it_counts_and_stays_until_they_are_gone(
    runs: tuple[Path, Events, Events],
) -> None:
    """So that a run of any mini-batch can finish what a loss of power stopped."""
    output, before, events = runs
    commit = max(place for place, event in enumerate(events) if event[0] == "rename")
    (note,) = [event[1] for event in events if event[0] == "sync" and event[1].endswith("/_owner")]
    for path in (note, os.path.dirname(note), str(output / "_staging"), str(output)):
        assert ("sync", path) in events[first(events, "sync", note) : commit]
    assert first(events, "delete", committed(before)) < first(events, "delete", note)
    assert not [event for event in before if event[1].endswith("/_owner")]


def broken(output: Path, table: str, content: bytes | None) -> str:
    """Cut a live file of a table to some content, or remove it; gives its path."""
    file = next(f for f in live_files(read_manifests(output)) if f.table == table)
    path = output / file.path
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    return file.path


Read = Callable[[Path], Any]
READERS: dict[str, tuple[str, Read]] = {
    "polars deltas": ("delta", lambda output: read_deltas(open_output(output))),
    "polars pairs": ("pair", lambda output: read_pairs(open_output(output))),
    "spark deltas": ("delta", lambda output: _spark("read_deltas", output)),
    "spark pairs": ("pair", lambda output: _spark("read_pairs", output)),
}


def _spark(name: str, output: Path) -> Any:
    from ndr_adapters.spark.fanout import published

    return getattr(published, name)(spark_session(), open_output(output))


@pytest.mark.parametrize(
    ("content", "what"), [(b"", "has 0 bytes"), (b"xy", "has 2 bytes"), (None, "is missing")]
)
@pytest.mark.parametrize("reader", list(READERS))
def test_a_live_file_of_another_size_is_an_error_that_says_which_and_what_to_do(
    tmp_path: Path, reader: str, content: bytes | None, what: str
) -> None:
    output = tmp_path / "out"
    batch = write_batch(tmp_path / "in", [[flow()]])
    publish(batch, output)
    table, read = READERS[reader]
    expected = next(f for f in live_files(read_manifests(output)) if f.table == table).bytes
    path = broken(output, table, content)
    with pytest.raises(NdrError) as caught:
        read(output)
    message = str(caught.value)
    assert f"{output}/{path}: {what}" in message
    assert f"its manifest says {expected:,} bytes" in message
    assert "restore it, or run mini-batch 'mb' again" in message
    publish(batch, output)
    read(output)
    assert [row["sessions_cnt"] for row in rows(output)[0]] == [1, 1]


@pytest.mark.parametrize("table", ["delta", "pair"])
def test_inspecting_an_output_with_a_damaged_file_says_so(tmp_path: Path, table: str) -> None:
    output = tmp_path / "out"
    publish(write_batch(tmp_path / "in", [[flow()]]), output)
    path = broken(output, table, b"")
    answer = ndr("inspect", output)
    assert answer.exit_code == 1
    assert path in answer.errors
    assert "has 0 bytes" in answer.errors


def test_slices_that_were_not_asked_for_may_be_damaged(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    output = tmp_path / "out"
    publish(write_batch(tmp_path / "in", [[flow()]]), output)
    broken(output, "delta", b"")
    later = datetime(2025, 3, 1, 10, 15, tzinfo=UTC)
    assert read_deltas(open_output(output), since=later).collect().height == 0


@pytest.mark.parametrize("mini_batch", ["mb", "other"])
def test_an_empty_live_manifest_is_an_error_that_names_it(tmp_path: Path, mini_batch: str) -> None:
    output, batch = tmp_path / "out", write_batch(tmp_path / "in", [[flow()]])
    publish(batch, output)
    (manifest,) = read_manifests(output)
    owner = owner_hash(f"v1/delta_builder/{mini_batch}")
    path = manifest_path(output, evolve(entry_of(manifest), owner=owner))
    path.write_bytes(b"")
    named = f"{path}: is no manifest of a run; restore it, or remove it"
    for attempt in (
        read_manifests,
        lambda out: read_deltas(open_output(out)),
        lambda out: read_pairs(open_output(out)),
        lambda out: publish(batch, out),
    ):
        with pytest.raises(NdrError, match=re.escape(named)):
            attempt(output)
    answer = ndr("inspect", output)
    assert (answer.exit_code, named in answer.errors) == (1, True)


def failing(name: str, refuses: Callable[[str], bool], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `os.<name>` fail for some paths as a broken disk does."""
    real = getattr(os, name)

    def maybe(target: Any, *args: Any, **kwargs: Any) -> Any:
        path = os.readlink(f"/proc/self/fd/{target}") if isinstance(target, int) else str(target)
        if refuses(path):
            raise OSError(errno.EIO, os.strerror(errno.EIO), path)
        return real(target, *args, **kwargs)

    monkeypatch.setattr(os, name, maybe)


@pytest.mark.parametrize(
    ("call", "place", "message"),
    [
        ("unlink", "/delta/", "the run is published, but what it replaces could not be removed"),
        ("unlink", "/_manifests/", "the run is published, but what it replaces could not be"),
        ("fsync", "/_manifests", "the run is published, but a loss of power might undo that"),
    ],
)
def test_what_fails_after_the_rename_that_publishes_says_that_the_run_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, place: str, message: str
) -> None:
    output = tmp_path / "out"
    publish(write_batch(tmp_path / "old", [[flow(source_bytes=1)]]), output)
    new = write_batch(tmp_path / "new", [[flow(source_bytes=2)]])
    with monkeypatch.context() as broken_disk:
        failing(call, lambda path: place in path, broken_disk)
        with pytest.raises(AfterPublicationError, match=f"^{message}") as caught:
            publish(new, output)
    assert caught.value.exit_code == 1
    sent = {row["bytes_sent_sum"] for row in rows(output)[0] if row["role"] == "outbound"}
    assert sent == {2}
    publish(new, output)
    live = {file.path for file in live_files(read_manifests(output))}
    assert {path for path in snapshot(output) if not path.startswith("_")} == live


@pytest.mark.parametrize("place", ["/_staging/", "/_owner", "/_pending", "/delta/", "/quality"])
def test_a_run_whose_files_can_not_be_synced_publishes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    output = tmp_path / "out"
    publish(write_batch(tmp_path / "old", [[flow(source_bytes=1)]]), output)
    before = snapshot(output)
    with monkeypatch.context() as broken_disk:
        failing("fsync", lambda path: place in path, broken_disk)
        with pytest.raises(OSError, match="Input/output error"):
            publish(write_batch(tmp_path / "new", [[flow(source_bytes=2)]]), output)
    assert {path: data for path, data in snapshot(output).items() if path in before} == before
    publish(write_batch(tmp_path / "new", [[flow(source_bytes=2)]]), output)
    live = {file.path for file in live_files(read_manifests(output))}
    assert {path for path in snapshot(output) if not path.startswith("_")} == live
