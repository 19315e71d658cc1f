"""Compiled packages that a cluster's Python lacks, taken from the bundle of wheels that came with the job.

A driver and each Python worker of an executor call this before they import what needs them. Wheels can't be imported
as they are, as the archive of plain Python can: the operating system loads compiled modules from files only.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from pyspark import SparkFiles, TaskContext

from ndr_adapters.aws.clients import s3_client
from ndr_adapters.aws.errors import aws_errors_named
from ndr_adapters.full_disk import full_disk_named
from ndr_adapters.scratch import scratch_folder, shared_folder
from ndr_adapters.spark.runtime.internals import submitted_conf
from ndr_adapters.wheel_bundle import BUNDLE, name_of_content, unpack
from ndr_core.errors import NdrError, UsageError
from ndr_core.publishing.location import S3Address, is_s3

_NEEDED: Final = ("polars", "_polars_runtime_32")
_USED: Final = (
    *_NEEDED,
    "isal",
    *(("backports.zstd",) if sys.version_info < (3, 14) else ()),
)
_FILES: Final = ("spark.yarn.dist.files", "spark.files")
"""Settings in which `spark-submit` leaves what `--files` was given: on YARN, and elsewhere."""


def provide_wheels(more: Sequence[str] = ()) -> bool:
    """Make compiled packages importable in this process, on the driver or in a task.

    Gives whether Polars is, and `more` modules that a job needs. Does nothing where all are installed. Where the bundle
    came with the job, it is unpacked once for all processes of this machine. Raises NdrError where the bundle is
    broken, not whole, made for another Python, or can't be fetched.
    """
    if _lacking(more):
        folder = _unpacked_bundle()
        if folder is None:
            return all(map(_is_there, (*_NEEDED, *more)))
        sys.path.append(str(folder))
        importlib.invalidate_caches()
        lacking = _lacking(more)
        if lacking:
            raise NdrError(
                f"{BUNDLE}: has no {', '.join(lacking)}; package and deploy the job again"
            )
    return True


def _lacking(more: Sequence[str]) -> list[str]:
    return [module for module in (*_USED, *more) if not _is_there(module)]


def _is_there(module: str) -> bool:
    if module in sys.modules:
        return True
    try:
        return find_spec(module) is not None
    except ImportError:
        return False  # of a package that is not there


def _unpacked_bundle() -> Path | None:
    address = None if TaskContext.get() else _submitted_address()
    if address is None:
        here = _local_bundle()
        return _unpacked(here) if here else None
    with scratch_folder() as folder:
        bundle = _fetched(address, folder)
        if not bundle.is_file():
            raise UsageError(f"{bundle}: no such file; --files names it")
        return _unpacked(bundle)


def _unpacked(bundle: Path) -> Path:
    return shared_folder(f"wheels-{name_of_content(bundle)}", lambda folder: unpack(bundle, folder))


def _local_bundle() -> Path | None:
    """The bundle where Spark has put it for a task, or for a driver that YARN started: in the working directory."""
    folder = SparkFiles.getRootDirectory() if TaskContext.get() else "."
    bundle = Path(folder, BUNDLE)
    return bundle if bundle.is_file() else None


def _submitted_address() -> str | None:
    """What `spark-submit --files` was given for the bundle, as a driver that was started by it can tell."""
    conf = submitted_conf()
    if conf is None:
        return None
    files = [file for key in _FILES for file in conf.get(key, "").split(",")]
    return next((file for file in files if urlsplit(file).path.endswith(f"/{BUNDLE}")), None)


def _fetched(address: str, folder: Path) -> Path:
    """The bundle as a file of this machine: on YARN in client mode Spark gives it to executors only."""
    parts = urlsplit(address)
    if parts.scheme in ("", "file"):
        return Path(unquote(parts.path))
    if not is_s3(address):
        raise UsageError(f"{address}: the driver can't fetch it; give --files a path, or s3://..")
    place = S3Address.parse(address, "--files")
    target = folder / BUNDLE
    with aws_errors_named(str(place)), full_disk_named(target):
        s3_client().download_file(place.bucket, place.key, str(target))
    return target
