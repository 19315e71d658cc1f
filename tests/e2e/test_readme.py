"""The README's Python examples run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_runs(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    exec(compile(EXAMPLES[number], f"README.md, example {number + 1}", "exec"), {})


def test_every_output_column_is_in_the_readme() -> None:
    from tests.makers import make_plan

    text = (ROOT / "README.md").read_text()
    for column in make_plan().delta.columns:
        name = re.sub(
            r"_p(25|50|75|95|99)$|^peer_(ip|port)_top1|^[a-z_]+(?=_sessions_cnt)", "", column.name
        )
        assert name.strip("_") in text, column.name
