"""Commands run in the tests' own process, whose one Spark session has to reach S3 whichever test comes first."""

from __future__ import annotations

import pytest

from tests.support import spark_session


@pytest.fixture(scope="module", autouse=True)
def _session_with_s3(request: pytest.FixtureRequest) -> None:
    """Start Spark, but for a module that says it does without: a start takes its time."""
    if not getattr(request.module, "WITHOUT_SPARK", False):
        spark_session()
