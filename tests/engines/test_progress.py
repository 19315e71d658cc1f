"""Every engine tells how far its build is, up to all bytes and records of the batch."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

from ndr_adapters.local.sink import FolderSink
from ndr_adapters.local.source import FolderSource
from ndr_adapters.reference.engine import ReferenceEngine
from ndr_core import progress as progress_module
from ndr_core.deltas.engine import Engine
from ndr_core.deltas.job import DeltaBuilderRunner
from ndr_core.jobs.ports import QuietLog
from ndr_core.jobs.run import RuntimeParams
from ndr_core.progress import Progress
from ndr_entrypoints.wiring import Wiring
from tests.e2e.cli import ndr, write_spec
from tests.e2e.terminal import shown_on_terminal
from tests.makers import flow, make_spec, started, write_batch
from tests.soak import only_in_soak
from tests.support import ENGINES, upload

ALL_ENGINES = {"reference": ReferenceEngine, **ENGINES}
SPEC = make_spec(delta={"measures": ["sessions_cnt"]}, quality={"on_unreadable_file": "quarantine"})


@define
class ProgressLog(QuietLog):
    """Keeps what a run says of its progress."""

    told: list[Progress] = field(factory=list)

    def progress(self, progress: Progress) -> None:
        self.told.append(progress)


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_module, "_REPORT_SECONDS", 0.01)


def told_of(wiring: Wiring, engine: Engine) -> list[Progress]:
    log = ProgressLog()
    DeltaBuilderRunner(
        spec=SPEC,
        params=RuntimeParams("mb", "run"),
        source=wiring.source,
        start_engine=started(engine),
        sink=wiring.sink,
        log=log,
    ).run()
    return log.told


def folders(tmp_path: Path) -> Wiring:
    return Wiring(FolderSource(tmp_path / "in"), FolderSink(tmp_path / "out"), None)


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("name", list(ALL_ENGINES))
@pytest.mark.parametrize("files", [1, 5])
def test_the_last_word_of_a_build_is_all_bytes_and_records(
    name: str, files: int, tmp_path: Path
) -> None:
    both: list[Any] = [flow(), "bad"]
    lines = [both * 700] * files
    batch = write_batch(tmp_path / "in", lines)

    told = told_of(folders(tmp_path), ALL_ENGINES[name]())

    assert (told[-1].done_bytes, told[-1].records) == (size_of(batch), files * 1400)
    assert {one.total_bytes for one in told} == {size_of(batch)}
    assert all(0 <= one.share <= 1 for one in told)
    assert [one.done_bytes for one in told] == sorted(one.done_bytes for one in told)


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("name", list(ALL_ENGINES))
def test_a_build_without_a_broken_file_counts_the_others_only(name: str, tmp_path: Path) -> None:
    batch = write_batch(tmp_path / "in", [[flow()] * 10, [flow()] * 20])
    good = size_of(batch)
    whole = (batch / "part-000.json.gz").read_bytes()
    (batch / "part-002.json.gz").write_bytes(whole[:-9])

    last = told_of(folders(tmp_path), ALL_ENGINES[name]())[-1]

    assert (last.done_bytes, last.total_bytes, last.records) == (good, good, 30)


@pytest.mark.parametrize("name", list(ALL_ENGINES))
def test_a_batch_of_empty_files_is_all_read(name: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "empty.json").write_bytes(b"")

    last = told_of(folders(tmp_path), ALL_ENGINES[name]())[-1]

    assert (last.share, last.records, last.seconds_left) == (1.0, 0, None)


def test_bytes_in_s3_are_counted_as_they_lie_there(bucket: str, tmp_path: Path) -> None:
    batch = write_batch(tmp_path / "in", [[flow()] * 5000, [flow()] * 10])
    wiring = Wiring.between(upload(batch, bucket, "in"), str(tmp_path / "out"))

    last = told_of(wiring, wiring.engine("polars"))[-1]

    assert (last.done_bytes, last.records) == (size_of(batch), 5010)


def test_spark_sql_counts_while_it_reads_and_not_after(tmp_path: Path) -> None:
    """Not only at the end: what its own books say of the job that reads is nearly all of the input."""
    from ndr_adapters.spark.runtime.progress import reading_metered
    from ndr_adapters.spark.runtime.settings import session_for
    from ndr_core.progress import Meter
    from tests.support import spark_session

    batch = write_batch(tmp_path / "in", [[flow()] * 3000])
    session, meter = session_for(spark_session(), 1), Meter(10 * size_of(batch))
    with reading_metered(session, meter):
        session.read.text(str(batch)).count()
        seen = meter.progress()
        until = time.monotonic() + 20  # Spark's books are written a moment later
        while seen.records < 3000 and time.monotonic() < until:
            seen = meter.progress()
    session.read.text(str(batch)).count()

    assert seen.records == 3000
    assert size_of(batch) <= seen.done_bytes <= 2 * size_of(batch)
    assert meter.progress().records == 3000


@pytest.mark.parametrize("columns", [pytest.param(80, marks=only_in_soak), 140])
def test_a_terminal_shows_bytes_records_and_time_left(columns: int, tmp_path: Path) -> None:
    """Of the reference, which takes its time on any machine: a build of less than a second shows no progress."""
    batch = tmp_path / "in"
    assert ndr("generate", "--records", 30_000, "--output", batch, "--quiet").exit_code == 0
    spec = write_spec(tmp_path / "job.json")
    arguments = ["run", "--spec", spec, "--input", batch, "--output", tmp_path / "out"]
    arguments += ["--engine", "reference"]

    text = shown_on_terminal(*arguments, columns=columns)

    assert re.search(r"[\d.]+ of [\d.]+ MB \(\d+ %\), [\d,]+ records/s, \d+ s left", text), text
    assert ("━" in text) == (columns > 100)
