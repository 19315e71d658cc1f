"""Fixtures: every test that takes `engine` runs on each engine; tests of Spark share one session."""

from __future__ import annotations

import os
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from ndr_core.deltas.engine import Engine
from tests.credentials import CREDENTIALS
from tests.planted_secrets import processes_watched, secrets_in

# `tests.support` and `tests.stand_in` are imported by the fixtures that use them: they bring Spark and AWS
# along, which unit tests do without.

# What a check of a change reports must not depend on luck, nor on how busy the machine is; runs by hand explore.
settings.register_profile("by hand", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "by hand")

# Before any JVM starts, which takes its environment along: no test may reach an account of the user's.
for variable in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[variable]
os.environ |= CREDENTIALS

NEEDS_BROWSER = "is missing: apt-get install chromium chromium-driver"
"""The end of the reason for which a test is skipped that looks at a page."""

REAL_DATA = "NDR_REAL_DATA"
"""Names the folder of real logs, which are no part of the project."""


@pytest.fixture(scope="session", autouse=True)
def _processes_watched() -> Iterator[None]:
    """No process that a test starts may say a credential."""
    with processes_watched():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test during which this process said a credential, on its outputs or in a log."""
    report = yield
    found = [title for title, text in report.sections if secrets_in(text)]
    if found and report.passed:
        report.outcome = "failed"
        report.longrepr = f"{', '.join(found)}: holds planted credentials"
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    """Say in the last line of the run when tests were left out, as there is no browser."""
    yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    skipped = reporter.stats.get("skipped", [])
    count = sum(NEEDS_BROWSER in str(report.longrepr) for report in skipped)
    if count:
        reporter.write_line(f"{count} tests were left out: a browser {NEEDS_BROWSER}")


@pytest.fixture(params=["polars", "spark", "spark-sql"])
def engine(request: pytest.FixtureRequest) -> Engine:
    from tests.support import ENGINES

    return ENGINES[request.param]()


@pytest.fixture
def zeek_day() -> Path:
    """A real day of Zeek conn.log. A test that takes it is skipped where there is no real data."""
    folder = os.environ.get(REAL_DATA)
    if not folder:
        pytest.skip(
            f"needs real logs: let {REAL_DATA} name the folder that holds zeek-conn-2024-04-19"
        )
    day = Path(folder) / "zeek-conn-2024-04-19"
    assert day.is_dir(), f"{REAL_DATA}: {day} is no folder"
    return day


@pytest.fixture(scope="session")
def aws_server() -> Iterator[str]:
    """Address of a server that stands in for AWS, one for all tests."""
    from tests.stand_in import moto_server

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
