"""The renewal of what is stale, as the daily pipeline runs it: each table before those that are made of it.

Stale is what was built from contributions that late ones have changed since, or was left out and can be built now.
JobSpecs from DynamoDB: that of FG-C, those of FG-A and FG-B which it names, and that of the history which FG-A names.
Exit codes: 0 done, 1 the run failed, 2 wrong usage or configuration.
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
    """Build again the features of the 40 days up to a day whose inputs have changed."""
    run_as_job(
        feature_log(options, "day", "scheduled_ts"),
        debug,
        "cluster_features",
        "run_renewal",
        options,
    )


if __name__ == "__main__":
    main()
