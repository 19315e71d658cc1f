"""Fixtures: every test that takes `engine` runs on each engine; tests of Spark share one session."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from ndr_core.ports import Engine
from tests.support import ENGINES

# What a check of a change reports must not depend on luck; runs by hand explore.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

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
