"""The FG-B job as the daily pipeline runs it: the summary of a local date, and the baselines of the next ones.

JobSpec from DynamoDB, windows and former summaries and baselines from S3, the new ones to S3. Exit codes: 0 done, 1 the
run failed, 2 wrong usage or configuration.
"""

from __future__ import annotations

from typing import Any

from ndr_entrypoints.job_main import (
    JOB_NAME,
    LOCAL_DATE,
    PROJECT_NAME,
    RUN_ID,
    SCHEDULED_DATE,
    SPEC_TABLE,
    SPEC_VERSION,
    feature_log,
    job_command,
    run_as_job,
)


@job_command(PROJECT_NAME, JOB_NAME, SPEC_VERSION, RUN_ID, SPEC_TABLE, LOCAL_DATE, SCHEDULED_DATE)
def main(debug: bool, **options: Any) -> None:
    """Sum up the windows of a local date, make the baselines of the next dates, and publish both."""
    run_as_job(
        feature_log(options, "day", "scheduled_ts"),
        debug,
        "cluster_features",
        "run_fg_b",
        options,
    )


if __name__ == "__main__":
    main()
