"""Commands run in the tests' own process, whose one Spark session has to reach S3 whichever test comes first."""

from __future__ import annotations

import pytest

from tests.support import spark_session


@pytest.fixture(scope="session", autouse=True)
def _session_with_s3() -> None:
    spark_session()
