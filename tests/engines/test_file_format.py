"""Files of all engines have a format version, and readers refuse another one by name."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from attrs import evolve

from ndr_adapters.local.manifests import manifest_path, read_manifests
from ndr_adapters.outputs import open_output
from ndr_adapters.polars.published import read_deltas
from ndr_core.errors import NdrError
from ndr_core.publishing.entry import entry_of
from ndr_core.tables.parquet import FORMAT_METADATA, PARQUET_FORMAT, format_problem
from tests.e2e.cli import SLICE, ndr, run, write_spec
from tests.makers import flow, write_batch


def output_of(tmp_path: Path, engine: str) -> Path:
    spec = write_spec(tmp_path / "spec.json")
    batch = write_batch(tmp_path / "in", [[flow()]])
    answer = run(spec, batch, tmp_path / "out", "--engine", engine, *SLICE)
    assert answer.exit_code == 0, answer.errors
    return tmp_path / "out"


@pytest.mark.parametrize("engine", ["reference", "polars", "spark", "spark-sql"])
def test_each_file_says_its_format(tmp_path: Path, engine: str) -> None:
    files = sorted(output_of(tmp_path, engine).rglob("*.parquet"))

    assert len(files) == 4
    for file in files:
        metadata = pl.read_parquet_metadata(file)
        assert '"ndr.format": "1"' in str(metadata).replace("'", '"') or (
            '"ndr.format":"1"' in str(metadata)
        )
        assert format_problem(metadata) is None


def test_a_file_of_another_format_is_refused_by_readers_and_by_verify(tmp_path: Path) -> None:
    output = output_of(tmp_path, "polars")
    (manifest,) = read_manifests(output)
    files = []
    for file in manifest.files:
        path = output / file.path
        if file.table == "delta":
            later = {name: str(PARQUET_FORMAT + 1) for name in FORMAT_METADATA}
            pl.read_parquet(path, hive_partitioning=False).write_parquet(path, metadata=later)
        files.append(evolve(file, bytes=path.stat().st_size))
    manifest_path(output, entry_of(manifest)).write_text(
        evolve(manifest, files=tuple(files)).to_json()
    )

    with pytest.raises(NdrError, match=r"delta/.*\.parquet: the Parquet format is '2'"):
        read_deltas(open_output(output))
    assert ndr("inspect", output).exit_code == 1


def test_a_manifest_that_says_another_format_of_its_files_is_refused(tmp_path: Path) -> None:
    output = output_of(tmp_path, "polars")
    (manifest,) = read_manifests(output)
    path = manifest_path(output, entry_of(manifest))
    path.write_text(evolve(manifest, parquet_format=2).to_json())

    with pytest.raises(NdrError, match="says of its files: the Parquet format is 2, and this"):
        read_deltas(open_output(output))
