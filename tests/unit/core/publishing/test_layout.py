"""Where the files of a run lie in an output, and under which names."""

from __future__ import annotations

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ndr_core.publishing.layout import (
    REPORT_NAME,
    Target,
    batch_path,
    failed_path,
    features_of,
    holds_published,
    quarantine_targets,
    report_target,
    stored_name,
    table_targets,
    unreadable_name,
)
from ndr_core.publishing.manifest import OutputFile, RunFacts

SLICE = "feature_spec_version=v1/dt=2025-03-01/hh=10/mm=00"
BATCH = "feature_spec_version=v1/job_name=j/mini_batch_id=mb"
FACTS = RunFacts("p", "j", "v1", "00", "mb", "run", "memory", "test")


def test_a_mini_batch_has_a_folder_by_version_job_and_id() -> None:
    assert batch_path(FACTS) == BATCH


def test_each_run_that_a_threshold_stopped_has_a_folder_below_that_of_its_mini_batch() -> None:
    assert failed_path(FACTS) == "failed/mb/run"


def test_a_file_is_placed_under_a_name_with_the_token_of_its_run() -> None:
    target = Target("a", "delta/x=1/role=r", "part-00007", ".parquet", 5)

    placed = target.placed("0123456789ab", 10, "ff")

    assert placed == OutputFile("delta/x=1/role=r/part-00007-0123456789ab.parquet", 5, 10, "ff")


def test_a_file_in_a_folder_of_its_run_alone_needs_no_token() -> None:
    assert Target("a", "quality/x=1", "report", ".json", 0).name == "report.json"


def test_files_of_tables_stay_in_their_folders_and_are_numbered_in_order_of_their_names() -> None:
    rows = {f"pair/{SLICE}/role=r/b": 2, f"delta/{SLICE}/role=r/shard=1/z": 1, f"pair/{SLICE}/a": 3}

    targets = list(table_targets(rows))

    assert targets == [
        Target(
            f"delta/{SLICE}/role=r/shard=1/z",
            f"delta/{SLICE}/role=r/shard=1",
            "part-00000",
            ".parquet",
            1,
        ),
        Target(f"pair/{SLICE}/a", f"pair/{SLICE}", "part-00001", ".parquet", 3),
        Target(f"pair/{SLICE}/role=r/b", f"pair/{SLICE}/role=r", "part-00002", ".parquet", 2),
    ]


@pytest.mark.parametrize("deltas", ["s3://bucket/out", "s3://bucket/out/"])
def test_features_lie_in_a_folder_of_the_deltas_where_nothing_else_is_said(deltas: str) -> None:
    assert features_of(deltas) == "s3://bucket/out/features"


def test_rejected_records_go_to_the_quarantine_of_their_batch() -> None:
    staged = {"quarantine/y.json.gz": 1, "quarantine/x.json.gz": 3, "quarantine/e.json.gz": 0}
    targets = list(quarantine_targets(BATCH, staged, 4, []))

    folder = f"quarantine/{BATCH}"
    assert targets == [
        Target("quarantine/x.json.gz", folder, "rejected-00000", ".json.gz", 3),
        Target("quarantine/y.json.gz", folder, "rejected-00001", ".json.gz", 1),
    ]


def test_where_nothing_was_rejected_no_file_of_it_is_published() -> None:
    assert list(quarantine_targets(BATCH, {"quarantine/x.json.gz": 0}, 0, [])) == []


@pytest.mark.parametrize("staged", [0, 3, 5])
def test_rejected_records_that_the_files_do_not_hold_are_refused_as_they_would_be_lost(
    staged: int,
) -> None:
    with pytest.raises(AssertionError, match=f"4 records were rejected, and .* staged {staged} of"):
        list(quarantine_targets(BATCH, {"quarantine/x.json.gz": staged}, 4, []))


def test_unreadable_files_are_kept_by_number_and_name() -> None:
    targets = list(quarantine_targets(BATCH, {}, 0, ["a.gz", "in/b.gz"]))

    folder = f"quarantine/{BATCH}"
    assert [target.staged for target in targets] == [
        unreadable_name(0, "a.gz"),
        unreadable_name(1, "in/b.gz"),
    ]
    assert {(target.directory, target.rows) for target in targets} == {(folder, 0)}
    assert targets[0].placed("token", 1, "").path == f"{folder}/unreadable-00000-token-a.gz"
    assert targets[0].name == unreadable_name(0, "a.gz")
    assert targets[1].suffix == f"-{stored_name('in/b.gz')}"


def test_an_unreadable_file_is_staged_under_its_number_and_stored_name() -> None:
    assert unreadable_name(7, "a.gz") == "unreadable-00007-a.gz"
    assert unreadable_name(7, "in/a.gz") == f"unreadable-00007-{stored_name('in/a.gz')}"


def test_the_report_goes_to_the_folder_of_its_batch() -> None:
    assert report_target(BATCH) == Target(REPORT_NAME, f"quality/{BATCH}", "report", ".json", 0)


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
@example("dot.")
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


@pytest.mark.parametrize(
    ("top", "holds"),
    [
        ("delta", True),
        ("quarantine", True),
        ("quality", True),
        ("failed", False),
        ("features", False),
        ("_manifests", False),
        (".hidden", False),
    ],
)
def test_the_folders_of_tables_quarantine_and_reports_hold_what_manifests_name(
    top: str, holds: bool
) -> None:
    assert holds_published(top) is holds
