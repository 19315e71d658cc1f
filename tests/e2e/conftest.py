"""Commands run in the tests' own process, whose one Spark session has to reach S3 whichever test comes first."""

from __future__ import annotations

import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pyspark
import pytest

from ndr_adapters.sagemaker.package import DELTA_BUILDER, JobPackage
from ndr_adapters.sagemaker.wheels import digest_of
from ndr_adapters.spark.runtime.java import ensure_java
from ndr_adapters.wheel_bundle import BUNDLE, write_bundle
from tests.e2e.deployment import Deployment, deploy
from tests.lock_wheels import fetched
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


@pytest.fixture(scope="session")
def bundle_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The locked wheels that a script is given, for the Python that runs the tests."""
    folder = tmp_path_factory.mktemp("wheels")
    python = f"{sys.version_info.major}{sys.version_info.minor}"
    package = JobPackage(b"", {}, tuple(fetched(python, folder)))

    def written(script: str) -> Path:
        wheels = package.wheels_of(script)
        path = folder / digest_of(wheels) / BUNDLE
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(write_bundle(folder / one.name / one.file_name for one in wheels))
        return path

    return written


@pytest.fixture(scope="session")
def bundle(bundle_of: Callable[[str], Path]) -> Path:
    """The wheels of a job that makes no baselines."""
    return bundle_of(DELTA_BUILDER)


@pytest.fixture
def spark_home(tmp_path: Path) -> Path:
    """Spark as it is installed, with room of its own for what its workers leave behind."""
    ensure_java()
    home = tmp_path / "spark"
    home.mkdir()
    for part in Path(pyspark.__file__).parent.iterdir():
        if part.name != "work":
            (home / part.name).symlink_to(part)
    return home


@pytest.fixture
def deployment(tmp_path: Path, bucket: str) -> Deployment:
    """A job with a batch of two small files, one bad line among them."""
    return deploy(tmp_path, bucket)
