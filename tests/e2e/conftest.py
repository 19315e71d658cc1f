"""Commands run in the tests' own process, whose one Spark session has to reach S3 whichever test comes first."""

from __future__ import annotations

import venv
from pathlib import Path

import pytest

from tests.support import spark_session


@pytest.fixture(scope="module", autouse=True)
def _session_with_s3(request: pytest.FixtureRequest) -> None:
    """Start Spark, but for a module that says it does without: a start takes its time."""
    if not getattr(request.module, "WITHOUT_SPARK", False):
        spark_session()


@pytest.fixture
def bare_python(tmp_path: Path) -> Path:
    """A Python with pyspark and boto3, what these need, and nothing else: as in the Spark container."""
    import boto3

    home = tmp_path / "bare"
    venv.create(home, symlinks=True)
    installed = Path(boto3.__file__).parents[1]
    (site,) = home.glob("lib/python*/site-packages")
    allowed = (
        *("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six.py", "urllib3"),
        *("pyspark", "py4j", "setuptools", "_distutils_hack", "distutils-precedence.pth"),
    )
    for name in allowed:
        if (installed / name).exists():
            (site / name).symlink_to(installed / name)
    return home / "bin" / "python"
