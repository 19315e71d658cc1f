"""Engines are found by their names, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from ndr_core.errors import UsageError
from ndr_entrypoints.wiring import Wiring

WITHOUT_SPARK = True


@pytest.mark.parametrize("name", ["polars", "reference"])
def test_an_engine_is_found_by_its_name(name: str, tmp_path: Path) -> None:
    wiring = Wiring.between(str(tmp_path), str(tmp_path / "out"))

    assert wiring.engine(name).name == name


def test_an_unknown_engine_is_wrong_usage(tmp_path: Path) -> None:
    wiring = Wiring.between(str(tmp_path), str(tmp_path / "out"))

    with pytest.raises(UsageError, match="engine: 'pola' is unknown, did you mean 'polars'"):
        wiring.engine("pola")
