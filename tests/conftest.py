"""Fixtures: every test that takes `engine` runs on each engine; tests of Spark share one session."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from ndr_core.deltas.engine import Engine
from tests.stand_in import CREDENTIALS, moto_server
from tests.support import ENGINES

# What a check of a change reports must not depend on luck; runs by hand explore.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

# Before any JVM starts, which takes its environment along: no test may reach an account of the user's.
for variable in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[variable]
os.environ |= CREDENTIALS

ZEEK_DAY = Path(__file__).parents[2] / "shared" / "data" / "zeek-conn-2024-04-19"


@pytest.fixture(params=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> Engine:
    return ENGINES[request.param]()


@pytest.fixture
def zeek_day() -> Path:
    """A real day of Zeek conn.log, which is not part of the project."""
    if not ZEEK_DAY.is_dir():
        pytest.skip(f"the real Zeek day is not at {ZEEK_DAY}")
    return ZEEK_DAY


@pytest.fixture(scope="session")
def aws_server() -> Iterator[str]:
    """Address of a server that stands in for AWS, one for all tests."""
    with moto_server() as address:
        yield address


@pytest.fixture
def aws(aws_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same, with this process and its children set up to use it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_server)
    return aws_server


@pytest.fixture
def bucket(aws: str) -> str:  # noqa: ARG001 - it has to be there
    """A new bucket."""
    from ndr_adapters.aws.clients import s3_client

    name = f"ndr-{uuid.uuid4().hex[:12]}"
    s3_client().create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    return name
