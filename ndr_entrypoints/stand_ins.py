"""The stand-ins for AWS, filled, with the commands that use them."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

from ndr_adapters.stand_ins.demo import MINI_BATCH, PROJECT, fill
from ndr_adapters.stand_ins.server import stand_ins
from ndr_core.deltas.spec import JobSpec


def serve(port: int, bucket: str, table: str, tell: Callable[[str], object]) -> None:
    """Start the stand-ins, fill them, tell how to use them, wait to be stopped."""
    with stand_ins(port) as environment:
        os.environ.update(environment)
        tell(_instructions(environment, table, fill(bucket, table)))
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        stopped.wait()


def _instructions(environment: dict[str, str], table: str, spec: JobSpec) -> str:
    exports = " ".join(f"{name}={value}" for name, value in environment.items())
    return f"""\
S3 and DynamoDB are up at {environment["AWS_ENDPOINT_URL"]} until Ctrl-C. In another shell:

export {exports}

python -m ndr_entrypoints.run_delta_builder --project-name {PROJECT} --job-name {spec.job_name} \\
  --mini-batch-s3-prefix {spec.storage.input() / MINI_BATCH} --feature-spec-version v1 \\
  --run-id run-1 --mini-batch-id {MINI_BATCH} --job-spec-ddb-table-name {table} \\
  --slice-start-ts 2025-03-01T10:00:00Z --slice-end-ts 2025-03-01T10:15:00Z

python -m ndr_entrypoints.run_fg_a_builder --project-name {PROJECT} --job-name fg_a \\
  --delta-job-name {spec.job_name} --mini-batch-id {MINI_BATCH} --feature-spec-version v1 \\
  --run-id run-1 --job-spec-ddb-table-name {table}

python -m ndr_entrypoints.run_fg_c_builder --project-name {PROJECT} --job-name fg_c \\
  --delta-job-name {spec.job_name} --mini-batch-id {MINI_BATCH} --feature-spec-version v1 \\
  --run-id run-1 --job-spec-ddb-table-name {table}

python -m ndr_entrypoints.run_pair_history --project-name {PROJECT} --job-name pair_history \\
  --day 2025-03-01 --feature-spec-version v1 --run-id run-1 --job-spec-ddb-table-name {table}

python -m ndr_entrypoints.run_fg_b_builder --project-name {PROJECT} --job-name fg_b \\
  --day 2025-03-01 --feature-spec-version v1 --run-id run-1 --job-spec-ddb-table-name {table}

ndr inspect {spec.storage.output()}
ndr spec list --table {table}"""
