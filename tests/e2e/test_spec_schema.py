"""Editors are given a JSON Schema in which each example, template and spec of the manual fits."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from ndr_adapters.local.spec_template import spec_template
from ndr_core.flows.presets.registry import PRESETS
from ndr_core.spec_kinds import KINDS, parse_spec
from ndr_entrypoints.cli import main

WITHOUT_SPARK = True

ROOT: Final = Path(__file__).parents[2]
EXAMPLES: Final = sorted((ROOT / "examples").glob("*.yaml"))
BASE: Final = {"project_name": "p", "input": {"preset": "paloalto"}}


def printed(*options: str) -> str:
    result = CliRunner().invoke(main, ["spec", "schema", *options])
    assert result.exit_code == 0
    return result.stdout


VALIDATORS: Final = {
    kind: Draft202012Validator(json.loads(printed("--kind", kind))) for kind in KINDS
}
VALIDATOR: Final = Draft202012Validator(json.loads(printed()))


def fits(data: Any) -> None:
    """A spec is valid, and no editor says otherwise: to editors, a date is a text."""
    validator = VALIDATORS[data["kind"]] if "kind" in data else VALIDATOR
    assert [
        error.message for error in validator.iter_errors(json.loads(json.dumps(data, default=str)))
    ] == []
    parse_spec(data)


def manual() -> list[Any]:
    """The specs, and parts of specs, in the manual."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    blocks = [
        block
        for page in pages
        for block in re.findall(r"^```yaml\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
    ]
    return [yaml.safe_load(block) for block in blocks]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_fits(example: Path) -> None:
    fits(yaml.safe_load(example.read_text()))


@pytest.mark.parametrize("preset", PRESETS)
def test_a_template_fits_and_so_do_its_counters_that_are_commented_out(preset: str) -> None:
    text = spec_template(preset)
    shown = re.search(r"^  # counters:\n((?:  #   .*\n)+)", text, re.MULTILINE)

    assert shown is not None
    counters = yaml.safe_load(shown[1].replace("  #   ", ""))
    fits(yaml.safe_load(text))
    fits(BASE | {"delta": {"counters": counters}})


def test_the_specs_of_the_manual_fit() -> None:
    specs = manual()

    assert specs
    for spec in specs:
        fits(spec if "project_name" in spec else BASE | spec)


def test_it_is_written_to_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    file = tmp_path / "jobspec.json"

    first = CliRunner().invoke(main, ["spec", "schema", "-o", str(file)])
    again = CliRunner().invoke(main, ["spec", "schema", "-o", str(file)])

    assert (first.exit_code, first.stderr) == (0, f"{file}: written\n")
    assert json.loads(file.read_text()) == VALIDATOR.schema
    assert again.exit_code == 2
    assert "is there already" in again.stderr
