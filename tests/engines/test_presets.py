"""The engines agree on the true form of each preset's source."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.makers import (
    differences,
    make_plan,
    make_spec,
    write_batch,
)
from tests.support import ENGINES, run_engine, run_reference

FIXTURES = Path(__file__).parents[1] / "fixtures"
FILES = sorted(str(path.relative_to(FIXTURES)) for path in FIXTURES.glob("*/*.json"))


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("engine", list(ENGINES))
def test_engines_agree_on_the_true_form(file: str, engine: str, tmp_path: Path) -> None:
    plan = make_plan(make_spec(file.partition("/")[0]))
    batch = write_batch(tmp_path / "in", [(FIXTURES / file).read_bytes().splitlines()])

    expected = run_reference(plan, batch)
    actual = run_engine(ENGINES[engine](), plan, batch, tmp_path / "out")

    assert differences(expected, actual) == []
    assert expected.report.kept + expected.report.skipped >= 1
