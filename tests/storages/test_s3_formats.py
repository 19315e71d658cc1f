"""Logs of every format give from S3 what they give from a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ndr_adapters.synthetic.batch import SyntheticBatch
from ndr_adapters.synthetic.forms.registry import form_of
from ndr_core.deltas.spec import JobSpec
from tests.makers import make_spec
from tests.storages.s3_run import DELTA, publish, rows
from tests.support import upload

RECORDS = 600
FILES = 3


def delimited_logs(folder: Path) -> JobSpec:
    """Zeek's own lines, each file under a header of its own."""
    form = form_of("zeek", "tsv")
    lines = list(SyntheticBatch(records=RECORDS, form=form, bad_fraction=0.2).lines())
    for number in range(FILES):
        part = [*(line.encode() for line in form.header), *lines[number::FILES]]
        (folder / f"conn.{number}.log").write_bytes(b"\n".join(part) + b"\n")
    return make_spec(
        "zeek", input={"preset": "zeek", "format": "delimited", "header": "zeek"}, delta=DELTA
    )


def parquet_logs(folder: Path) -> JobSpec:
    """Rows with objects inside, in several row groups a file."""
    form = form_of("suricata", None)
    lines = list(SyntheticBatch(records=RECORDS, form=form).lines())
    flows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    for number in range(FILES):
        part = pl.DataFrame(flows[number::FILES], infer_schema_length=None)
        part.write_parquet(folder / f"eve.{number}.parquet", row_group_size=50)
    return make_spec("suricata", input={"preset": "suricata", "format": "parquet"}, delta=DELTA)


@pytest.mark.parametrize("engine", ["polars", "spark"])
@pytest.mark.parametrize("logs", [delimited_logs, parquet_logs])
def test_logs_of_a_format_are_from_s3_what_they_are_from_a_folder(
    logs: Any, engine: str, bucket: str, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    spec = logs(folder)

    here = publish(str(folder), str(tmp_path / "out"), start=None, engine="reference", spec=spec)
    there = publish(
        upload(folder, bucket, "in/mb"), f"s3://{bucket}/out", start=None, engine=engine, spec=spec
    )

    assert there.report.to_plain() == here.report.to_plain()
    assert there.report.kept > RECORDS // 2
    assert rows(f"s3://{bucket}/out") == rows(str(tmp_path / "out"))
