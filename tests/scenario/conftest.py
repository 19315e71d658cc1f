from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenario.logs import Written


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Ten days of 400 hosts: a weekend lies in them."""
    return Written.new(Path(tmp_path_factory.mktemp("scenario")), seed=7, days=10, hosts=400)
