"""Executors that die, tasks that fail or hang: the rows are the same, and nothing of a lost try is published."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ndr_adapters.local.sink import FolderSink
from ndr_adapters.local.source import FolderSource
from ndr_adapters.outputs import open_output
from ndr_adapters.polars.engine import PolarsEngine
from ndr_adapters.spark.runtime.java import ensure_java
from ndr_core.deltas.job import DeltaBuilderRunner
from ndr_core.jobs.ports import QuietLog
from ndr_core.jobs.run import RuntimeParams
from ndr_core.publishing.published import readable_runs
from ndr_core.quality.quarantine import QUARANTINE
from tests.engines.fanout_on_cluster import SPEC, STEPS
from tests.makers import flow, started, write_batch
from tests.soak import only_in_soak
from tests.storages.s3_run import FAST_START, rows

ROOT = Path(__file__).parents[2]
FAULTS = tuple(f"{step}:{fault}" for step in STEPS for fault in ("kill", "fail", "hang"))


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lines = [
        flow(
            source_ip=f"10.0.0.{n // 2 % 23}",
            destination_ip=f"192.0.2.{n % 41}",
            source_port=n // 2,
        )
        for n in range(3000)
    ]
    bad = [flow(source_ip=f"nowhere {n}") for n in range(40)]
    whole = [*lines, *bad]
    return write_batch(tmp_path_factory.mktemp("batch"), [whole[n::4] for n in range(4)])


@pytest.fixture(scope="module")
def runs(batch: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Fault -> the output of the run that met it."""
    ensure_java()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.engines.fanout_on_cluster"),
            *(str(batch), str(tmp_path_factory.mktemp("outputs")), *FAULTS),
        ],
        cwd=ROOT,
        env={
            **os.environ,
            **FAST_START,
            "PYTHONPATH": str(ROOT),
            "PYSPARK_PYTHON": sys.executable,
            "SPARK_LOCAL_IP": "127.0.0.1",
        },
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert all(run["met"] for run in told), "a fault that no task met"
    return {run["fault"]: Path(run["output"]) for run in told}


@pytest.fixture(scope="module")
def expected(batch: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("expected") / "out"
    DeltaBuilderRunner(
        spec=SPEC,
        params=RuntimeParams("mb", "run"),
        source=FolderSource(batch),
        start_engine=started(PolarsEngine()),
        sink=FolderSink(output),
        log=QuietLog(),
    ).run()
    return output


@only_in_soak
@pytest.mark.parametrize("fault", FAULTS)
def test_a_run_that_meets_a_fault_publishes_the_same_rows_and_no_file_of_a_lost_try(
    runs: dict[str, Path], expected: Path, fault: str
) -> None:
    output = runs[fault]

    assert rows(str(output)) == rows(str(expected))
    (run,) = readable_runs(open_output(output), ("delta", "pair")).manifests
    named = {file.path for file in run.files}
    tables = (*(output / "delta").rglob("*"), *(output / "pair").rglob("*"))
    found = (*tables, *(output / QUARANTINE).rglob("*"))
    data = {str(path.relative_to(output)) for path in found if path.is_file()}
    assert data == {path for path in named if not path.startswith("quality/")}
    assert sum(file.rows for file in run.files if file.table == QUARANTINE) == 1540
    assert not list((output / "_staging").glob("*"))
