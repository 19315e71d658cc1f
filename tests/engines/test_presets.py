"""The engines agree on the true format of each preset's source."""

from __future__ import annotations

from pathlib import Path

import pytest

from ndr_core.flows.presets.registry import PRESETS
from tests.makers import (
    differences,
    make_plan,
    make_spec,
    write_batch,
)
from tests.support import ENGINES, run_engine, run_reference

FIXTURES = Path(__file__).parents[1] / "fixtures"
FILES = {"paloalto": "paloalto.json", "zeek": "zeek-conn.json", "vpcflow": "vpcflow.json"}


@pytest.mark.parametrize("preset", list(PRESETS))
@pytest.mark.parametrize("engine", list(ENGINES))
def test_engines_agree_on_the_true_format(preset: str, engine: str, tmp_path: Path) -> None:
    plan = make_plan(make_spec(preset))
    batch = write_batch(tmp_path / "in", [(FIXTURES / FILES[preset]).read_bytes().splitlines()])

    expected = run_reference(plan, batch)
    actual = run_engine(ENGINES[engine](), plan, batch, tmp_path / "out")

    assert differences(expected, actual) == []
    assert expected.report.kept >= 2
