"""Manifests as they are written and read, whatever they hold."""

from __future__ import annotations

import json
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
    OutputFile,
    RunFacts,
    plain_of,
    summary,
)
from ndr_core.quality.report import make_report
from ndr_core.quality.rules import reject_rules

SLICE = "delta/feature_spec_version=v1/dt=2025-03-01/hh=10/mm=00"
TOKEN = "0123456789ab"
REPORT = make_report(
    reject_rules(None, deduplicates=False), 1, {"malformed_ip": 2}, {}, 3, {"broken.gz": "is cut"}
)
FACTS = RunFacts(
    project_name="p",
    job_name="j",
    feature_spec_version="v1",
    spec_sha256="00",
    mini_batch_id="mb",
    run_id="run",
    engine="reference",
    code_version="test",
    report=REPORT,
)


def made(token: str = TOKEN, sequence: int = 1) -> Manifest:
    file = OutputFile(SLICE, f"{SLICE}/role=inbound/part-00000-{token}.parquet", 1, 1, "00")
    return Manifest(sequence, token, FACTS, (SLICE,), (file,))


def naming(path: str, folder: str = SLICE, folders: tuple[str, ...] = (SLICE,)) -> Manifest:
    """A manifest with one file, read from the JSON text that says so."""
    manifest = made()
    file = evolve(manifest.files[0], path=path, folder=folder)
    return Manifest.from_json(evolve(manifest, files=(file,), folders=folders).to_json())


@pytest.mark.parametrize("manifest", [made(), evolve(made(), facts=evolve(FACTS, report=None))])
def test_a_manifest_is_read_back_as_it_was_written(manifest: Manifest) -> None:
    assert Manifest.from_json(manifest.to_json()) == manifest
    assert Manifest.from_json(manifest.to_json().encode()) == manifest
    assert Manifest.from_plain(json.loads(json.dumps(manifest.to_plain()))) == manifest


def test_a_file_of_any_table_is_read() -> None:
    folder = "pair_baselines/feature_spec_version=v1/dt=2025-03-01"

    manifest = naming(f"{folder}/x", folder, (folder,))

    assert manifest.tables == ("pair_baselines",)


def test_a_file_says_its_table_and_the_partition_that_its_path_spells() -> None:
    file = OutputFile(SLICE, f"{SLICE}/role=a=b/x", 1, 1, "00")

    assert file.table == "delta"
    assert file.partition == {
        "feature_spec_version": "v1",
        "dt": "2025-03-01",
        "hh": "10",
        "mm": "00",
        "role": "a=b",
    }


QUARTER_PAST = SLICE.replace("mm=00", "mm=15")


def full() -> Manifest:
    """Two slices of two tables, of which one has roles, with quarantine and report."""

    def file(folder: str, below: str, rows: int) -> OutputFile:
        return OutputFile(folder, f"{folder}/{below}", rows, 1, "00")

    window = SLICE.replace("delta/", "window/")
    batch = "feature_spec_version=v1/mini_batch_id=mb"
    return evolve(
        made(),
        folders=(SLICE, QUARTER_PAST, window, f"quarantine/{batch}", f"quality/{batch}"),
        files=(
            file(SLICE, "role=inbound/x", 1),
            file(SLICE, "role=outbound/x", 2),
            file(QUARTER_PAST, "role=outbound/x", 4),
            file(QUARTER_PAST, "role=outbound/shard=1/x", 32),
            file(window, "x", 8),
            file(f"quarantine/{batch}", "x", 16),
            file(f"quality/{batch}", "x", 0),
        ),
    )


def test_the_rows_of_a_table_are_counted_by_the_levels_below_its_slices() -> None:
    assert full().rows("delta") == {"inbound": 1, "outbound": 6, "outbound/1": 32}


def test_a_table_without_levels_below_its_slices_has_all_its_rows_in_one_count() -> None:
    assert full().rows("window") == {"all": 8}


def test_a_table_that_the_run_did_not_make_has_no_rows() -> None:
    assert full().rows("pair") == {}


def test_quarantine_and_reports_are_no_tables_and_hold_no_slices() -> None:
    manifest = full()

    assert manifest.tables == ("delta", "window")
    assert manifest.slices() == [
        "feature_spec_version=v1/dt=2025-03-01/hh=10/mm=00",
        "feature_spec_version=v1/dt=2025-03-01/hh=10/mm=15",
    ]


def test_a_slice_that_was_asked_for_counts_though_it_has_no_file() -> None:
    manifest = evolve(full(), files=())

    assert manifest.tables == ("delta", "window")
    assert len(manifest.slices()) == 2


def test_manifests_sort_by_sequence_and_then_by_token() -> None:
    first, second, third = made("b" * 12, 2), made("a" * 12, 10), made("b" * 12, 10)

    assert sorted([third, second, first], key=lambda one: one.order) == [first, second, third]


def test_manifests_are_apart_when_they_replace_no_folder_in_common() -> None:
    assert made().folders_apart(evolve(made(), folders=(QUARTER_PAST,)))
    assert not made().folders_apart(evolve(made(), folders=(QUARTER_PAST, SLICE)))


def test_a_summary_tells_facts_slices_rows_and_files_as_json() -> None:
    told = json.loads(json.dumps(summary(full())))

    assert told["run_id"] == "run"
    assert told["report"]["read"] == 3
    assert told["report"]["unreadable_files"] == {"broken.gz": "is cut"}
    assert told["slices"] == 2
    assert told["rows"] == {
        "delta": {"inbound": 1, "outbound": 6, "outbound/1": 32},
        "window": {"all": 8},
    }
    assert told["files"] == [file.path for file in full().files]


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


@pytest.mark.parametrize("token", ["", "0123456789AB", "0123456789abc", "../3456789ab"])
def test_a_manifest_with_a_token_that_no_run_has_is_not_exactly_one(token: str) -> None:
    data = json.loads(evolve(made(), token=token, files=()).to_json())

    with pytest.raises(ManifestError, match="for its run's token"):
        Manifest.from_plain(data).must_be_exactly(data)


def test_a_token_in_a_folder_does_not_make_a_file_one_of_its_run() -> None:
    path = f"{SLICE}/role=x-{TOKEN}/part-00000.parquet"
    data = json.loads(evolve(made(), files=(evolve(made().files[0], path=path),)).to_json())

    with pytest.raises(ManifestError, match="no file of its run"):
        Manifest.from_plain(data).must_be_exactly(data)


def test_the_data_of_json_text_are_given_as_they_are() -> None:
    assert plain_of('{"a": [1, null]}') == {"a": [1, None]}
    with pytest.raises(ManifestError, match="is no manifest of a run"):
        plain_of("{")


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
        ("Home/a=b/x", "does not begin with the name of a table"),
        ("2home/a=b/x", "does not begin with the name of a table"),
        ("home/x", "no partition KEY=VALUE"),
        ("home/a=b/c/x", "no partition KEY=VALUE"),
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


@pytest.mark.parametrize(
    "folder", ["../VICTIM", "/", "delta/../..", "home", "delta/x", "", "delta//x"]
)
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
@example("any_table/k=v/k=v/x", "any_table/k=v")
def test_whatever_path_is_read_lies_in_the_folders_of_the_output(path: str, folder: str) -> None:
    try:
        (file,) = naming(path, folder, (folder,)).files
    except ManifestError:
        return
    for known, names in ((file.path, -1), (file.folder, None)):
        segments = known.split("/")
        levels = segments[1:names]
        assert levels
        assert all("=" in level for level in levels)
        assert is_column_name(segments[0])
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
