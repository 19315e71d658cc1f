"""Wheels that came with a job, made importable: once for a machine, by whichever process comes first."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from pyspark import SparkConf

from ndr_adapters.aws.clients import s3_client
from ndr_adapters.scratch import scratch_folder, shared_folder
from ndr_adapters.spark.runtime import wheels
from ndr_adapters.spark.runtime.wheels import provide_wheels
from ndr_adapters.wheel_bundle import BUNDLE, write_bundle
from ndr_core.errors import NdrError, UsageError
from tests.storages.wheels import write_wheel

PROVIDES = """
import sys
from ndr_adapters.spark.runtime import wheels
from ndr_adapters import wheel_bundle
wheels._NEEDED = wheels._USED = ("tiny",)
unpack = wheels.unpack
def reported(bundle, folder):
    print("unpacks", flush=True)
    unpack(bundle, folder)
wheels.unpack = reported
assert wheels.provide_wheels()
import tiny
print("has it", flush=True)
sys.stdin.read()
"""

SHARES = """
import sys, time
from ndr_adapters.scratch import shared_folder
def fill(folder):
    print("fills", flush=True)
    time.sleep(1)
    (folder / "made").touch()
shared_folder("thing", fill)
print("has it", flush=True)
sys.stdin.read()
"""
ROOT = str(Path(__file__).parents[2])


@pytest.fixture(autouse=True)
def needed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One package is needed, which is not installed; nothing of this machine's folders is."""
    monkeypatch.setattr(wheels, "_NEEDED", ("tiny",))
    monkeypatch.setattr(wheels, "_USED", ("tiny",))
    monkeypatch.setattr(wheels, "submitted_conf", lambda: None)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "tiny", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle that lies where it is not looked for."""
    path = tmp_path / "job" / BUNDLE
    path.parent.mkdir()
    path.write_bytes(write_bundle([write_wheel(tmp_path / "in", "tiny")]))
    return path


def submitted(monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    """Let a driver have been started by `spark-submit` with these settings, a `_` for each dot."""
    conf = SparkConf(loadDefaults=False)
    for key, value in settings.items():
        conf.set(key.replace("_", "."), value)
    monkeypatch.setattr(wheels, "submitted_conf", lambda: conf)


def is_provided() -> bool:
    import tiny  # type: ignore[import-not-found]

    return bool(provide_wheels() and tiny.HERE)


def test_where_nothing_came_along_nothing_is_provided() -> None:
    before = list(sys.path)
    assert provide_wheels() is False
    assert sys.path == before


def test_what_is_installed_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "_NEEDED", ("polars",))
    monkeypatch.setattr(wheels, "_USED", ("polars", "backports.zstd"))
    monkeypatch.setattr(wheels, "_unpacked_bundle", lambda: pytest.fail("looked for a bundle"))
    before = list(sys.path)
    assert provide_wheels() is True
    assert sys.path == before


def test_the_bundle_is_found_in_the_working_directory(bundle: Path, tmp_path: Path) -> None:
    bundle.rename(tmp_path / BUNDLE)
    assert provide_wheels() is True
    assert is_provided()


def test_what_a_job_needs_beside_must_be_there_too(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheels, "_NEEDED", ())
    monkeypatch.setattr(wheels, "_USED", ())

    assert provide_wheels() is True
    assert provide_wheels(("tiny",)) is False

    submitted(monkeypatch, spark_files=str(bundle))

    with pytest.raises(NdrError, match="has no other; package and deploy the job again"):
        provide_wheels(("other",))
    assert provide_wheels(("tiny",)) is True
    assert is_provided()


@pytest.mark.parametrize("key", ["spark_files", "spark_yarn_dist_files"])
@pytest.mark.parametrize("address", ["{}", "file:{}", "file://{}", "/other.txt,file:{}#alias"])
def test_a_driver_finds_it_by_what_it_was_submitted_with(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, key: str, address: str
) -> None:
    submitted(monkeypatch, **{key: address.format(bundle)})
    assert provide_wheels() is True
    assert is_provided()


def test_a_driver_fetches_what_lies_in_s3(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, bucket: str
) -> None:
    s3_client().upload_file(str(bundle), bucket, f"ndr/{BUNDLE}")
    submitted(monkeypatch, spark_yarn_dist_files=f"s3://{bucket}/ndr/{BUNDLE}")
    assert provide_wheels() is True
    assert is_provided()


def test_what_can_not_be_fetched_is_named(monkeypatch: pytest.MonkeyPatch, bucket: str) -> None:
    submitted(monkeypatch, spark_yarn_dist_files=f"s3://{bucket}/none/{BUNDLE}")
    with pytest.raises(NdrError, match=f"s3://{bucket}/none/{BUNDLE}"):
        provide_wheels()
    submitted(monkeypatch, spark_files=f"hdfs://name/{BUNDLE}")
    with pytest.raises(UsageError, match=f"hdfs://name/{BUNDLE}: the driver can't fetch it"):
        provide_wheels()
    submitted(monkeypatch, spark_files=f"/nowhere/{BUNDLE}")
    with pytest.raises(UsageError, match=f"/nowhere/{BUNDLE}: no such file"):
        provide_wheels()


def test_a_bundle_that_lacks_a_package_says_which(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bundle.rename(tmp_path / BUNDLE)
    monkeypatch.setattr(wheels, "_USED", ("tiny", "other.below"))
    with pytest.raises(NdrError, match=r"ndr-wheels\.zip: has no other\.below; package and deploy"):
        provide_wheels()


def test_a_broken_wheel_is_named_and_nothing_of_it_stays(bundle: Path, tmp_path: Path) -> None:
    broken = write_wheel(tmp_path / "in", "broken")
    broken.write_bytes(broken.read_bytes()[:-30])
    (tmp_path / BUNDLE).write_bytes(
        write_bundle([tmp_path / "in" / "tiny-1.0-py3-none-any.whl", broken])
    )
    with pytest.raises(NdrError, match=r"broken-1\.0-py3-none-any\.whl is broken"):
        provide_wheels()
    assert bundle.is_file()
    assert [path for path in tmp_path.glob("ndr-*/*") if path.is_dir()] == []


def started(code: str, folder: Path) -> subprocess.Popen[str]:
    """A process that says "has it" once it has what it is about, and ends when its input does."""
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder), "PYTHONPATH": ROOT},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def said_before(process: subprocess.Popen[str]) -> list[str]:
    """What a process has said when it has it."""
    assert process.stdout is not None
    found = list(iter(lambda: next(process.stdout or iter(())).strip(), "has it"))
    assert process.poll() is None
    return found


def test_processes_that_start_at_the_same_time_unpack_once(bundle: Path, tmp_path: Path) -> None:
    bundle.rename(tmp_path / BUNDLE)
    processes = [started(PROVIDES, tmp_path) for _ in range(3)]
    assert sorted(map(said_before, processes)) == [[], [], ["unpacks"]]
    for process in processes:
        process.communicate("", timeout=60)


def test_a_folder_is_shared_as_long_as_a_process_that_has_it_lives(tmp_path: Path) -> None:
    first, second = (started(SHARES, tmp_path) for _ in range(2))
    assert sorted(map(said_before, (first, second))) == [[], ["fills"]], (
        "one fills, the other waits"
    )
    with scratch_folder() as other:
        made = other.parent / "thing" / "made"
        assert made.is_file()
    first.communicate("", timeout=60)
    with scratch_folder():
        assert made.is_file(), "the other process has it still"
    second.communicate("", timeout=60)
    with scratch_folder():
        assert not made.exists()


def test_a_folder_that_can_not_be_filled_is_not_there(tmp_path: Path) -> None:
    def half(folder: Path) -> None:
        (folder / "half").touch()
        raise NdrError("no more")

    with pytest.raises(NdrError, match="no more"):
        shared_folder("thing", half)
    assert [path for path in tmp_path.glob("ndr-*/*") if path.is_dir()] == []
    assert (shared_folder("thing", lambda folder: (folder / "whole").touch()) / "whole").is_file()


def test_it_takes_no_time_where_all_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    provide_wheels()
    started = time.process_time()
    for _ in range(100):
        provide_wheels()
    assert time.process_time() - started < 1.0
