"""Publishing to a folder: all of a run or nothing, whenever it dies and whoever else publishes."""

from __future__ import annotations

import gzip
import json
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ndr_adapters.local.leftovers import remove_own_staging, remove_staging
from ndr_adapters.local.manifests import read_manifests
from ndr_adapters.local.sink import FolderSink
from ndr_adapters.local.source import FolderSource
from ndr_adapters.reference.engine import ReferenceEngine
from ndr_core.deltas.job import DeltaBuilderRunner
from ndr_core.errors import AfterPublicationError, ThresholdError
from ndr_core.jobs.ports import QuietLog
from ndr_core.jobs.run import RuntimeParams, Stage
from ndr_core.publishing.manifest import Manifest, Replaced
from ndr_core.publishing.ownership import live_files
from tests.e2e.cli import rows, snapshot
from tests.makers import flow, make_spec, started, us, write_batch
from tests.storages.folder_runs import FORK, die_before, publish_unbound, run_apart

TEN, QUARTER_PAST = us("2025-03-01T10:00:00Z"), us("2025-03-01T10:15:00Z")
LATER = flow(event_start="2025-03-01T10:20:00Z", event_end=None)


def publish(batch: Path, output: Path, start: int = TEN, mini_batch: str = "mb") -> Manifest:
    params = RuntimeParams(mini_batch, "run", start, start + 900_000_000)
    return (
        DeltaBuilderRunner(
            spec=make_spec(),
            params=params,
            source=FolderSource(batch),
            start_engine=started(ReferenceEngine()),
            sink=FolderSink(output),
            log=QuietLog(),
        )
        .run()
        .manifest
    )


def _parquet_files(output: Path) -> set[str]:
    return {path for path in snapshot(output) if path.endswith(".parquet")}


def test_a_rerun_gives_the_same_rows_and_leaves_nothing_of_the_first(tmp_path: Path) -> None:
    batch = write_batch(tmp_path / "in", [[flow(), "bad"]])
    publish(batch, tmp_path / "out")
    first, files = rows(tmp_path / "out"), len(snapshot(tmp_path / "out"))
    publish(batch, tmp_path / "out")
    assert rows(tmp_path / "out") == first
    assert len(snapshot(tmp_path / "out")) == files
    assert len(read_manifests(tmp_path / "out")) == 1


def test_batches_of_other_slices_are_never_touched(tmp_path: Path) -> None:
    ten = write_batch(tmp_path / "ten", [[flow()]])
    later = write_batch(tmp_path / "later", [[LATER]])
    publish(ten, tmp_path / "out", mini_batch="a")
    before = snapshot(tmp_path / "out")
    publish(later, tmp_path / "out", QUARTER_PAST, mini_batch="b")
    after = snapshot(tmp_path / "out")
    assert {path: after[path] for path in before} == before
    slices = {row["slice_start_ts"].minute for row in rows(tmp_path / "out")[0]}
    assert slices == {0, 15}


def test_batches_of_one_slice_add(tmp_path: Path) -> None:
    """As of two firewalls, or of a late file."""
    for name, sent in (("a", 1), ("b", 2)):
        batch = write_batch(tmp_path / name, [[flow(source_bytes=sent)]])
        publish(batch, tmp_path / "out", mini_batch=name)

    plain = pl.read_parquet(tmp_path / "out" / "delta" / "**" / "*.parquet")

    sent_by_batch = plain.filter(host_ip="10.0.0.1").select("mini_batch_id", "bytes_sent_sum")
    assert sorted(sent_by_batch.rows()) == [("a", 1), ("b", 2)]


def test_a_rerun_removes_what_its_batch_had_in_slices_that_it_holds_no_more(
    tmp_path: Path,
) -> None:
    output = tmp_path / "out"
    publish_unbound(write_batch(tmp_path / "other", [[flow(), LATER]]), output, "other")
    of_other = snapshot(output)
    publish_unbound(write_batch(tmp_path / "two", [[flow(), LATER]]), output, "mb")

    manifest = publish_unbound(write_batch(tmp_path / "one", [[LATER]]), output, "mb")

    assert manifest.slices() == ["dt=2025-03-01/hh=10/mm=15"]
    live = {file.path for file in live_files(read_manifests(output)) if file.slice is not None}
    assert live == _parquet_files(output)
    assert live - set(of_other) == {f.path for f in manifest.files if f.slice is not None}
    assert _parquet_files(output) >= {path for path in of_other if path.endswith(".parquet")}


def test_a_run_says_what_it_replaced(tmp_path: Path) -> None:
    output = tmp_path / "out"
    first = publish_unbound(write_batch(tmp_path / "two", [[flow(), LATER]]), output, "mb")

    second = publish_unbound(write_batch(tmp_path / "one", [[LATER]]), output, "mb")

    assert first.replaced is None
    assert second.replaced == Replaced("run", first.published_at, slices=2, kept=2)
    assert second.published_at > first.published_at


def test_jobs_of_one_project_feed_one_output_under_equal_batch_ids(tmp_path: Path) -> None:
    output = tmp_path / "out"
    zeek = make_spec(job_name="zeek")
    publish_unbound(write_batch(tmp_path / "pan", [[flow()]]), output, "mb")

    publish_unbound(write_batch(tmp_path / "zeek", [[flow(), flow()]]), output, "mb", zeek)

    plain = pl.read_parquet(output / "delta" / "**" / "*.parquet")
    assert plain.filter(host_ip="10.0.0.1")["sessions_cnt"].sum() == 3


def test_a_run_that_a_threshold_stops_keeps_its_report_and_what_it_rejected(
    tmp_path: Path,
) -> None:
    output = tmp_path / "out"
    publish_unbound(write_batch(tmp_path / "good", [[flow()]]), output, "mb")
    before = snapshot(output)
    strict = make_spec(quality={"max_rejected_fraction": 0.1})

    with pytest.raises(
        ThresholdError, match=r"the records that it rejected are in .*/failed/mb/run"
    ):
        publish_unbound(write_batch(tmp_path / "bad", [[flow(), "bad"]]), output, "mb", strict)

    after = snapshot(output)
    assert {path: after[path] for path in before} == before
    assert set(after) - set(before) == {
        "failed/mb/run/report.json",
        "failed/mb/run/rejected-00000.json.gz",
    }
    (line,) = gzip.decompress((output / "failed/mb/run/rejected-00000.json.gz").read_bytes()).split(
        b"\n"
    )[:-1]
    assert json.loads(line)["raw"] == "bad"


def test_a_plain_parquet_reader_sees_one_version_of_a_slice(tmp_path: Path) -> None:
    for sent in (1, 2, 3):
        batch = write_batch(tmp_path / f"in{sent}", [[flow(source_bytes=sent)]])
        publish(batch, tmp_path / "out")
    plain = pl.read_parquet(tmp_path / "out" / "delta" / "**" / "*.parquet")
    assert plain.filter(host_ip="10.0.0.1")["bytes_sent_sum"].to_list() == [3]


def test_the_manifest_names_every_file_with_its_checksum(tmp_path: Path) -> None:
    import hashlib

    manifest = publish(write_batch(tmp_path / "in", [[flow(), "bad"]]), tmp_path / "out")
    assert read_manifests(tmp_path / "out") == [manifest]
    for file in manifest.files:
        content = (tmp_path / "out" / file.path).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file.bytes, file.sha256)
    assert manifest.rows("delta") == {"inbound": 1, "outbound": 1}
    on_disk = {path for path in snapshot(tmp_path / "out") if not path.startswith("_")}
    assert on_disk == {file.path for file in manifest.files}


def _publish_and_die(staged: Path, output: Path, step: int) -> None:
    die_before(step)  # in a process of its own, which is forked for that
    _publish_staged(staged, output)


def _publish_staged(staged: Path, output: Path) -> None:
    """Publish what an earlier run of the reference engine left at `staged`."""
    import pickle

    publication = pickle.loads((staged / "run.pickle").read_bytes())
    staging = FolderSink(output).open_staging("run", publication.tables, print)
    for name in publication.rows:
        target = staging.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((staged / name).read_bytes())
    staging.publish(publication)
    staging.close()


def _stage(batch: Path, staged: Path, mini_batch: str = "mb") -> None:
    import pickle

    from ndr_core.deltas.plan import compile_plan
    from ndr_core.flows.source import InputBatch
    from ndr_core.publishing.manifest import RunFacts
    from ndr_core.publishing.sink import Publication
    from ndr_core.quality.report import make_report

    plan = compile_plan(make_spec(), RuntimeParams(mini_batch, "run", TEN, QUARTER_PAST))
    source = FolderSource(batch)
    done = ReferenceEngine().build(
        plan, InputBatch(source.files(print), source.blocks, ()), str(staged)
    )
    report = make_report(plan.reject_rules, done.kept, {}, {}, 0, {})
    facts = RunFacts(
        *("test", "delta_builder", "v1", "00", mini_batch, "run", "reference", "test"),
        report=report,
        bounds=plan.bounds,
    )
    publication = Publication(facts, plan.tables, dict(done.rows))
    (staged / "run.pickle").write_bytes(pickle.dumps(publication))


def test_a_run_that_is_killed_at_any_step_leaves_the_old_or_the_new_rows(tmp_path: Path) -> None:
    """Before each of its calls that sync, rename or delete, from its first folder to its last."""
    old = write_batch(tmp_path / "old", [[flow(source_bytes=1)]])
    _stage(
        write_batch(tmp_path / "new", [[flow(source_bytes=2), flow(source_bytes=5)]]),
        tmp_path / "s",
    )
    published: list[bool] = []
    for step in range(1000):
        output = tmp_path / f"out-{step}"
        publish(old, output)
        before = rows(output)
        died = run_apart(_publish_and_die, tmp_path / "s", output, step)
        after_death = rows(output)
        _publish_staged(tmp_path / "s", output)
        new = rows(output)
        assert after_death in (before, new)
        assert _sent(new) == (7,)
        assert died == 9 or after_death == new
        # Nothing of the dead run is left: plain readers see what the library's readers see.
        live = {file.path for file in live_files(read_manifests(output))}
        assert {path for path in snapshot(output) if not path.startswith("_")} == live
        assert list((output / "_staging").iterdir()) == []
        assert list((output / "_pending").iterdir()) == []
        if died == 0:
            break
        published.append(after_death == new)
    assert died == 0
    # There is one step before which no death publishes, and after which every one does.
    assert published == sorted(published)
    assert (published.count(False) >= 15, published.count(True) > 20) == (True, True)


def _sent(found: tuple[list[dict[str, Any]], list[dict[str, Any]]]) -> tuple[int, ...]:
    return tuple(row["bytes_sent_sum"] for row in found[0] if row["role"] == "outbound")


def test_of_two_runs_of_one_batch_at_once_one_wins_whole(tmp_path: Path) -> None:
    output = tmp_path / "out"
    for name, sent in (("a", 1), ("b", 2)):
        _stage(write_batch(tmp_path / f"in-{name}", [[flow(source_bytes=sent)]]), tmp_path / name)
    processes = [
        FORK.Process(target=_publish_staged, args=(tmp_path / name, output)) for name in "ab" * 4
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 8
    deltas, pairs = rows(output)
    (sent,) = [row["bytes_sent_sum"] for row in deltas if row["role"] == "outbound"]
    assert sent in (1, 2)
    assert [row["bytes_sent_sum"] for row in pairs if row["role"] == "outbound"] == [sent]
    live = {file.path for file in live_files(read_manifests(output))}
    assert {path for path in snapshot(output) if not path.startswith("_")} == live


def _publish_slowly(staged: Path, output: Path) -> None:
    """Publish; when the manifest is about to count, wait until the file `go` is there."""
    replace = os.replace

    def waiting(source: Any, target: Any, *args: Any, **kwargs: Any) -> None:
        if "_manifests" in str(target):
            (output.parent / "waits").touch()
            while not (output.parent / "go").exists():
                time.sleep(0.01)
        replace(source, target, *args, **kwargs)

    setattr(os, "replace", waiting)  # noqa: B010 - its signature is a longer one
    _publish_staged(staged, output)


def test_batches_of_one_slice_do_not_wait_for_each_other(tmp_path: Path) -> None:
    output = tmp_path / "out"
    for name, sent in (("a", 1), ("b", 2)):
        batch = write_batch(tmp_path / f"in-{name}", [[flow(source_bytes=sent)]])
        _stage(batch, tmp_path / name, mini_batch=name)
    slow = FORK.Process(target=_publish_slowly, args=(tmp_path / "a", output))
    slow.start()
    while not (tmp_path / "waits").exists():
        assert slow.is_alive()
        time.sleep(0.01)

    _publish_staged(tmp_path / "b", output)

    assert _batches(output) == ["b"]
    (tmp_path / "go").touch()
    slow.join(60)
    assert slow.exitcode == 0
    assert _batches(output) == ["a", "b"]
    assert {file.path for file in live_files(read_manifests(output))} == {
        path for path in snapshot(output) if not path.startswith("_")
    }


def _batches(output: Path) -> list[str]:
    return sorted(manifest.facts.mini_batch_id for manifest in read_manifests(output))


def test_a_killed_run_of_one_batch_leaves_those_of_another_whole(tmp_path: Path) -> None:
    """At some of its steps: what runs of its own batch leave is tried at all of them."""
    other = write_batch(tmp_path / "other", [[flow(source_bytes=10)]])
    _stage(write_batch(tmp_path / "new", [[flow(source_bytes=2)]]), tmp_path / "s")
    died: int | None = 9
    for step in range(0, 1000, 3):
        output = tmp_path / f"out-{step}"
        publish(write_batch(tmp_path / "old", [[flow(source_bytes=1)]]), output)
        publish(other, output, mini_batch="other")
        died = run_apart(_publish_and_die, tmp_path / "s", output, step)
        assert sorted(_sent_by_batch(output)) in (
            [("mb", 1), ("other", 10)],
            [("mb", 2), ("other", 10)],
        )
        publish(other, output, mini_batch="other")
        assert sorted(_sent_by_batch(output)) in (
            [("mb", 1), ("other", 10)],
            [("mb", 2), ("other", 10)],
        )
        live = {file.path for file in live_files(read_manifests(output))}
        assert {path for path in snapshot(output) if not path.startswith("_")} == live
        if died == 0:
            break
    assert died == 0


def _sent_by_batch(output: Path) -> list[tuple[str, int]]:
    """What live files say that the host sent."""
    live = [file.path for file in live_files(read_manifests(output)) if file.table == "delta"]
    frame = pl.read_parquet([output / path for path in live])
    return frame.filter(host_ip="10.0.0.1").select("mini_batch_id", "bytes_sent_sum").rows()


class BrokenLog(QuietLog):
    """Can't say that a stage is done, as when nobody reads a pipe any more."""

    def done(self, stage: Stage, seconds: float, **facts: Any) -> None:
        del seconds, facts
        if stage is Stage.PUBLISH:
            raise BrokenPipeError(32, "Broken pipe")


def test_a_log_that_breaks_after_publication_does_not_look_like_a_failed_run(
    tmp_path: Path,
) -> None:
    runner = DeltaBuilderRunner(
        spec=make_spec(),
        params=RuntimeParams("mb", "run"),
        source=FolderSource(write_batch(tmp_path / "in", [[flow()]])),
        start_engine=started(ReferenceEngine()),
        sink=FolderSink(tmp_path / "out"),
        log=BrokenLog(),
    )

    with pytest.raises(
        AfterPublicationError, match="the run is published, but it could not be logged"
    ):
        runner.run()

    assert len(rows(tmp_path / "out")[0]) == 2


def test_what_a_query_writes_while_its_run_is_given_up_is_removed_too(tmp_path: Path) -> None:
    staging = tmp_path / "run-0123456789ab"
    (staging / "records").mkdir(parents=True)

    def write_late() -> None:
        while staging.exists():
            with suppress(OSError):
                (staging / f"records-{len(written)}.parquet").write_bytes(b"late")
                written.append(1)
            if len(written) == 5:
                return

    written: list[int] = []
    writer = threading.Thread(target=write_late)
    writer.start()
    while not written:
        time.sleep(0.001)
    remove_staging(staging)
    writer.join()

    assert written
    assert not staging.exists()


def test_a_staging_folder_that_such_a_query_makes_anew_is_removed_again(tmp_path: Path) -> None:
    staging = tmp_path / "run-0123456789ab"
    (staging / "delta").mkdir(parents=True)
    (staging / "delta" / "part-0.parquet").write_bytes(b"early")

    def write_again() -> None:
        while staging.exists():
            time.sleep(0.001)
        (staging / "delta").mkdir(parents=True)
        (staging / "delta" / "part-1.parquet").write_bytes(b"late")

    writer = threading.Thread(target=write_again)
    writer.start()
    remove_own_staging(staging)
    writer.join()

    assert not staging.exists()
