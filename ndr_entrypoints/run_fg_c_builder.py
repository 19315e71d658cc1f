"""The FG-C job as a pipeline runs it after FG-A: compares the windows that a mini-batch has made due with baselines.

JobSpec from DynamoDB, windows and baselines from S3, correlations to S3. A mini-batch that makes no window due is no
failure: the run says so and ends with 0. Exit codes: 0 done, 1 the run failed, 2 wrong usage or configuration.
"""

from __future__ import annotations

from typing import Any

from ndr_entrypoints.job_main import (
    DELTA_JOB_NAME,
    JOB_NAME,
    MINI_BATCH_ID,
    PROJECT_NAME,
    RUN_ID,
    SPEC_TABLE,
    SPEC_VERSION,
    feature_log,
    job_command,
    run_as_job,
)


@job_command(
    PROJECT_NAME,
    JOB_NAME,
    DELTA_JOB_NAME,
    MINI_BATCH_ID,
    SPEC_VERSION,
    RUN_ID,
    SPEC_TABLE,
)
def main(debug: bool, **options: Any) -> None:
    """Compare the windows that a mini-batch has made due with baselines, and publish the correlations."""
    run_as_job(
        feature_log(options, "delta_job_name", "mini_batch_id"),
        debug,
        "cluster_features",
        "run_fg_c",
        options,
    )


if __name__ == "__main__":
    main()
