"""The renewal of what is stale, as the daily pipeline runs it: history first, then the windows that read it.

Stale is what was built from contributions that late ones have changed since, or was left out and can be built now.
JobSpecs from DynamoDB: that of FG-A, and that of the history which it names. Exit codes: 0 done, 1 the run failed,
2 wrong usage or configuration.
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
    Undisturbed,
    feature_log,
    job_command,
    run_as_job,
)


@job_command(PROJECT_NAME, JOB_NAME, SPEC_VERSION, RUN_ID, SPEC_TABLE, DAY, SCHEDULED)
def main(debug: bool, **options: Any) -> None:
    """Build again the pair history and the windows of the 40 days up to a day whose inputs have changed."""
    log = feature_log(options, "day", "scheduled_ts")

    def work(undisturbed: Undisturbed) -> None:
        # Here, so that the log says it too when a package is missing.
        from ndr_entrypoints.cluster_features import run_renewal

        run_renewal(log, undisturbed=undisturbed, **options)

    run_as_job(log, debug, work)


if __name__ == "__main__":
    main()
