"""The job of pair history as the daily pipeline runs it: the history of one UTC day.

JobSpec from DynamoDB, pairs of the deltas and former history from S3, history to S3. Exit codes: 0 done, 1 the run
failed, 2 wrong usage or configuration.
"""

from __future__ import annotations

from typing import Any

from ndr_entrypoints.job_main import (
    DAY,
    JOB_NAME,
    PROJECT_NAME,
    RUN_ID,
    SCHEDULED,
    SPEC_TABLE,
    SPEC_VERSION,
    feature_log,
    job_command,
    run_as_job,
)


@job_command(PROJECT_NAME, JOB_NAME, SPEC_VERSION, RUN_ID, SPEC_TABLE, DAY, SCHEDULED)
def main(debug: bool, **options: Any) -> None:
    """Build the pair history of a day and publish it."""
    run_as_job(
        feature_log(options, "day", "scheduled_ts"),
        debug,
        "cluster_features",
        "run_history",
        options,
    )


if __name__ == "__main__":
    main()
