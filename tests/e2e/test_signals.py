"""A run that is asked to stop ends in order: one line, an exit code of the signal's, nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.cli import ndr, rows, run, write_spec
from tests.e2e.spark_noise import lines_said
from tests.makers import flow, write_batch
from tests.soak import only_in_soak
from tests.storages.s3_run import FAST_START

ROOT = Path(__file__).parents[2]
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A batch that takes every engine some seconds."""
    folder = tmp_path_factory.mktemp("large") / "in"
    assert ndr("generate", "--records", 300_000, "--output", folder, "--quiet").exit_code == 0
    return folder


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A TMPDIR of its own for the processes of a test."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def start(
    spec: Path, source: object, target: object, engine: str, *, alone: bool = False
) -> subprocess.Popen[str]:
    """Start a run; `alone`: in a process group of its own."""
    arguments = ["run", "--spec", spec, "--input", source, "--output", target, "--engine", engine]
    return subprocess.Popen(
        [sys.executable, "-m", "ndr_entrypoints.cli", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **FAST_START},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=alone,
    )


def lines_until(process: subprocess.Popen[str], text: str) -> list[str]:
    """What the process says until it says `text`."""
    assert process.stderr is not None
    said: list[str] = []
    for line in process.stderr:
        said.append(line)
        if text in line:
            return said
    raise AssertionError(said)


def records_in(scratch: Path) -> list[Path]:
    """Files in the scratch folders of runs. Locks hold nothing."""
    files = (path for folder in scratch.glob("ndr-*") for path in folder.rglob("*"))
    return [path for path in files if path.is_file() and path.name != "_lock"]


@pytest.mark.parametrize("engine", ["reference", "polars", "spark", "spark-sql"])
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_run_that_is_stopped_while_it_builds_says_so_and_leaves_nothing(
    number: signal.Signals, engine: str, large: Path, tmp_path: Path, scratch: Path
) -> None:
    on_spark = engine.startswith("spark")
    if on_spark and number is not signal.SIGTERM:
        pytest.skip("one signal is enough for engines that take long to start")
    spec, output = write_spec(tmp_path / "job.json"), tmp_path / "out"
    process = start(spec, large, output, engine)
    lines_until(process, "starting the engine")
    time.sleep(0.3)

    process.send_signal(number)
    began = time.monotonic()
    _, said = process.communicate(timeout=60)

    assert process.returncode == 128 + number, said
    ours = [line for line in said.splitlines() if line.startswith("ndr:")]
    assert ours == [f"ndr: stopped by {number.name}; nothing was published"]
    assert "Traceback" not in said
    assert time.monotonic() - began < 20
    assert list((output / "_staging").iterdir()) == []
    assert not (output / "delta").exists()
    time.sleep(2 if on_spark else 0)  # a JVM ends a moment after the process that started it
    assert records_in(scratch) == []


@pytest.mark.parametrize(
    ("engine", "stage", "seconds", "number"),
    [
        ("spark", "looking at the input", 1.2, signal.SIGINT),
        ("spark", "starting the engine", 1.5, signal.SIGTERM),
        pytest.param("spark", "starting the engine", 0.5, signal.SIGINT, marks=only_in_soak),
        pytest.param("spark-sql", "starting the engine", 4.0, signal.SIGTERM, marks=only_in_soak),
        pytest.param("spark", "looking at the input", 0.1, signal.SIGINT, marks=only_in_soak),
        pytest.param("spark", "looking at the input", 1.2, signal.SIGTERM, marks=only_in_soak),
        pytest.param("spark", "starting the engine", 1.5, signal.SIGINT, marks=only_in_soak),
        pytest.param("spark", "starting the engine", 1.5, signal.SIGHUP, marks=only_in_soak),
        pytest.param("spark-sql", "starting the engine", 0.5, signal.SIGINT, marks=only_in_soak),
    ],
)
def test_a_signal_to_spark_and_all_that_it_started_is_one_line(
    engine: str,
    stage: str,
    seconds: float,
    number: signal.Signals,
    large: Path,
    tmp_path: Path,
    scratch: Path,
) -> None:
    """As Ctrl-C on a terminal sends it: to Python, the JVM and its Python workers, while these start and build."""
    spec, output = write_spec(tmp_path / "job.json"), tmp_path / "out"
    process = start(spec, large, output, engine, alone=True)
    lines_until(process, stage)  # which has ended then
    time.sleep(seconds)

    os.killpg(process.pid, number)
    _, errors = process.communicate(timeout=60)  # until the JVM has ended, too

    assert [line for line in lines_said(errors) if "starting the engine" not in line] == [
        f"ndr: stopped by {number.name}; nothing was published"
    ]
    assert process.returncode == 128 + number
    assert list((output / "_staging").iterdir()) == []
    time.sleep(2)  # a JVM ends a moment after the process that started it
    assert records_in(scratch) == []
    assert list((output / "_staging").iterdir()) == []


def test_a_run_that_is_stopped_while_it_publishes_publishes_and_says_so(tmp_path: Path) -> None:
    """The process sends itself the signal right before the rename that publishes."""
    batch = write_batch(tmp_path / "in", [[flow()]])
    spec, output = write_spec(tmp_path / "job.json"), tmp_path / "out"
    program = (
        "import os, signal, sys\n"
        "replace = os.replace\n"
        "def stopped(source, target, **more):\n"
        "    if '_manifests' in str(target): os.kill(os.getpid(), signal.SIGTERM)\n"
        "    replace(source, target, **more)\n"
        "os.replace = stopped\n"
        "from ndr_entrypoints.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    arguments = ["run", "--spec", spec, "--input", batch, "--output", output, "--quiet"]

    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (
        143,
        "ndr: stopped by SIGTERM; the run is published\n",
    )
    assert len(rows(output)[0]) == 2
    assert list((output / "_staging").iterdir()) == []


def test_a_second_signal_ends_a_run_that_waits_for_a_lock(tmp_path: Path) -> None:
    import fcntl

    spec, output = write_spec(tmp_path / "job.json"), tmp_path / "out"
    batch = write_batch(tmp_path / "in", [[flow()]])
    assert run(spec, batch, output).exit_code == 0
    program = (
        "import sys, ndr_adapters.local.sink as sink\n"
        "place = sink.FolderStaging._moves\n"
        "def slow(*arguments):\n"
        "    print('publishing', file=sys.stderr, flush=True)\n"
        "    sys.stdin.readline()\n"
        "    return place(*arguments)\n"
        "sink.FolderStaging._moves = slow\n"
        "from ndr_entrypoints.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    arguments = ["run", "--spec", spec, "--input", batch, "--output", output, "--quiet"]
    process = subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines_until(process, "publishing")
    with (output / "_lock").open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        time.sleep(1.5)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)

    assert process.returncode == 143
    assert "stopped at once; the next run removes what this one left" in said
    assert run(spec, batch, output).exit_code == 0
    assert list((output / "_staging").iterdir()) == []


@pytest.fixture
def killed(large: Path, bucket: str, tmp_path: Path, scratch: Path) -> Callable[[str], None]:
    """Kills a run of an engine, and all that it started, while it holds records in its scratch folder."""

    def kill(engine: str) -> None:
        target = f"s3://{bucket}/out"
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "ndr_entrypoints.cli", "run"),
                *("--spec", str(write_spec(tmp_path / "job.json")), "--input", str(large)),
                *("--output", target, "--engine", engine),
            ],
            cwd=ROOT,
            env={**os.environ, **FAST_START},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until = time.monotonic() + 120
        while not records_in(scratch) and time.monotonic() < until:
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    return kill


@pytest.mark.parametrize("engine", ["polars", "spark"])
def test_the_next_run_removes_the_scratch_of_one_that_was_killed(
    engine: str, killed: Callable[[str], None], bucket: str, tmp_path: Path, scratch: Path
) -> None:
    killed(engine)
    left = records_in(scratch)
    assert left
    batch = write_batch(tmp_path / "in", [[flow()]])

    done = subprocess.run(
        [
            *(sys.executable, "-m", "ndr_entrypoints.cli", "run", "--engine", "polars"),
            *("--spec", str(tmp_path / "job.json"), "--input", str(batch)),
            *("--output", f"s3://{bucket}/out", "--json"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert json.loads(done.stdout)["report"]["kept"] == 1
    assert records_in(scratch) == []


LEFT_QUERY = """
import os, signal, sys, time
from ndr_adapters.interruptible import interruptible
from ndr_core.errors import StopRequested
from ndr_entrypoints.stopping import exit_stopped, signals_handled

def query():
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.5)

with signals_handled():
    try:
        interruptible(query, to_its_end=sys.argv[1] == "to its end")
    except StopRequested as stop:
        time.sleep(1)
        exit_stopped(stop, lambda code: print("in order"))
"""


@pytest.mark.parametrize(
    ("wait", "said", "code"), [("to its end", "in order\n", 0), ("not", "", 143)]
)
def test_python_does_not_end_in_order_beside_a_query_that_was_left(
    wait: str, said: str, code: int
) -> None:
    """Its own thread has ended; those of the engine may still call Python, and would abort the process."""
    done = subprocess.run(
        [sys.executable, "-c", LEFT_QUERY, wait], cwd=ROOT, capture_output=True, text=True
    )

    assert (done.stdout, done.returncode) == (said, code), done.stderr
