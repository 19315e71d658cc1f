"""Stand-ins for S3 and DynamoDB on loopback, ready for a first run."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from ndr_adapters.synthetic.batch import SyntheticBatch
from ndr_core.errors import UsageError
from ndr_core.job_spec import JobSpec
from ndr_core.spec_reader import parse_job_spec

PROJECT: Final = "demo"
MINI_BATCH: Final = "20250301T1000"
_RECORDS: Final = 5_000
_ENVIRONMENT: Final = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_REGION": "eu-west-1",
}


def serve(port: int, bucket: str, table: str, tell: Callable[[str], object]) -> None:
    """Start the stand-ins, fill them, tell how to use them, wait to be stopped."""
    try:
        from moto.server import ThreadedMotoServer
    except ImportError as error:
        raise UsageError(
            "the stand-ins need moto: pip install 'ndr-delta-builder[aws-local]'"
        ) from error
    _refuse_taken(port)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    try:
        _, taken = server.get_host_and_port()
        environment = {**_ENVIRONMENT, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{taken}"}
        os.environ.update(environment)
        spec = _fill(bucket, table)
        tell(_instructions(environment, table, spec))
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        stopped.wait()
    finally:
        server.stop()


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise UsageError(
                f"port {port}: {error.strerror}; choose another with --port"
            ) from error


def _fill(bucket: str, table: str) -> JobSpec:
    """Make bucket and table, put a JobSpec and a mini-batch."""
    from ndr_adapters.aws.clients import dynamodb_client, s3_client
    from ndr_adapters.dynamodb import JobSpecTable
    from ndr_adapters.synthetic.write import write_synthetic

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
    return spec


def _instructions(environment: dict[str, str], table: str, spec: JobSpec) -> str:
    exports = " ".join(f"{name}={value}" for name, value in environment.items())
    return f"""\
S3 and DynamoDB are up at {environment["AWS_ENDPOINT_URL"]} until Ctrl-C. In another shell:

export {exports}

python -m ndr_entrypoints.run_delta_builder --project-name {PROJECT} --job-name {spec.job_name} \\
  --mini-batch-s3-prefix {spec.storage.input() / MINI_BATCH} --feature-spec-version v1 \\
  --run-id run-1 --mini-batch-id {MINI_BATCH} --job-spec-ddb-table-name {table} \\
  --slice-start-ts 2025-03-01T10:00:00Z --slice-end-ts 2025-03-01T10:15:00Z

ndr inspect {spec.storage.output()}
ndr spec list --table {table}"""
