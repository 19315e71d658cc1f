"""The compiled packages of a deployed job: pinned, fetched once and whole, bundled, unpacked."""

from __future__ import annotations

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from ndr_adapters.compression import INFLATERS
from ndr_adapters.sagemaker.package import DEPENDENCIES
from ndr_adapters.sagemaker.wheels import Wheel, fetch, pinned_wheels, wheel_folder
from ndr_adapters.wheel_bundle import BUNDLE, name_of_content, unpack, write_bundle
from ndr_core.errors import NdrError, UsageError
from tests.lock_wheels import COMPILED, PINS
from tests.locks import ROOT, locked
from tests.storages.wheels import PackageIndex, write_wheel

OF_THE_IMAGE = {"boto3", "botocore", "pyspark", "py4j"}


def test_the_pins_say_the_same_as_the_lock() -> None:
    known = locked()
    pins = pinned_wheels()
    assert [wheel.name for wheel in pins] == list(COMPILED)
    for wheel in pins:
        version, hashes = known[wheel.name]
        assert (wheel.version, wheel.sha256 in hashes) == (version, True), "run `make lock`"
    assert PINS.read_text() == "".join(f"{wheel.line()}\n" for wheel in pins)


def test_the_pinned_files_are_for_the_image() -> None:
    for wheel in pinned_wheels():
        assert wheel.file_name.endswith(("_x86_64.whl", "-any.whl"))
        assert any(tag in wheel.file_name for tag in ("-cp312-cp312-", "-abi3-", "-py3-none-any"))


def test_the_archive_and_the_wheels_hold_all_that_executors_import() -> None:
    adapters = ROOT / "ndr_adapters"
    files = [adapters / "compression.py"] + [
        path for room in ("polars", "s3", "aws") for path in (adapters / room).rglob("*.py")
    ]
    names = {
        name.partition(".")[0]
        for path in files
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else _names(node))
    }
    names |= {name.partition(".")[0] for name in INFLATERS}  # imported by name, as it may come late
    by_module = packages_distributions()
    foreign = {
        distribution.lower()
        for name in names - set(sys.stdlib_module_names) - {"ndr_core", "ndr_adapters"}
        for distribution in by_module.get(name, ())
    }
    given = {*DEPENDENCIES, *COMPILED, *OF_THE_IMAGE}
    assert {"polars", "isal", "boto3"} <= foreign
    assert {name for name in foreign if not name.startswith(("mypy-boto3", "types-"))} <= given


def _names(node: ast.Import) -> list[str]:
    return [alias.name for alias in node.names]


def test_each_compiled_dependency_of_the_project_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {line.partition(">")[0].replace(".", "-") for line in project["dependencies"]}
    of_the_laptop = {"pyyaml", "rich"}  # JobSpecs in files, tables on a terminal
    assert named - set(DEPENDENCIES) - of_the_laptop <= set(COMPILED)


def test_what_is_there_and_whole_is_not_fetched_again(index: PackageIndex) -> None:
    told: list[str] = []
    (path,) = fetch([index.wheel], told.append)
    assert told == [f"fetching {path.name} with pip into {index.fetched}"]
    fetch([index.wheel], told.append)
    assert len(told) == 1
    path.write_bytes(b"half a wh")
    fetch([index.wheel], told.append)
    assert len(told) == 2
    assert path.read_bytes() == index.file.read_bytes()
    assert list(index.fetched.iterdir()) == [path]


def test_a_file_that_is_not_the_pinned_one_is_not_kept(index: PackageIndex) -> None:
    pinned = Wheel("tiny", "1.0", "0" * 64, index.file.name)
    with pytest.raises(
        NdrError, match=r"tiny==1\.0: the package index has a file with another SHA"
    ):
        fetch([pinned], print)
    assert list(index.fetched.iterdir()) == []


def test_a_python_without_pip_is_wrong_usage(
    index: PackageIndex, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bare = tmp_path / "python"
    bare.write_text('#!/bin/sh\necho "$0: No module named pip" >&2; exit 1\n')
    bare.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(bare))
    with pytest.raises(UsageError, match=r"has no pip.*ensurepip.*--without-wheels"):
        fetch([index.wheel], print)


def test_a_folder_that_can_not_be_made_is_wrong_usage(
    index: PackageIndex, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("NDR_WHEELS", str(tmp_path / "file" / "below"))
    with pytest.raises(UsageError, match=r"file/below: can't be written: .*NDR_WHEELS"):
        fetch([index.wheel], print)


def test_wheels_are_kept_in_the_users_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NDR_WHEELS", raising=False)
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert wheel_folder() == Path("/cache/ndr/wheels")
    for no_folder in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", no_folder)
        assert wheel_folder() == Path("/home/somebody/.cache/ndr/wheels")


def bundle_of(folder: Path, *wheels: Path) -> Path:
    path = folder / BUNDLE
    path.write_bytes(write_bundle(wheels))
    return path


def test_a_bundle_is_made_of_its_wheels_alone(tmp_path: Path) -> None:
    one, two = (write_wheel(tmp_path / "in", name) for name in ("one", "two"))
    assert write_bundle([one, two]) == write_bundle([two, one])
    first = name_of_content(bundle_of(tmp_path, one, two))
    assert first != name_of_content(bundle_of(tmp_path, one))
    unpack(bundle_of(tmp_path, one, two), tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("one", "one-1.0.dist-info", "two", "two-1.0.dist-info"),
    }


def test_a_broken_bundle_or_wheel_is_named(tmp_path: Path) -> None:
    good, bad = (write_wheel(tmp_path / "in", name) for name in ("good", "bad"))
    bad.write_bytes(bad.read_bytes()[:-30])
    broken = bundle_of(tmp_path, good, bad)
    with pytest.raises(NdrError, match=r"ndr-wheels\.zip: bad-1\.0-py3-none-any\.whl is broken"):
        unpack(broken, tmp_path / "out")
    broken.write_bytes(broken.read_bytes()[:-30])
    with pytest.raises(NdrError, match=r"ndr-wheels\.zip: is broken"):
        name_of_content(broken)


def test_a_flipped_byte_is_found(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / "in", "good")
    bundle = bundle_of(tmp_path, wheel)
    content = bytearray(bundle.read_bytes())
    content[content.index(b"HERE")] ^= 1
    bundle.write_bytes(content)
    with pytest.raises(NdrError, match=r"good-1\.0-py3-none-any\.whl is broken"):
        unpack(bundle, tmp_path / "out")


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ("cp39-cp39-manylinux_2_17_x86_64", "made for cp39, not for Python 3"),
        ("cp399-abi3-manylinux_2_17_x86_64", "made for cp399, not for Python 3"),
        ("py3-none-manylinux_2_17_s390x", "made for manylinux_2_17_s390x, not for"),
    ],
)
def test_a_wheel_for_another_python_or_machine_is_refused(
    tmp_path: Path, tags: str, said: str
) -> None:
    bundle = bundle_of(tmp_path, write_wheel(tmp_path / "in", "other", tags))
    with pytest.raises(NdrError, match=f"other-1.0-{tags}.whl: is {said}"):
        unpack(bundle, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_wheel_of_the_stable_abi_fits_later_pythons_too(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path, write_wheel(tmp_path / "in", "stable", "cp39-abi3-any"))
    unpack(bundle, tmp_path / "out")
    assert (tmp_path / "out" / "stable").is_dir()
