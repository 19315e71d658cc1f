"""`ndr verify` and `ndr runs`: what an output holds, against its manifests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ndr_adapters.local.manifests import read_manifests
from tests.e2e.cli import SLICE, ndr, run, write_spec
from tests.makers import flow, write_batch


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Two mini-batches of one slice, one with a rejected record."""
    spec = write_spec(tmp_path / "spec.json")
    batches: dict[str, list[Any]] = {"a": [flow(), "bad"], "b": [flow(source_bytes=5)]}
    for name, records in batches.items():
        batch = write_batch(tmp_path / name, [records])
        assert run(spec, batch, tmp_path / "out", "--mini-batch-id", name, *SLICE).exit_code == 0
    return tmp_path / "out"


def a_file(output: Path, top: str) -> Path:
    return min((output / top).rglob("*-*.*"))


def test_an_output_that_is_whole_has_nothing_wrong(output: Path) -> None:
    found = ndr("verify", output, "--json").json()

    assert found["findings"] == []
    assert (found["runs"], found["files"]) == (2, 11)
    assert found["rows"] == 8


@pytest.mark.parametrize("top", ["delta", "pair", "quarantine", "quality"])
def test_a_file_that_is_missing_is_named(output: Path, top: str) -> None:
    file = a_file(output, top)
    file.unlink()

    answer = ndr("verify", output)

    assert answer.exit_code == 1
    assert f"{file.relative_to(output)}: is missing" in answer.output


def test_a_file_with_one_other_byte_is_named(output: Path) -> None:
    file = a_file(output, "delta")
    content = bytearray(file.read_bytes())
    content[10] ^= 1
    file.write_bytes(content)

    answer = ndr("verify", output)

    assert answer.exit_code == 1
    assert (
        f"{file.relative_to(output)}: has other bytes than when it was published" in answer.output
    )


def test_a_file_that_was_cut_is_named_with_its_size(output: Path) -> None:
    file = a_file(output, "pair")
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])

    answer = ndr("verify", output)

    assert f"has {len(whole) - 1:,} bytes, its manifest says {len(whole):,}" in answer.output


def test_a_file_of_no_run_is_named_and_left_where_it_is(output: Path) -> None:
    stray = output / "delta" / "stray.parquet"
    stray.write_bytes(b"whose?")

    answer = ndr("verify", output)

    assert answer.exit_code == 1
    assert "delta/stray.parquet: belongs to no published run" in answer.output
    assert stray.exists()


def test_what_a_stopped_run_left_belongs_to_no_manifest_and_is_not_wrong(output: Path) -> None:
    (output / "failed" / "a").mkdir(parents=True)
    (output / "failed" / "a" / "report.json").write_text("{}")

    assert ndr("verify", output).exit_code == 0


def test_runs_are_listed_in_the_order_of_publication(output: Path) -> None:
    found = ndr("runs", output, "--json").json()

    assert [row["mini_batch"] for row in found] == ["a", "b"]
    assert [row["kept"] for row in found] == [1, 1]
    assert {row["first"] for row in found} == {"2025-03-01 10:00"}
    assert [row["run_id"] for row in found] == [
        manifest.facts.run_id
        for manifest in sorted(read_manifests(output), key=lambda one: one.order)
    ]
    assert "a" in ndr("runs", output).output


def test_runs_outside_of_the_asked_slices_are_left_out(output: Path) -> None:
    assert ndr("runs", output, "--json", "--since", "2025-03-01T10:15Z").json() == []
    assert len(ndr("runs", output, "--json", "--until", "2025-03-01T10:15Z").json()) == 2


def test_a_compacted_day_is_listed_without_what_only_runs_have(output: Path) -> None:
    ndr("compact", output, "--before", "2025-03-02T00:00:00Z")

    answer = ndr("runs", output)

    assert "2025-03-01 10:00" in answer.output
    assert "None" not in answer.output
