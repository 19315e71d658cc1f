"""What the stand-ins hold for a first run: a bucket with a mini-batch, a table with the JobSpecs of its jobs."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from ndr_adapters.aws.clients import dynamodb_client, s3_client
from ndr_adapters.dynamodb.job_specs import JobSpecTable
from ndr_adapters.synthetic.batch import SyntheticBatch
from ndr_adapters.synthetic.write import write_synthetic
from ndr_core.deltas.spec import JobSpec
from ndr_core.deltas.spec_reader import parse_job_spec
from ndr_core.spec_kinds import parse_spec

PROJECT: Final = "demo"
MINI_BATCH: Final = "20250301T1000"
_RECORDS: Final = 5_000


def fill(bucket: str, table: str) -> JobSpec:
    """Make bucket and table, put a mini-batch and the JobSpecs of deltas and features; gives that of the deltas."""
    spec = parse_job_spec(
        {
            "project_name": PROJECT,
            "input": {"preset": "paloalto"},
            "storage": {
                "input_prefix": f"s3://{bucket}/landing/{PROJECT}",
                "output_prefix": f"s3://{bucket}/deltas/{PROJECT}",
            },
        }
    )
    client = s3_client()
    client.create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    landing = spec.storage.input() / MINI_BATCH
    with TemporaryDirectory() as folder:
        batch = SyntheticBatch(records=_RECORDS, bad_fraction=0.02)
        for path in write_synthetic(batch, Path(folder), 4, lambda _: None):
            client.upload_file(str(path), bucket, (landing / path.name).key)
    specs = JobSpecTable(dynamodb_client(), table)
    specs.create()
    specs.put(spec)
    places = {"deltas_prefix": str(spec.storage.output())}
    for kind in ("fg_a", "pair_history", "fg_b", "fg_c"):
        specs.put(parse_spec({"kind": kind, "project_name": PROJECT, "storage": places}))
    return spec
