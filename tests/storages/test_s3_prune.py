"""`ndr prune` in S3: old slices go whenever it dies and whoever publishes meanwhile."""

from __future__ import annotations

import uuid
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ndr_adapters.aws.clients import s3_client
from ndr_adapters.s3.claims import ClaimLog
from ndr_adapters.s3.prune import prune_output
from ndr_adapters.s3.pruned import read_pruned
from ndr_core.errors import UsageError
from ndr_core.publishing.pruning import PrunedError, Removed
from tests.e2e.cli import ndr
from tests.makers import us
from tests.soak import SOAK
from tests.storages.s3_compaction import (
    ONE_DAY,
    Output,
    client_that_calls_before_first,
    client_that_calls_before_step,
    client_that_dies_before_write,
    dies,
    put_batches,
)
from tests.storages.s3_run import rows

WITHOUT_SPARK = True

SLICE_ENDS = us("2025-03-01T10:15:00Z")
DAY_ENDS = us("2025-03-02T00:00:00Z")


@pytest.fixture(scope="module")
def content(aws_server: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """An output of two mini-batches of one day, which meet in a slice; one goes on into the next day."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", aws_server)
        name = f"ndr-{uuid.uuid4().hex[:12]}"
        s3_client().create_bucket(
            Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        put_batches(tmp_path_factory.mktemp("in"), name)
        made = Output(name)
        made.publish("first")
        made.publish("second")
        return made.content()


@pytest.fixture
def output(tmp_path: Path, bucket: str, content: dict[str, bytes]) -> Output:
    put_batches(tmp_path, bucket)
    made = Output(bucket)
    made.put(content)
    return made


def prune(output: Output, before: int = DAY_ENDS) -> Removed:
    return prune_output(ClaimLog(output.client or s3_client(), output.address), before)


def _prune(output: Output, before: int) -> None:
    prune(output, before)


def rows_from(output: Output, first: int) -> Any:
    """What readers see of the slices from a moment on."""
    return tuple(
        [row for row in found if us(row["slice_start_ts"].isoformat()) >= first]
        for found in rows(output.target)
    )


def batches(output: Output) -> list[str]:
    return sorted(one.facts.mini_batch_id for one in output.manifests())


def test_old_slices_go_with_the_runs_that_have_no_others(output: Output) -> None:
    left = rows_from(output, DAY_ENDS)
    before = output.content()

    removed = prune(output)

    assert rows(output.target) == left
    assert output.is_whole()
    assert batches(output) == ["second"]
    after = output.content()
    gone = [path for path in before if path not in after]
    assert len(gone) == removed.files + removed.runs
    assert not [path for path in after if "dt=2025-03-01" in path]
    assert not [path for path in after if "mini_batch_id=first" in path]
    assert (removed.slices, removed.runs) == (2, 1)


def test_a_part_of_a_compacted_day_goes_and_the_rest_is_read_as_before(output: Output) -> None:
    output.compact()
    left = rows_from(output, SLICE_ENDS)

    prune(output, SLICE_ENDS)

    assert rows(output.target) == left
    assert output.is_whole()
    assert output.days() == ["2025-03-01", "2025-03-02"]
    prune(output)
    assert output.days() == ["2025-03-02"]
    assert output.is_whole()
    hints = [path for path in output.content() if path.startswith("_compacted/")]
    assert [path[-10:] for path in hints] == ["2025-03-02"]


def test_what_is_pruned_can_be_compacted(output: Output) -> None:
    prune(output, SLICE_ENDS)
    left = rows(output.target)

    output.compact()

    assert rows(output.target) == left
    assert output.is_whole()


def test_one_marker_is_left_and_an_earlier_moment_does_not_go_back(output: Output) -> None:
    prune(output, SLICE_ENDS)
    prune(output)
    again = prune(output, SLICE_ENDS)

    assert (again.files, again.runs) == (0, 0)
    markers = [path for path in output.content() if path.startswith("_pruned/")]
    assert markers == [f"_pruned/feature_spec_version=v1/{DAY_ENDS:016}"]


def test_a_rerun_publishes_only_what_is_new(output: Output) -> None:
    prune(output)
    before = rows(output.target)

    output.publish("second")

    assert rows(output.target) == before
    assert output.is_whole()
    with pytest.raises(PrunedError, match="it has no others"):
        output.publish("first")


def test_what_is_no_output_is_refused(bucket: str) -> None:
    with pytest.raises(UsageError, match="holds no published run"):
        prune(Output(bucket))


def test_the_command_removes_old_slices_of_an_output_in_s3(output: Output) -> None:
    output.put({"failed/mb/run/report.json": b"{}"})

    told = ndr("prune", output.target, "--before", "2025-03-02", "--dry-run", "--json").json()
    answer = ndr("prune", output.target, "--before", "2025-03-02")

    assert answer.exit_code == 0, answer.errors
    assert f"{told['slices']} slices, {told['files']} files" in answer.output
    assert "failed/mb/run/report.json" in output.content()  # younger than that
    assert ndr("verify", output.target).exit_code == 0


@pytest.mark.parametrize("compacted", [False, True])
def test_a_pruning_that_is_killed_before_any_of_its_writes_is_finished_by_the_next_one(
    output: Output, compacted: bool
) -> None:
    if compacted:
        output.compact()
    content, every = output.content(), rows(output.target)
    prune(output)
    finished, left = output.content(), rows(output.target)
    pruned: list[bool] = []
    died = True
    for step in range(0, 1000, 1 if SOAK else 7):
        output.reset(content)
        killed = output.by(client_that_dies_before_write(step))
        died = dies(partial(prune, killed))
        pruned.append(bool(read_pruned(s3_client(), output.address).firsts))
        assert rows(output.target) == (left if pruned[-1] else every)
        assert ndr("verify", output.target).exit_code == 0
        prune(output)
        assert output.content() == finished
        if not died:
            break
    assert not died
    assert pruned == [False, *[True] * (len(pruned) - 1)]
    assert len(pruned) > 1


@pytest.mark.parametrize("batch", ["second again", "late"])
def test_a_run_that_publishes_amid_a_pruning_keeps_its_new_slices(
    output: Output, content: dict[str, bytes], batch: str
) -> None:
    reached = True
    for step in range(0, 1000, 1 if SOAK else 9):
        output.reset(content)
        called: list[int] = []

        def publish(called: list[int] = called) -> None:
            called.append(1)
            output.publish(batch, batch.removesuffix(" again"))

        prune(output.by(client_that_calls_before_step(step, publish)))
        reached = bool(called)
        if not reached:
            break
        sent = sum(row["sessions_cnt"] for row in rows(output.target)[0])
        assert sent == (2 if batch == "second again" else 6)
        assert {row["slice_start_ts"].day for row in rows(output.target)[0]} == {2}
        prune(output)
        output.clear_later()
        assert output.is_whole()
    assert not reached


def test_a_run_that_is_overtaken_by_a_pruning_shows_no_pruned_slice(output: Output) -> None:
    client = client_that_calls_before_first("CopyObject", lambda: _prune(output, DAY_ENDS))

    output.by(client).publish("late")

    assert {row["slice_start_ts"].day for row in rows(output.target)[0]} == {2}
    assert ndr("verify", output.target).exit_code == 0
    prune(output)
    assert output.is_whole()


def test_a_compaction_that_is_overtaken_by_a_pruning_shows_no_pruned_slice(output: Output) -> None:
    left = rows_from(output, SLICE_ENDS)
    for operation in ("CopyObject", "PutObject"):
        client = client_that_calls_before_first(operation, lambda: _prune(output, SLICE_ENDS))

        output.by(client).compact(ONE_DAY)

        assert rows(output.target) == left
        assert ndr("verify", output.target).exit_code == 0
        prune(output, SLICE_ENDS)
        output.clear_later()
        assert output.is_whole()
