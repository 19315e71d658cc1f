"""Published tables are read in one scan: a month of slices with few open files, runs of differing measures."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from ndr_adapters.local.manifests import manifest_path, read_manifests
from ndr_adapters.local.sink import FolderSink
from ndr_adapters.local.source import FolderSource
from ndr_adapters.outputs import open_output
from ndr_adapters.polars.engine import PolarsEngine
from ndr_adapters.polars.published import read_deltas, read_pairs
from ndr_core.deltas.job import DeltaBuilderRunner
from ndr_core.jobs.ports import QuietLog
from ndr_core.jobs.run import RuntimeParams
from ndr_core.publishing.entry import entry_of
from ndr_core.publishing.manifest import Manifest, OutputFile, contributions_of
from ndr_core.tables.slices import slice_path
from ndr_core.times import to_us
from tests.makers import (
    flow,
    make_spec,
    started,
    us,
    write_batch,
)

FIRST = "2025-03-01T10:00:00Z"
SLICES_OF_A_MONTH = 30 * 96
MOST_OPEN_FILES = 1024
READ = """
import json, os, sys
from ndr_adapters.outputs import open_output
from ndr_adapters.polars.published import read_deltas, read_pairs
published = open_output(sys.argv[1])
seen = {}
for read in (read_deltas, read_pairs):
    rows = read(published)
    by_slice = rows.group_by("dt", "hh", "mm", "role", "host_ip").len().collect()
    seen[read.__name__] = [by_slice.height, rows.explain().count("Parquet SCAN")]
seen["open files"] = len(os.listdir("/proc/self/fd"))
print(json.dumps(seen))
"""


def publish(
    folder: Path,
    output: Path,
    start: str = FIRST,
    **spec: Any,
) -> Manifest:
    source = write_batch(folder, [[flow(event_start=start, event_end=None)]])
    params = RuntimeParams(folder.name, "run", us(start), us(start) + 900_000_000)
    return (
        DeltaBuilderRunner(
            spec=make_spec(**spec),
            params=params,
            source=FolderSource(source),
            start_engine=started(PolarsEngine()),
            sink=FolderSink(output),
            log=QuietLog(),
        )
        .run()
        .manifest
    )


def levels(start: int) -> str:
    """A slice's folder, `dt=../hh=../mm=..`."""
    return slice_path("v1", start).partition("/")[2]


def moved(file: OutputFile, old: str, new: str) -> OutputFile:
    return evolve(file, path=file.path.replace(old, new))


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output with a run for each slice of 30 days: one published run, copied."""
    folder = tmp_path_factory.mktemp("month")
    output = folder / "out"
    run = publish(folder / "in", output)
    old = levels(us(FIRST))
    tables = [file for file in run.files if file.slice is not None]
    assert all(old in file.path for file in tables)
    content = {file.path: (output / file.path).read_bytes() for file in tables}
    begin = datetime(2025, 3, 1, tzinfo=UTC)
    for number in range(SLICES_OF_A_MONTH):
        new = levels(to_us(begin + number * timedelta(minutes=15)))
        files = tuple(moved(file, old, new) for file in tables)
        for file, origin in zip(files, tables, strict=True):
            (output / file.path).parent.mkdir(parents=True, exist_ok=True)
            (output / file.path).write_bytes(content[origin.path])
        facts = evolve(run.facts, mini_batch_id=f"in-{number}", bounds=None)
        copy = evolve(run, facts=facts, files=files, contributions=contributions_of(facts, files))
        manifest_path(output, entry_of(copy)).write_text(copy.to_json())
    manifest_path(output, entry_of(run)).unlink()
    return output


def test_a_month_of_slices_is_read_with_a_thousand_open_files_and_without_a_warning(
    month: Path,
) -> None:
    assert len(read_manifests(month)) == SLICES_OF_A_MONTH

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", READ, str(month)],
        preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_NOFILE, (MOST_OPEN_FILES, MOST_OPEN_FILES)
        ),
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    seen = json.loads(done.stdout)
    files = 2 * SLICES_OF_A_MONTH  # of each table: one for each role
    assert seen["read_deltas"] == seen["read_pairs"] == [files, 1]
    assert seen["open files"] < 100


def test_versions_with_differing_measures_give_all_columns_with_nulls_where_one_has_none(
    tmp_path: Path,
) -> None:
    output = tmp_path / "out"
    publish(tmp_path / "a", output, delta={"measures": ["sessions_cnt", "bytes_sent_sum"]})
    publish(
        tmp_path / "b",
        output,
        "2025-03-01T10:15:00Z",
        feature_spec_version="v2",
        delta={"measures": ["sessions_cnt", "peer_ip_nunique"]},
    )

    rows = read_deltas(open_output(output)).sort("mm", "role").collect()

    keys = ["host_ip", "slice_start_ts", "slice_end_ts"]
    partition = ["feature_spec_version", "dt", "hh", "mm", "role"]
    assert rows.columns == [
        *(*keys, "sessions_cnt", "bytes_sent_sum", "peer_ip_nunique"),
        *partition,
    ]
    assert rows.select("mm", "role", *rows.columns[3:5], "peer_ip_nunique").rows() == [
        ("00", "inbound", 1, 1000, None),
        ("00", "outbound", 1, 100, None),
        ("15", "inbound", 1, None, 1),
        ("15", "outbound", 1, None, 1),
    ]


def test_an_output_whose_address_looks_like_partition_keys_is_read_by_its_own_keys(
    tmp_path: Path,
) -> None:
    output = tmp_path / "role=none" / "team=a b%20*"
    output.mkdir(parents=True)
    publish(tmp_path / "in", output)

    rows = read_pairs(open_output(output)).sort("role").collect()

    assert "team" not in rows.columns
    assert rows.select("dt", "hh", "mm", "role").rows() == [
        ("2025-03-01", "10", "00", "inbound"),
        ("2025-03-01", "10", "00", "outbound"),
    ]
