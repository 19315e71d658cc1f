"""Manifests as they are read, whatever they hold; and names for copies of files that can't be read."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from ndr_core.deltas.plan import compile_plan
from ndr_core.jobs.run import RuntimeParams
from ndr_core.publishing.layout import stored_name
from ndr_core.publishing.manifest import (
    TOP_FOLDERS,
    Manifest,
    ManifestError,
    OutputFile,
    RunFacts,
)
from ndr_core.quality.report import make_report
from tests.makers import make_spec

SLICE = "delta/feature_spec_version=v1/dt=2025-03-01/hh=10/mm=00"
TOKEN = "0123456789ab"


def made(token: str = TOKEN, sequence: int = 1) -> Manifest:
    plan = compile_plan(make_spec(), RuntimeParams("mb", "run"))
    report = make_report(plan.reject_rules, 1, {}, {}, 0, {})
    facts = RunFacts.of(plan, report, "reference", "test")
    file = OutputFile(SLICE, f"{SLICE}/role=inbound/part-00000-{token}.parquet", 1, 1, "00")
    return Manifest(sequence, token, facts, (SLICE,), (file,))


def naming(path: str, folder: str = SLICE, folders: tuple[str, ...] = (SLICE,)) -> Manifest:
    """A manifest with one file, read from the JSON text that says so."""
    manifest = made()
    file = evolve(manifest.files[0], path=path, folder=folder)
    return Manifest.from_json(evolve(manifest, files=(file,), folders=folders).to_json())


def test_a_manifest_is_read_back_as_it_was_written() -> None:
    assert Manifest.from_json(made().to_json()) == made()


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("../VICTIM", r"'\.\./VICTIM', which has an empty, '\.' or '\.\.' segment"),
        ("/etc/passwd", "segment"),
        ("delta/../../x", "segment"),
        (f"{SLICE}/../../../../../../x", "segment"),
        (f"{SLICE}/./x", "segment"),
        (f"{SLICE}//x", "segment"),
        (f"{SLICE}/role=a/", "segment"),
        ("", "segment"),
        (f"{SLICE}/role=a\\..\\x", "backslash"),
        (f"{SLICE}/role=a/x\n", "control character"),
        (f"{SLICE}/role=a/\ud800", "control character"),
        ("_manifests/000000000001.json", "does not lie in one of delta, pair"),
        ("home/x", "does not lie in one of delta, pair"),
        (SLICE, "does not lie below its folder"),
        (f"{SLICE}0/role=a/x", "does not lie below its folder"),
        (f"{SLICE}/inbound/x", "no partition KEY=VALUE"),
    ],
)
def test_a_path_to_which_no_run_writes_is_an_error_that_says_which_and_why(
    path: str, why: str
) -> None:
    with pytest.raises(ManifestError, match=why):
        naming(path)


@pytest.mark.parametrize("folder", ["../VICTIM", "/", "delta/../..", "home", "", "delta//x"])
def test_a_folder_to_which_no_run_writes_is_an_error_even_without_files(folder: str) -> None:
    with pytest.raises(ManifestError, match="names the path"):
        Manifest.from_json(evolve(made(), folders=(folder,), files=()).to_json())


def test_a_file_belongs_to_a_folder_that_its_run_replaced() -> None:
    other = SLICE.replace("mm=00", "mm=15")
    with pytest.raises(ManifestError, match="not among the folders"):
        naming(f"{other}/role=inbound/x", other)


ODD_PATHS = st.one_of(
    st.text(),
    st.lists(
        st.sampled_from(["", ".", "..", "delta", "a=b", "x", "\\", "\0", "é"]), max_size=6
    ).map("/".join),
    st.text().map(lambda text: f"{SLICE}/{text}"),
)


@given(path=ODD_PATHS, folder=st.one_of(st.just(SLICE), ODD_PATHS))
@example(f"{SLICE}/role=a/x", SLICE)
@example("delta/x", "delta")
def test_whatever_path_is_read_lies_in_the_folders_of_the_output(path: str, folder: str) -> None:
    try:
        (file,) = naming(path, folder, (folder,)).files
    except ManifestError:
        return
    for known in (file.path, file.folder):
        segments = known.split("/")
        assert segments[0] in TOP_FOLDERS
        assert not {"", ".", ".."} & set(segments)
        assert "\\" not in known
        assert min(known) >= " "
    assert file.path.startswith(f"{file.folder}/")


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "[]", "3", "{}", "[" * 100_000, '{"sequence": "x"}', "\ufeff{}", "1" * 5000],
)
def test_text_that_is_no_manifest_is_one_kind_of_error(text: str) -> None:
    with pytest.raises(ManifestError, match="is no manifest of a run"):
        Manifest.from_json(text)


def _with_a_key_more(data: dict[str, Any]) -> None:
    data["facts"]["new"] = 1


def _with_a_number_as_text(data: dict[str, Any]) -> None:
    data["files"][0]["rows"] = "1"


def _with_a_file_of_another_run(data: dict[str, Any]) -> None:
    data["files"][0]["path"] = data["files"][0]["path"].replace(TOKEN, "ba9876543210")


@pytest.mark.parametrize(
    "change", [_with_a_key_more, _with_a_number_as_text, _with_a_file_of_another_run]
)
def test_a_manifest_that_this_version_would_not_write_is_not_exactly_one(change: Any) -> None:
    data = json.loads(made().to_json())
    Manifest.from_plain(data).must_be_exactly(data)
    change(data)
    with pytest.raises(ManifestError, match=r"another version|no file of its run"):
        Manifest.from_plain(data).must_be_exactly(data)


def test_a_live_file_is_never_stale_whoever_else_names_it() -> None:
    new = made("ba9876543210", 2)
    old = evolve(made(), files=(*made().files, *new.files))
    stale, spent = superseded([old, new])
    assert [file.path for file in live_files([old, new])] == [new.files[0].path]
    assert [file.path for file in stale] == [made().files[0].path]
    assert spent == [old]


STORABLE = set(string.ascii_letters + string.digits + "._-")
NAMES = st.one_of(
    st.text(st.characters(codec=None, exclude_characters="/"), min_size=1),
    st.binary(min_size=1).map(lambda data: data.decode("utf-8", "surrogateescape")),
    st.text(min_size=100, max_size=400),
)


@given(NAMES)
@example("a" * 240 + ".json.gz")
@example("tab\there/and\\there.log")
@example("\udcff\udc80.json")
@example("ends with a dot.")
def test_a_stored_name_is_valid_everywhere_and_keeps_its_end(name: str) -> None:
    stored = stored_name(name)
    assert set(stored) <= STORABLE
    assert 0 < len(stored.encode()) <= 120
    assert not stored.endswith(".")
    suffix = name[-10:]
    if set(suffix) <= STORABLE and not suffix.endswith("."):
        assert stored.endswith(suffix)
    assert stored_name(stored) == stored


@given(NAMES, NAMES)
@example("a b", "a_b")
@example("x" * 121 + ".gz", "y" + "x" * 120 + ".gz")
def test_two_names_are_stored_as_two(one: str, other: str) -> None:
    if one != other:
        assert stored_name(one) != stored_name(other)


@pytest.mark.parametrize("name", ["broken.json.gz", "conn-10.log", "A_1." + "x" * 115])
def test_a_plain_name_is_stored_as_it_is(name: str) -> None:
    assert stored_name(name) == name
