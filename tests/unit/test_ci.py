"""The checks that others run: the workflow calls `.ci/run` on each Python that it should; hooks run locked tools."""

from __future__ import annotations

import re
import tomllib
from typing import Any, Final

import yaml

from tests.locks import ROOT, locked

WORKFLOW: Final[dict[Any, Any]] = yaml.safe_load(
    (ROOT / ".github" / "workflows" / "ci.yaml").read_text()
)
HOOKS: Final[list[dict[str, Any]]] = [
    hook
    for repository in yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    for hook in repository["hooks"]
]
PROJECT: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MAKEFILE: Final = (ROOT / "Makefile").read_text()


def test_the_workflow_runs_what_a_machine_of_ones_own_runs() -> None:
    (job,) = WORKFLOW["jobs"].values()

    (command,) = [step["run"] for step in job["steps"] if "run" in step]

    assert command == "bash .ci/run"
    assert (ROOT / ".ci" / "run").exists()


def test_the_workflow_runs_on_the_oldest_and_the_newest_python_that_the_project_supports() -> None:
    supported = [
        found[1]
        for line in PROJECT["classifiers"]
        if (found := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", line))
    ]
    (job,) = WORKFLOW["jobs"].values()

    tested = job["strategy"]["matrix"]["python"]

    assert tested == [supported[0], supported[-1]]
    assert PROJECT["requires-python"] == f">={supported[0]}"
    (step,) = [step for step in job["steps"] if "setup-python" in step.get("uses", "")]
    assert step["with"]["python-version"] == "${{ matrix.python }}"


def test_the_workflow_may_only_read_and_ends_in_time() -> None:
    (job,) = WORKFLOW["jobs"].values()

    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert "permissions" not in job
    assert 0 < job["timeout-minutes"] <= 120
    # What the code of a pull request runs must not find a token in the clone.
    assert job["steps"][0]["with"]["persist-credentials"] is False
    assert "pull_request_target" not in WORKFLOW[True]  # YAML takes the key `on` for true


def test_the_actions_of_the_workflow_are_named_by_commit() -> None:
    (job,) = WORKFLOW["jobs"].values()

    actions = [step["uses"] for step in job["steps"] if "uses" in step]

    assert actions
    assert [
        name for name in actions if not re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", name)
    ] == []


def test_hooks_before_a_commit_run_locked_tools_that_make_check_runs_too() -> None:
    tools = {hook["entry"].split()[0].removeprefix(".venv/bin/") for hook in HOOKS}

    assert tools == {"ruff", "typos"}
    assert tools <= set(locked())
    for tool in tools:
        assert f"$(BIN)/{tool}" in MAKEFILE.partition("\ncheck: ")[2].partition("\n\n")[0]
