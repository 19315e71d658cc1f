"""Slices whose folders were removed, by hand or by a lifecycle rule: told once, and no harm to other slices."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ndr_adapters.aws.clients import s3_client
from ndr_adapters.outputs import open_output
from ndr_adapters.polars.published import read_deltas, read_pairs
from ndr_adapters.s3.objects import delete_objects
from ndr_core.errors import NdrError
from ndr_core.publishing.published import GoneSlicesWarning
from tests.e2e.cli import ndr, rows
from tests.makers import write_batch
from tests.storages.folder_runs import publish_unbound
from tests.storages.s3_compaction import Output, at, put_batches
from tests.storages.test_compaction import compact

WITHOUT_SPARK = True

TEN = "dt=2025-03-01/hh=10/mm=00"


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Two mini-batches that meet in the slice of 10:00, and other slices."""
    batches: dict[str, list[Any]] = {
        "a": [at("2025-03-01T10:00:00Z"), at("2025-03-01T10:20:00Z", source_bytes=7)],
        "b": [at("2025-03-01T10:01:00Z"), at("2025-03-01T10:40:00Z")],
    }
    for name, records in batches.items():
        publish_unbound(write_batch(tmp_path / name, [records]), tmp_path / "out", name)
    return tmp_path / "out"


def remove(output: Path, place: str, table: str = "*") -> None:
    found = list(output.glob(f"{table}/feature_spec_version=v1/{place}"))
    assert found
    for folder in found:
        shutil.rmtree(folder)


def test_other_slices_of_a_span_are_read_as_before(output: Path) -> None:
    before = rows(output)
    remove(output, TEN)

    with pytest.warns(GoneSlicesWarning, match=f"1 slices are left out, .*{TEN}"):
        found = rows(output)

    assert [row for row in before[0] if row["slice_start_ts"].minute] == found[0]
    assert [row for row in before[1] if row["slice_start_ts"].minute] == found[1]


def test_readers_of_other_slices_are_told_nothing(output: Path) -> None:
    remove(output, TEN)

    later = datetime(2025, 3, 1, 10, 15, tzinfo=UTC)

    assert read_deltas(open_output(output), since=later).collect().height == 4
    assert read_pairs(open_output(output), since=later).collect().height == 4


def test_deltas_that_need_lost_pairs_to_be_merged_are_left_out(output: Path) -> None:
    remove(output, TEN, "pair")

    with pytest.warns(GoneSlicesWarning):
        found = read_deltas(open_output(output)).collect()

    assert found.height == 4


def test_inspect_tells_once_and_verify_names_the_files(output: Path) -> None:
    remove(output, TEN)

    answer = ndr("inspect", output, "--json")

    assert answer.exit_code == 0
    assert answer.errors.count("1 slices are left out") == 1
    assert {row["mm"] for row in answer.json()["slices"]} == {"15", "30"}
    verified = ndr("verify", output)
    assert (verified.exit_code, verified.output.count("is missing")) == (1, 8)


def test_one_file_that_is_lost_of_a_slice_is_an_error_still(output: Path) -> None:
    next((output / "delta/feature_spec_version=v1" / TEN).rglob("*.parquet")).unlink()

    with pytest.raises(NdrError, match="is missing"):
        rows(output)


def test_a_day_with_a_lost_slice_is_not_compacted(output: Path) -> None:
    remove(output, TEN)

    with pytest.raises(NdrError, match=r"2025-03-01 can't be compacted: .* 1 slices are left out"):
        compact(output)


def test_slices_that_are_gone_from_s3_are_told_too(tmp_path: Path, bucket: str) -> None:
    put_batches(tmp_path, bucket)
    output = Output(bucket)
    output.publish("first")
    gone = [f"out/{path}" for path in output.content() if TEN in path]
    delete_objects(s3_client(), bucket, gone)

    answer = ndr("inspect", output.target, "--json")

    assert answer.exit_code == 0
    assert answer.errors.count("1 slices are left out") == 1
    assert {row["mm"] for row in answer.json()["slices"]} == {"15"}
