"""Feature jobs as the pipelines run them: JobSpecs from DynamoDB, deltas from S3, features to S3; and what they say."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from ndr_core.times import HOUR_US
from tests.e2e.deployment import said, stages_of
from tests.e2e.feature_deployment import (
    BEACON,
    MIDNIGHT,
    FeatureDeployment,
    days,
    deploy_features,
    rows,
    run_job,
    traffic,
    without_places,
)
from tests.e2e.test_production_path import only_error, refused_by_policy, unused_of_policy
from tests.planted_secrets import objects_with_secrets
from tests.soak import only_in_soak
from tests.stand_in import Request, proxy
from tests.support import objects

WITHOUT_SPARK = True

DAY_BEFORE = MIDNIGHT - 24 * HOUR_US


@pytest.fixture
def deployed(tmp_path: Path, bucket: str) -> FeatureDeployment:
    """The deltas of 2025-03-01 are published."""
    found = deploy_features(tmp_path, bucket)
    found.publish("day", DAY_BEFORE, 24, traffic(DAY_BEFORE, 24))
    return found


def next_hour(deployed: FeatureDeployment, number: int = 0, name: str = "hour") -> None:
    """Publish one more hour, the first after midnight or a later one."""
    first = MIDNIGHT + number * HOUR_US
    deployed.publish(name, first, 1, traffic(first, 1))


def counted(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The totals that a job gives to CloudWatch."""
    assert done.returncode == 0, done.stdout + done.stderr
    (totals,) = [line for line in said(done) if "Publications" in line]
    return totals


def table_rows(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """Table -> rows that a job tells CloudWatch."""
    return {line["table"]: line["Rows"] for line in said(done) if "Rows" in line}


def ends_built(deployed: FeatureDeployment) -> set[tuple[str, str]]:
    """Label and time of day of the windows that are published."""
    return {(row["window_label"], row["hh"]) for row in rows(deployed.features, "fg_a")}


def test_the_windows_after_a_mini_batch_are_those_of_a_run_on_this_machine(
    deployed: FeatureDeployment,
) -> None:
    source = deployed.land("hour", traffic(MIDNIGHT, 1))
    bounds = {"slice_start_ts": "2025-03-02T00:00:00Z", "slice_end_ts": "2025-03-02T01:00:00Z"}
    delta = deployed.arguments(
        "delta_builder", mini_batch_id="hour", mini_batch_s3_prefix=source, **bounds
    )
    assert run_job("run_delta_builder", *delta).returncode == 0
    deployed.publish_here("hour", MIDNIGHT, 1)

    done = run_job("run_fg_a_builder", *deployed.of_mini_batch("hour"))

    expected = deployed.windows_here(MIDNIGHT + HOUR_US)
    found = [row for table in ("fg_a", "beacon") for row in rows(deployed.features, table)]
    assert found == expected
    assert ends_built(deployed) == {("w_1h", "01"), ("w_24h", "01")}
    assert BEACON in {(row.get("host_ip"), row.get("peer_ip")) for row in found}
    stages = stages_of(done)
    assert list(stages) == ["look", "start", "build", "publish"]
    assert stages["look"]["end"] == "2025-03-02T01:00:00Z"
    assert stages["start"]["engine"] == "polars"
    assert counted(done)["Publications"] == 1
    assert table_rows(done) == {
        "fg_a": len(rows(deployed.features, "fg_a")),
        "beacon": len(rows(deployed.features, "beacon")),
    }


def test_the_history_of_a_day_is_that_of_a_run_on_this_machine(
    deployed: FeatureDeployment,
) -> None:
    (day,) = days("2025-03-01")

    done = run_job("run_pair_history", *deployed.arguments("pair_history", day="2025-03-01"))

    assert counted(done)["Publications"] == 1
    found = rows(deployed.features, "pair_history")
    assert found == deployed.history_here(day)
    assert {row["dt"] for row in found} == {"2025-03-01"}
    assert table_rows(done)["pair_history"] == len(found) > 0


def test_the_schedule_names_the_day_by_its_time(deployed: FeatureDeployment) -> None:
    scheduled = deployed.arguments(
        "pair_history", day="", scheduled_ts="2025-03-02T02:00:00Z", run_id="run-2"
    )

    assert counted(run_job("run_pair_history", *scheduled))["Publications"] == 1

    assert {row["dt"] for row in rows(deployed.features, "pair_history")} == {"2025-03-01"}
    neither = deployed.arguments("pair_history", day="", scheduled_ts="")
    assert "give either the day" in only_error(run_job("run_pair_history", *neither), 2)


def test_windows_read_the_history_once_it_is_there_with_the_same_rows(
    deployed: FeatureDeployment,
) -> None:
    next_hour(deployed)
    (day,) = days("2025-03-01")
    without = deployed.windows_here(MIDNIGHT + HOUR_US)
    deployed.history_here(day)
    daily = deployed.arguments("pair_history", day="2025-03-01")
    assert run_job("run_pair_history", *daily).returncode == 0

    assert run_job("run_fg_a_builder", *deployed.of_mini_batch("hour")).returncode == 0

    found = [row for table in ("fg_a", "beacon") for row in rows(deployed.features, table)]
    assert found == deployed.windows_here(MIDNIGHT + HOUR_US) == without


def test_windows_with_a_slice_missing_are_not_due_and_are_built_when_it_comes(
    deployed: FeatureDeployment,
) -> None:
    next_hour(deployed, 1, "later")

    early = run_job("run_fg_a_builder", *deployed.of_mini_batch("later"))

    assert counted(early)["Publications"] == 1
    assert ends_built(deployed) == {("w_1h", "02")}, "its own hour is all that w_1h needs"

    next_hour(deployed, 0, "missing")
    late = run_job("run_fg_a_builder", *deployed.of_mini_batch("missing"))

    assert counted(late)["Publications"] == 2
    every = {("w_1h", "01"), ("w_24h", "01"), ("w_1h", "02"), ("w_24h", "02")}
    assert ends_built(deployed) == every
    again = run_job("run_fg_a_builder", *deployed.of_mini_batch("missing"))
    assert counted(again)["Publications"] == 0, "all is built"


def test_nothing_that_is_due_is_no_failure_and_is_told(deployed: FeatureDeployment) -> None:
    deployed.put(
        evolve(deployed.windows, windows=evolve(deployed.windows.windows, sources=("south",)))
    )
    next_hour(deployed)

    done = run_job("run_fg_a_builder", *deployed.of_mini_batch("hour"))

    assert counted(done)["Publications"] == 0
    (told,) = [line for line in said(done) if "no window is due" in str(line.get("message"))]
    assert told["level"] == "INFO"
    assert (told["mini_batch_id"], told["delta_job_name"]) == ("hour", "delta_builder")
    assert objects(deployed.bucket, "deltas/demo/features/") == {}


@only_in_soak
def test_late_records_are_in_the_rows_after_the_renewal(deployed: FeatureDeployment) -> None:
    next_hour(deployed)
    (day,) = days("2025-03-01")
    daily = deployed.arguments("pair_history", day="2025-03-01")
    assert run_job("run_pair_history", *daily).returncode == 0
    assert run_job("run_fg_a_builder", *deployed.of_mini_batch("hour")).returncode == 0
    late = traffic(DAY_BEFORE + 20 * HOUR_US, 2)
    deployed.publish("late", DAY_BEFORE + 20 * HOUR_US, 2, late[:5])

    renewal = deployed.arguments("fg_c", day="2025-03-02")
    done = run_job("run_stale_renewal", *renewal)

    assert counted(done)["Publications"] >= 2
    assert counted(done)["NotRenewed"] == 0
    assert rows(deployed.features, "pair_history") == deployed.history_here(day)
    expected = deployed.windows_here(MIDNIGHT + HOUR_US)
    found = [
        row
        for table in ("fg_a", "beacon")
        for row in rows(deployed.features, table)
        if row["hh"] == "01" and row["dt"] == "2025-03-02"
    ]
    assert found == expected
    again = run_job("run_stale_renewal", *renewal)
    assert counted(again)["Publications"] == 0


def test_what_is_wrong_is_one_clear_line_and_exit_code_2(deployed: FeatureDeployment) -> None:
    fg_a, history = "run_fg_a_builder", "run_pair_history"
    other_kind = deployed.of_mini_batch("hour", job_name="pair_history")
    assert "is the JobSpec of another kind of job" in only_error(run_job(fg_a, *other_kind), 2)
    other_version = deployed.of_mini_batch("hour", feature_spec_version="v9")
    assert "has no JobSpec for" in only_error(run_job(fg_a, *other_version), 2)
    no_day = deployed.arguments("pair_history", day="yesterday")
    assert "'yesterday' is no day" in only_error(run_job(history, *no_day), 2)
    empty = run_job(fg_a, *deployed.of_mini_batch(""))
    assert (empty.returncode, "--mini-batch-id" in empty.stderr) == (2, True)
    deployed.put(without_places(deployed.windows))
    message = only_error(run_job(fg_a, *deployed.of_mini_batch("hour")), 2)
    assert "storage.deltas_prefix: missing" in message


def test_a_missing_history_fails_the_run_and_names_the_day(deployed: FeatureDeployment) -> None:
    """Days 2025-03-02 and 03 have no history when windows begin on 2025-03-04."""
    for number in range(2):
        first = MIDNIGHT + (24 * number) * HOUR_US
        deployed.publish(f"day-{number}", first, 24, traffic(first, 24))
    first = MIDNIGHT + 48 * HOUR_US
    deployed.publish("hour", first, 1, traffic(first, 1))

    message = only_error(run_job("run_fg_a_builder", *deployed.of_mini_batch("hour")), 1)

    assert "there is no history of 2025-03-03" in message
    assert rows(deployed.features, "fg_a") == []


def test_a_run_that_fails_says_which_windows_it_had_published_before(
    deployed: FeatureDeployment, aws: str
) -> None:
    """The mini-batch makes two ends of windows due; S3 refuses the second."""
    next_hour(deployed, 1, "later")
    assert run_job("run_fg_a_builder", *deployed.of_mini_batch("later")).returncode == 0
    next_hour(deployed, 0, "missing")

    def forbid(request: Request) -> str | None:
        return "403" if request.writes and "/hh%3D02/" in request.path else None

    with proxy(aws, forbid) as server:
        arguments = deployed.of_mini_batch("missing")
        done = run_job("run_fg_a_builder", *arguments, AWS_ENDPOINT_URL=server.address)

    assert done.returncode != 0
    (told,) = [line for line in said(done) if "published before" in str(line.get("message"))]
    assert told["message"].endswith("they stay: 2025-03-02T010000Z")
    assert ends_built(deployed) == {("w_1h", "01"), ("w_24h", "01"), ("w_1h", "02")}


def test_jobs_that_build_the_same_windows_at_once_do_not_disturb_each_other(
    deployed: FeatureDeployment,
) -> None:
    """As after mini-batches of two vendors, published at the same moment."""
    next_hour(deployed)

    with ThreadPoolExecutor(2) as pool:
        done = list(
            pool.map(
                lambda run_id: run_job(
                    "run_fg_a_builder", *deployed.of_mini_batch("hour", run_id=run_id)
                ),
                ("run-1", "run-2"),
            )
        )

    assert [one.returncode for one in done] == [0, 0], done[0].stdout + done[1].stdout
    found = [row for table in ("fg_a", "beacon") for row in rows(deployed.features, table)]
    assert found == deployed.windows_here(MIDNIGHT + HOUR_US)


def test_the_jobs_policy_covers_all_that_feature_jobs_ask_of_s3_and_dynamodb(
    deployed: FeatureDeployment, aws: str
) -> None:
    next_hour(deployed)
    jobs = {
        "run_fg_a_builder": deployed.of_mini_batch("hour"),
        "run_pair_history": deployed.arguments("pair_history", day="2025-03-01"),
        "run_stale_renewal": deployed.arguments("fg_c", day="2025-03-02"),
    }
    with proxy(aws, lambda _: None) as server:
        for name, arguments in jobs.items():
            done = run_job(name, *arguments, AWS_ENDPOINT_URL=server.address)
            assert done.returncode == 0, done.stdout + done.stderr

    assert len(server.requests) > 50
    assert refused_by_policy(deployed, server.requests) == []
    assert unused_of_policy(deployed, server.requests) == {"s3:AbortMultipartUpload"}
    assert objects_with_secrets(objects(deployed.bucket, "deltas/")) == []
