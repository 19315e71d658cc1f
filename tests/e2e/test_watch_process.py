"""Watchers that go on: woken by what lands, alone, stopped by signals; and folders of many files."""

from __future__ import annotations

import errno
import gzip
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from watchdog.observers import Observer

from ndr_entrypoints import watch_log
from ndr_entrypoints.commands.watch import _waiting as waiting
from tests.e2e.cli import write_spec
from tests.e2e.landing import LATER, at, lines_of, sessions, watch, watched, write
from tests.soak import only_in_soak

WITHOUT_SPARK = True

ROOT = Path(__file__).parents[2]


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return write_spec(tmp_path / "job.json")


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    folder = tmp_path / "landing"
    folder.mkdir()
    return folder


def start(landing: Path, spec: Path, output: Path, *, every: str = "1h") -> subprocess.Popen[str]:
    """A watcher; one that looks once an hour is woken by what lands alone."""
    options = ["--spec", str(spec), "--output", str(output), "--every", every]
    return subprocess.Popen(
        [sys.executable, "-m", "ndr_entrypoints", "watch", str(landing), *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.PIPE,
        text=True,
    )


def until_said(process: subprocess.Popen[str], text: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"never said {text}")


def test_a_watcher_wakes_for_what_lands_and_is_alone_and_ends_in_order(
    landing: Path, spec: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    write(landing / "a", at(3), moment=LATER)
    process = start(landing, spec, output)
    try:
        until_said(process, "a: read 1, kept 1")
        second = watch(landing, spec, output)
        outside = write(tmp_path / "outside", at(4))
        time.sleep(0.05)
        outside.rename(landing / "b")
        until_said(process, "b: read 1, kept 1")
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()

    assert second.exit_code == 2
    assert f"is watched already, by process {process.pid}" in second.errors
    assert process.returncode == 143
    assert said.splitlines()[-1] == (
        "ndr: stopped by SIGTERM; 2 mini-batches were published since the start"
    )
    assert watched(landing, spec, output) == []
    assert sessions(output) == 2


def test_a_watcher_looks_now_and_then_where_the_system_can_not_tell_what_lands(
    landing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    news = watch_log.WatchNews(told.append, told.append)
    limit = OSError(errno.EMFILE, "inotify instance limit reached")
    monkeypatch.setattr(Observer, "start", lambda _observer: raises(limit))

    with waiting(landing, False, news) as wait:
        assert wait is time.sleep

    assert "inotify instance limit reached" in told[0]


def raises(error: OSError) -> None:
    raise error


def test_a_watcher_outlives_that_its_folder_is_away_for_a_while(
    landing: Path, spec: Path, tmp_path: Path
) -> None:
    write(landing / "a", at(3), moment=LATER)
    process = start(landing, spec, tmp_path / "out", every="1s")
    try:
        until_said(process, "a: read 1, kept 1")
        landing.rename(tmp_path / "away")
        until_said(process, "watching: not built: landing")
        (tmp_path / "away").rename(landing)
        write(landing / "b", at(4), moment=LATER)
        until_said(process, "b: read 1, kept 1")
    finally:
        process.kill()

    assert sessions(tmp_path / "out") == 2


@pytest.mark.parametrize("files", [6, pytest.param(1_000, marks=only_in_soak)])
def test_a_folder_of_many_files_is_caught_up_with(
    files: int,
    landing: Path,
    spec: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    output = tmp_path / "out"
    monkeypatch.setattr(watch_log, "_FEW", 5)
    content = [
        gzip.compress(b"".join(lines_of(at(3, source_port=number)))) for number in range(files)
    ]
    for number, one in enumerate(content):
        path = landing / f"{number:05}.json.gz"
        path.write_bytes(one)
        os.utime(path, (LATER + number,) * 2)

    answer = watch(landing, spec, output, "--no-compact")

    assert answer.exit_code == 0, answer.errors
    assert f"{files:,} to build" in caplog.text
    assert f"{files:,} of {files:,} (100 %)" in caplog.text
    assert "mini-batches/s" in caplog.text
    assert sessions(output) == files
    assert watched(landing, spec, output, "--no-compact") == []
