"""A manifest names no place to which no run writes: publishing deletes what manifests name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from ndr_core.names import is_column_name
from ndr_core.publishing.manifest import (
    STAGED_RUN,
    Manifest,
    ManifestError,
)
from tests.unit.core.publishing.makers import (
    BATCH,
    ONE,
    PLACE,
    SLICE,
    TOKEN,
    VERSION,
    file_at,
    made,
)

QUARTER_PAST = SLICE.replace("mm=00", "mm=15")


def naming(path: str, slices: tuple[str, ...] = (PLACE,)) -> Manifest:
    """A manifest with one file, read from the JSON text that says so."""
    (contribution,) = ONE.contributions
    contributions = tuple(evolve(contribution, slice=place) for place in slices)
    files = (evolve(ONE.files[0], path=path),)
    return Manifest.from_json(evolve(ONE, files=files, contributions=contributions).to_json())


@pytest.mark.parametrize(
    ("name", "is_run"),
    [
        (f"run-1-{TOKEN}", True),
        (f"-{TOKEN}", False),
        (TOKEN, False),
        ("run-0123456789aB", False),
        (f"run-{TOKEN}0", False),
        ("run-0123456789a", False),
    ],
)
def test_the_staging_place_of_a_run_is_known_by_its_name(name: str, is_run: bool) -> None:
    assert bool(STAGED_RUN.fullmatch(name)) is is_run


def test_a_file_of_any_table_is_read() -> None:
    assert naming(f"any_table/{VERSION}/{PLACE}/x").files[0].table == "any_table"


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
        ("_manifests/000000000001.json", "does not begin with the name of a table"),
        (f"_manifests/{VERSION}/x.json", "does not begin with the name of a table"),
        (f"Home/{VERSION}/x", "does not begin with the name of a table"),
        (f"2home/{VERSION}/x", "does not begin with the name of a table"),
        ("home", "no partition KEY=VALUE"),
        ("home/x", "no partition KEY=VALUE"),
        (f"home/{VERSION}/c/x", "no partition KEY=VALUE"),
        (f"{SLICE}/inbound/x", "no partition KEY=VALUE"),
        ("home/a=b/x", "does not lie in feature_spec_version=v1"),
        (SLICE.replace("=v1", "=v2") + "/x", "does not lie in feature_spec_version=v1"),
        (f"quality/{BATCH}/x".replace("=v1", "=v2"), "does not lie in feature_spec_version=v1"),
        (f"{QUARTER_PAST}/x", "lies in no slice that the run contributes to"),
        (f"{SLICE}0/role=a/x", "lies in no slice that the run contributes to"),
        (f"delta/{VERSION}/x", "lies in no slice that the run contributes to"),
        (f"delta/{VERSION}/dt=2025-03-01/hh=10/x", "lies in no slice that the run contributes to"),
    ],
)
def test_a_path_to_which_no_run_writes_is_an_error_that_says_which_and_why(
    path: str, why: str
) -> None:
    with pytest.raises(ManifestError, match=why):
        naming(path)


def test_a_slice_without_files_may_be_contributed_to() -> None:
    manifest = naming(f"{SLICE}/x", (PLACE, "dt=2025-03-01/hh=11/mm=00"))

    assert len(manifest.slices()) == 2


ODD_PATHS = st.one_of(
    st.text(),
    st.lists(
        st.sampled_from(["", ".", "..", "delta", VERSION, "a=b", "x", "\\", "\0", "é"]), max_size=6
    ).map("/".join),
    st.text().map(lambda text: f"{SLICE}/{text}"),
    st.text().map(lambda text: f"quality/{VERSION}/{text}"),
)


@given(ODD_PATHS)
@example(f"{SLICE}/role=a/x")
@example(f"quality/{VERSION}/x")
@example("delta/x")
def test_whatever_path_is_read_lies_in_the_folders_of_its_run(path: str) -> None:
    try:
        (file,) = naming(path).files
    except ManifestError:
        return
    segments = file.path.split("/")
    assert is_column_name(segments[0])
    assert segments[1] == VERSION
    assert all("=" in level for level in segments[1:-1])
    assert not {"", ".", ".."} & set(segments)
    assert "\\" not in file.path
    assert min(file.path) >= " "
    assert file.path.startswith(f"{SLICE}/") or segments[0] in ("quarantine", "quality")


# Only the word of exactly such data is enough to delete files.


def _with_a_key_more(data: dict[str, Any]) -> None:
    data["facts"]["new"] = 1


def _with_a_number_as_text(data: dict[str, Any]) -> None:
    data["files"][0]["rows"] = "1"


def _with_a_file_of_another_run(data: dict[str, Any]) -> None:
    data["files"][0]["path"] = data["files"][0]["path"].replace(TOKEN, "ba9876543210")


@pytest.mark.parametrize(
    "change", [_with_a_key_more, _with_a_number_as_text, _with_a_file_of_another_run]
)
def test_a_manifest_that_this_version_would_not_write_is_not_exactly_one(
    change: Callable[[dict[str, Any]], None],
) -> None:
    data = json.loads(ONE.to_json())
    Manifest.from_plain(data).must_be_exactly(data)

    change(data)

    with pytest.raises(ManifestError, match=r"another version|no file of its run"):
        Manifest.from_plain(data).must_be_exactly(data)


@pytest.mark.parametrize("token", ["", "0123456789AB", "0123456789abc", "../3456789ab"])
def test_a_manifest_with_a_token_that_no_run_has_is_not_exactly_one(token: str) -> None:
    data = json.loads(made(token=token).to_json())

    with pytest.raises(ManifestError, match="for its run's token"):
        Manifest.from_plain(data).must_be_exactly(data)


def test_a_token_in_a_folder_does_not_make_a_file_one_of_its_run() -> None:
    data = json.loads(made(file_at(f"{SLICE}/role=x-{TOKEN}/part-00000.parquet")).to_json())

    with pytest.raises(ManifestError, match="no file of its run"):
        Manifest.from_plain(data).must_be_exactly(data)
