"""JobSpecs in files: a file that is wrong is named with its line, the template and the examples are valid."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ndr_adapters.local.spec_file import JobSpecFile
from ndr_adapters.local.spec_template import spec_template
from ndr_core.deltas.spec_reader import parse_job_spec
from ndr_core.errors import SpecError
from ndr_core.flows.presets.registry import PRESETS


@pytest.mark.parametrize("preset", list(PRESETS))
def test_the_commented_template_is_the_preset_with_all_defaults(preset: str) -> None:
    template = yaml.safe_load(spec_template(preset))
    expected = parse_job_spec({"project_name": "my-network", "input": {"preset": preset}})
    assert parse_job_spec(template) == expected


def test_the_examples_are_valid() -> None:
    examples = Path(__file__).parents[2] / "examples"
    assert {JobSpecFile(path).load().project_name for path in examples.glob("*.yaml")} == {"demo"}


def test_the_normalised_form_reads_back_from_yaml_as_the_same_spec() -> None:
    spec = parse_job_spec(
        {
            "project_name": "p",
            "input": {"preset": "zeek", "null_values": ["(empty)"]},
            "enrichment": {"port_sets": {"vnc": [5900, "5901-5903"]}},
        }
    )
    assert parse_job_spec(yaml.safe_load(yaml.safe_dump(spec.to_plain()))) == spec


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "line 1"),
        ("project_name: p\nproject_name: q\n", "line 2: the key 'project_name' is given twice"),
        ("? [1]\n: 2\n", "unhashable key"),
        ("", "holds nothing, expected a mapping of keys"),
    ],
)
def test_a_broken_spec_file_is_told_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(text)
    with pytest.raises(SpecError, match=str(path)) as refused:
        JobSpecFile(path).load()
    assert message in str(refused.value)
