"""Jobs that `spark-submit` starts, in a Python that has nothing but what a Spark container has."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from ndr_adapters.sagemaker.package import build_package
from tests.storages.s3_run import FAST_START

TWO_EXECUTORS: Final = (
    *("--master", "local-cluster[2,1,1024]"),
    *("--conf", "spark.scheduler.minRegisteredResourcesRatio=1.0"),
)
"""Two JVMs with a core each. The job waits for both."""

needs_linux: Final = pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"),
    reason="the wheels of the lock that are fetched are those for Linux on x86-64",
)


def submit(
    spark_home: Path,
    python: Path,
    job: str,
    *options: object,
    arguments: list[str] | None = None,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """Run a job with the archive of plain Python, as the Spark image does, and these options of `spark-submit`."""
    folder = spark_home.parent
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    (folder / "job.zip").write_bytes(build_package().archive)
    (folder / "job.py").write_text(job)
    return subprocess.run(
        [
            spark_home / "bin" / "spark-submit",
            *map(str, options),
            *("--py-files", folder / "job.zip", folder / "job.py"),
            *(arguments or []),
        ],
        cwd=folder,
        env={
            **inherited,
            **FAST_START,
            "PYSPARK_PYTHON": str(python),
            "SPARK_HOME": str(spark_home),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "TMPDIR": str(folder),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=300,
    )


def events_kept_in(folder: Path) -> list[str]:
    """Give options by which Spark writes down in a folder what it does: one file for each SparkContext."""
    folder.mkdir()
    settings = {"enabled": "true", "dir": folder.as_uri(), "rolling.enabled": "false"}
    settings["compress"] = "false"
    return [
        part
        for name, value in settings.items()
        for part in ("--conf", f"spark.eventLog.{name}={value}")
    ]


def events_in(folder: Path) -> Iterator[dict[str, Any]]:
    """Give what Spark wrote down, of all its SparkContexts."""
    for path in folder.iterdir():
        with path.open() as lines:
            yield from map(json.loads, lines)
