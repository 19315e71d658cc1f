"""The delta job as a pipeline runs it: JobSpec from DynamoDB, records from S3, Spark, deltas to S3.

Everything it says is JSON lines on standard output. Exit codes: 0 done, 1 the run failed, 2 wrong usage or
configuration.
"""

from __future__ import annotations

from typing import Any

from ndr_adapters.cloudwatch.json_log import JsonLog
from ndr_entrypoints.job_main import (
    JOB_NAME,
    PROJECT_NAME,
    RUN_ID,
    SPEC_TABLE,
    SPEC_VERSION,
    job_command,
    job_option,
    run_as_job,
)


@job_command(
    PROJECT_NAME,
    JOB_NAME,
    job_option("--mini-batch-id", "Name of the mini-batch; part of output paths."),
    job_option("--mini-batch-s3-prefix", "s3://.. below which its files lie."),
    SPEC_VERSION,
    RUN_ID,
    SPEC_TABLE,
    job_option(
        "--slice-start-ts",
        "ISO-8601, UTC: start of the time that the mini-batch is for; absent or empty: no bounds.",
        required=False,
    ),
    job_option(
        "--slice-end-ts", "ISO-8601, UTC: end of that time; absent or empty.", required=False
    ),
)
def main(debug: bool, **options: Any) -> None:
    """Build the deltas of one mini-batch and publish them."""
    log = JsonLog(
        {name: options[name] for name in ("project_name", "job_name", "mini_batch_id", "run_id")}
    )
    run_as_job(log, debug, "cluster_job", "run_job", options)


if __name__ == "__main__":
    main()
