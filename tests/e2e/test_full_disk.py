"""A disk that is full ends a run with one line, which names the path that could not be written."""

from __future__ import annotations

import io
import os
import random
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import polars as pl
import pytest

from ndr_adapters.full_disk import FullDiskError, full_disk_named
from ndr_adapters.local.durable import write_file
from ndr_core.errors import NdrError
from tests.e2e.cli import ndr, write_spec
from tests.e2e.spark_noise import lines_said
from tests.makers import flow, write_batch
from tests.soak import only_in_soak
from tests.storages.s3_run import FAST_START

ROOT = Path(__file__).parents[2]
FULL = "No space left on device"

MountDisk = Callable[[str], Path]


@contextmanager
def mounted(disk: Path, options: str) -> Iterator[None]:
    """Mount a disk of some size, given as options of tmpfs, at a folder while the block runs."""
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("disks can't be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(disk)], capture_output=True)


@pytest.fixture
def mount_disk(tmp_path: Path) -> Iterator[MountDisk]:
    """Mounts a disk of some size, given as options of tmpfs, until the test ends."""
    disk = tmp_path / "disk"
    disk.mkdir()

    with ExitStack() as disks:

        def mount(options: str) -> Path:
            disks.enter_context(mounted(disk, options))
            return disk

        yield mount


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("batch") / "in"
    assert ndr("generate", "--records", 4000, "--output", folder, "--quiet").exit_code == 0
    return folder


def failure(
    spec: Path,
    source: Path,
    target: object,
    engine: str,
    *,
    environment: dict[str, str] | None = None,
    file_bytes: int | None = None,
) -> str:
    """The one line in which a run fails, in a process of its own; `file_bytes`: how long its files may be."""

    def limit() -> None:
        if file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))

    arguments = ["run", "--spec", spec, "--input", source, "--output", target, "--engine", engine]
    done = subprocess.run(
        [sys.executable, "-m", "ndr_entrypoints.cli", *map(str, arguments), "--quiet"],
        cwd=ROOT,
        env={**os.environ, **FAST_START, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        preexec_fn=limit,
    )
    lines = lines_said(done.stdout)
    assert done.returncode == 1, done.stdout
    assert len(lines) == 1, done.stdout
    return lines[0]


@pytest.mark.parametrize(
    "engine", ["reference", "polars", "spark", pytest.param("spark-sql", marks=only_in_soak)]
)
def test_a_full_output_is_named(
    engine: str, batch: Path, mount_disk: MountDisk, tmp_path: Path
) -> None:
    disk = mount_disk("size=96k")

    line = failure(write_spec(tmp_path / "job.json"), batch, disk / "out", engine)

    assert line.startswith(f"ndr: {disk}/out/_staging/")
    assert f": can't be written: {FULL}" in line
    assert list((disk / "out" / "_staging").iterdir()) == []


def test_a_full_disk_is_named_whichever_part_of_a_file_meets_it(tmp_path: Path) -> None:
    """A failing end of a Parquet file hides the reason that a failing middle tells."""
    disk, draw = tmp_path / "disk", random.Random(0)
    disk.mkdir()
    rows = pl.DataFrame({f"column_{n}": [draw.random() for _ in range(300)] for n in range(40)})
    whole = io.BytesIO()
    rows.write_parquet(whole)

    for kib in range(8, len(whole.getvalue()) // 1024, 4):
        named = pytest.raises(FullDiskError, match=f"^{disk}: can't be written: {FULL}")
        with mounted(disk, f"size={kib}k"), named, full_disk_named(disk):
            rows.write_parquet(disk / "rows.parquet")


@pytest.mark.parametrize("engine", ["spark", pytest.param("spark-sql", marks=only_in_soak)])
def test_a_full_folder_for_scratch_is_named_by_spark(
    engine: str, batch: Path, mount_disk: MountDisk, tmp_path: Path
) -> None:
    disk = mount_disk("size=96k")
    scratch = {"TMPDIR": str(disk)}

    line = failure(
        write_spec(tmp_path / "job.json"), batch, tmp_path / "out", engine, environment=scratch
    )

    assert line.startswith(f"ndr: {disk}/ndr-{os.getuid()}/")
    assert FULL in line


def test_a_full_folder_for_scratch_is_named_by_polars(
    batch: Path, bucket: str, mount_disk: MountDisk, tmp_path: Path
) -> None:
    disk = mount_disk("size=96k")
    scratch = {"TMPDIR": str(disk)}

    line = failure(
        write_spec(tmp_path / "job.json"),
        batch,
        f"s3://{bucket}/out",
        "polars",
        environment=scratch,
    )

    assert line.startswith(f"ndr: {disk}/ndr-{os.getuid()}/")
    assert FULL in line


def test_the_copy_of_an_unreadable_file_that_finds_no_room_is_named(
    mount_disk: MountDisk, tmp_path: Path
) -> None:
    disk, source = mount_disk("size=256k"), write_batch(tmp_path / "in", [[flow()]])
    (source / "broken.json.gz").write_bytes(b"\x1f\x8b" + random.Random(0).randbytes(400_000))
    spec = write_spec(tmp_path / "job.json", quality={"on_unreadable_file": "quarantine"})

    line = failure(spec, source, disk / "out", "polars")

    assert line.startswith(f"ndr: {disk}/out/_staging/")
    assert f"broken.json.gz: can't be written: {FULL}" in line
    assert not (disk / "out" / "delta").exists()


@pytest.mark.parametrize("inodes", [2, 3, 4, 5])
def test_a_disk_without_room_for_one_more_name_is_no_wrong_usage(
    inodes: int, mount_disk: MountDisk, tmp_path: Path
) -> None:
    disk, source = mount_disk(f"nr_inodes={inodes}"), write_batch(tmp_path / "in", [[flow()]])

    line = failure(write_spec(tmp_path / "job.json"), source, disk / "out", "polars")

    assert line.startswith(f"ndr: {disk}/out")
    assert f": can't be written: {FULL}" in line


def test_scratch_that_finds_no_room_for_one_more_name_is_no_wrong_usage(
    bucket: str, mount_disk: MountDisk, tmp_path: Path
) -> None:
    disk, source = mount_disk("nr_inodes=3"), write_batch(tmp_path / "in", [[flow()]])
    scratch = {"TMPDIR": str(disk)}

    line = failure(
        write_spec(tmp_path / "job.json"),
        source,
        f"s3://{bucket}/out",
        "polars",
        environment=scratch,
    )

    assert line.startswith(f"ndr: {disk}/ndr-{os.getuid()}")
    assert f": can't be written: {FULL}" in line


@pytest.mark.parametrize("engine", ["reference", "polars"])
def test_a_file_that_may_not_grow_is_a_full_disk_too(
    engine: str, batch: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"

    line = failure(write_spec(tmp_path / "job.json"), batch, output, engine, file_bytes=8192)

    assert line.startswith(f"ndr: {output}/_staging/")
    assert ": can't be written: File too large" in line


def test_a_manifest_that_finds_no_room_is_named() -> None:
    with pytest.raises(NdrError, match=f"^/dev/full: can't be written: {FULL}"):
        write_file(Path("/dev/full"), "text")


def test_a_batch_that_is_generated_onto_a_full_disk_says_which_file_found_no_room(
    mount_disk: MountDisk,
) -> None:
    disk = mount_disk("size=64k")

    answer = ndr("generate", "--records", 20_000, "--output", disk / "in", "--quiet")

    assert answer.exit_code == 1
    assert answer.errors.startswith(f"ndr: {disk}/in/part-00")
    assert f".json.gz: can't be written: {FULL}" in answer.errors
