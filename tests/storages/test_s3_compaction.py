"""Compaction of days in S3: rows stay as they are, whenever it dies and whoever publishes at the same time."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from attrs import evolve
from polars.exceptions import PolarsError

from ndr_adapters.aws import limits
from ndr_adapters.aws.clients import s3_client
from ndr_adapters.outputs import open_output
from ndr_adapters.polars.published import read_deltas
from ndr_adapters.polars.scan import count_rows
from ndr_adapters.s3.claims import State
from ndr_core.errors import AfterPublicationError, NdrError, UsageError
from ndr_core.publishing.compaction import CompactedError, DayChangedError
from ndr_core.publishing.entry import entry_of
from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.verify import verify
from tests.soak import SOAK, only_in_soak
from tests.stand_in import Fault, Request, proxy, put_behind_the_server
from tests.storages.s3_compaction import (
    ONE_DAY,
    Output,
    client_that_calls_before_first,
    client_that_calls_before_step,
    client_that_dies_before_write,
    dies,
    put_batches,
)
from tests.storages.s3_run import claims, log_of, rows

WITHOUT_SPARK = True


@pytest.fixture(scope="module")
def content(aws_server: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """An output of two mini-batches of one day, which meet in a slice; one goes on into the next day."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", aws_server)
        made = Output(_new_bucket(tmp_path_factory.mktemp("in")))
        made.publish("first")
        made.publish("second")
        return made.content()


def _new_bucket(folder: Path) -> str:
    name = f"ndr-{uuid.uuid4().hex[:12]}"
    s3_client().create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    put_batches(folder, name)
    return name


@pytest.fixture
def output(tmp_path: Path, bucket: str, content: dict[str, bytes]) -> Output:
    put_batches(tmp_path, bucket)
    made = Output(bucket)
    made.put(content)
    return made


# What compaction does


def test_rows_are_read_as_before_and_manifests_of_a_day_become_one(output: Output) -> None:
    before = rows(output.target)
    contributions = {one for manifest in output.manifests() for one in manifest.contributions}

    made = output.compact()

    assert rows(output.target) == before
    assert output.is_whole()
    found = verify(open_output(output.target), lambda path: count_rows(output.target, path))
    assert (found.runs, found.findings) == (2, ())
    assert [manifest.day for manifest in made] == ["2025-03-01", "2025-03-02"]
    assert output.days() == ["2025-03-01", "2025-03-02"]
    files = [path for path in output.content() if path.endswith(".parquet")]
    assert len(files) == len({path.rpartition("/")[0] for path in files})
    assert {one for day in output.manifests() for one in day.contributions} == contributions


def test_reports_and_quarantine_stay_what_they_were(
    output: Output, content: dict[str, bytes]
) -> None:
    aside = {
        path: found for path, found in content.items() if path.startswith(("quality/", "quarant"))
    }

    output.compact()

    after = output.content()
    assert len(aside) == 3
    assert {path: after.get(path) for path in aside} == aside
    held = {run.facts.mini_batch_id: day.day for day in output.manifests() for run in day.runs}
    assert held == {"first": "2025-03-01", "second": "2025-03-02"}


def test_only_whole_days_before_the_moment_are_compacted_and_only_once(output: Output) -> None:
    before = rows(output.target)

    output.compact(ONE_DAY)

    assert output.compact(ONE_DAY) == []
    assert rows(output.target) == before
    assert output.is_whole()
    assert sorted(one.day or one.facts.mini_batch_id for one in output.manifests()) == [
        *("2025-03-01", "second")
    ]


def test_a_later_batch_adds_to_a_compacted_day_which_can_be_compacted_again(
    output: Output,
) -> None:
    output.compact()
    output.publish("late")
    with_late = rows(output.target)
    assert 1000 + 100 + 100 in {row["bytes_sent_sum"] for row in with_late[0]}

    output.compact()

    assert rows(output.target) == with_late
    assert output.is_whole()
    assert len(output.manifests()) == 2


def test_a_compacted_batch_is_refused_before_work(output: Output) -> None:
    output.compact(ONE_DAY)
    before = output.content()

    for batch in ("first", "second"):  # of the second only one slice is compacted
        with pytest.raises(UsageError, match=f"mini-batch {batch} .* of 2025-03-01 was compacted"):
            output.publish(f"{batch} again", batch)

    assert output.content() == before


def test_the_two_days_of_a_mini_batch_are_named_once_each(output: Output) -> None:
    output.compact()
    output.publish("late")
    output.compact()
    message = "of 2025-03-01, 2025-03-02 was compacted"

    with pytest.raises(UsageError, match=message):
        output.publish("second again", "second")


def test_a_run_that_is_published_into_the_day_meanwhile_is_not_lost(output: Output) -> None:
    staging, compaction = output.staged(output.first_day())
    output.publish("late")
    before = rows(output.target)

    with pytest.raises(DayChangedError, match="2025-03-01: a run was published into the day"):
        staging.publish_day(compaction)

    staging.close()
    assert rows(output.target) == before
    assert output.is_whole()


def test_of_two_compactions_of_a_day_at_once_one_counts(output: Output) -> None:
    before = rows(output.target)
    day = output.first_day()
    first, second = output.staged(day), output.staged(day)

    first[0].publish_day(first[1])
    with pytest.raises(DayChangedError):
        second[0].publish_day(second[1])

    first[0].close()
    second[0].close()
    assert rows(output.target) == before
    assert output.is_whole()


def test_a_reader_that_opened_a_day_before_it_was_compacted_is_told(output: Output) -> None:
    frame = read_deltas(open_output(output.target))
    output.compact()

    with pytest.raises((PolarsError, OSError), match=r"(?i)not found|404|no such"):
        frame.collect()


# Deaths


def test_a_compaction_that_is_killed_before_any_of_its_writes_leaves_all_rows(
    output: Output, content: dict[str, bytes]
) -> None:
    before = rows(output.target)
    compacted: list[bool] = []
    for step in range(0, 1000, 1 if SOAK else 5):  # odd and even ones
        output.reset(content)
        died = _dies(output, step)
        compacted.append(bool(output.days()))
        assert rows(output.target) == before
        if step % 2:
            output.compact(ONE_DAY)
            assert output.days() == ["2025-03-01"]
            assert rows(output.target) == before
        output.clear_later()
        assert output.is_whole()
        assert rows(output.target) == before
        if not died:
            break
    assert not died
    # There is one write before which no death compacts, and after which every one does.
    assert compacted == sorted(compacted)
    assert (compacted.count(False) > 1, compacted.count(True) > 1) == (True, True)


def _dies(output: Output, step: int) -> bool:
    """Compact the first day in a process that is killed before a write. Gives whether it came to that."""
    killed = output.by(client_that_dies_before_write(step))
    return dies(lambda: killed.compact(ONE_DAY))


def test_what_a_rerun_replaced_and_did_not_remove_never_counts_again(output: Output) -> None:
    """The rerun died before it removed the former run: that one must not outlive the rerun's manifest."""
    former = output.content()
    output.publish("first again", "first")
    output.put(former)
    left = output.content()
    before = rows(output.target)
    died = True
    for step in range(0, 1000, 1 if SOAK else 5):
        output.reset(left)
        died = _dies(output, step)
        assert rows(output.target) == before
        output.clear_later()
        if not died:
            break
    assert not died
    assert output.is_whole()


# Reruns that meet a compaction


def _rerun(output: Output, mini_batch: str, outcomes: list[str]) -> None:
    try:
        output.publish(f"{mini_batch} again", mini_batch)
    except (CompactedError, UsageError) as error:
        outcomes.append("refused" if "was compacted" in str(error) else str(error))
    else:
        outcomes.append("published")


def _compact(output: Output, made: list[Manifest]) -> None:
    made += output.compact(ONE_DAY)


@pytest.fixture(scope="module")
def renewed(
    aws_server: str, tmp_path_factory: pytest.TempPathFactory, content: dict[str, bytes]
) -> dict[str, object]:
    """Mini-batch -> the rows of the output once it ran again."""
    found: dict[str, object] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", aws_server)
        made = Output(_new_bucket(tmp_path_factory.mktemp("in")))
        for name in ("first", "second"):
            made.reset(content)
            made.publish(f"{name} again", name)
            found[name] = rows(made.target)
    return found


@pytest.mark.parametrize("mini_batch", ["first", pytest.param("second", marks=only_in_soak)])
def test_a_rerun_at_any_step_of_a_compaction_is_refused_or_counts_whole(
    output: Output, content: dict[str, bytes], renewed: dict[str, object], mini_batch: str
) -> None:
    old = rows(output.target)
    seen: list[str] = []
    for step in range(5 if mini_batch == "first" else 0, 1000, 1 if SOAK else 10):
        output.reset(content)
        outcomes: list[str] = []
        meeting = client_that_calls_before_step(step, partial(_rerun, output, mini_batch, outcomes))
        output.by(meeting).compact(ONE_DAY)
        if not outcomes:
            break
        seen += outcomes
        assert rows(output.target) == (renewed[mini_batch] if outcomes == ["published"] else old)
        assert output.is_whole()
    # There is one request before which the rerun counts, and after which it is refused.
    assert seen == sorted(seen)
    assert set(seen) == {"published", "refused"}


@pytest.mark.parametrize("mini_batch", ["first", pytest.param("second", marks=only_in_soak)])
def test_a_compaction_at_any_step_of_a_rerun_loses_and_doubles_nothing(
    output: Output, content: dict[str, bytes], renewed: dict[str, object], mini_batch: str
) -> None:
    old = rows(output.target)
    seen: list[str] = []
    for step in range(4 if mini_batch == "first" else 0, 1000, 1 if SOAK else 10):
        output.reset(content)
        outcomes: list[str] = []
        compacted: list[Manifest] = []
        meeting = client_that_calls_before_step(step, partial(_compact, output, compacted))
        _rerun(output.by(meeting), mini_batch, outcomes)
        if not compacted:
            break
        seen += outcomes
        assert rows(output.target) == (renewed[mini_batch] if outcomes == ["published"] else old)
        output.clear_later()
        assert output.is_whole()
    # There is one request before which a compaction refuses the rerun, and after which the rerun counts.
    assert seen == sorted(seen, reverse=True)
    assert set(seen) == {"published", "refused"}


def test_a_rerun_stops_a_compaction_that_is_copying_and_files_of_other_runs_stay(
    output: Output, renewed: dict[str, object]
) -> None:
    outcomes: list[str] = []
    meeting = client_that_calls_before_first(
        "CopyObject", lambda: _rerun(output, "first", outcomes)
    )
    staging, compaction = output.by(meeting).staged(output.first_day())

    with pytest.raises(DayChangedError, match="under way while it was compacted"):
        staging.publish_day(compaction)

    staging.close()
    assert outcomes == ["published"]
    assert rows(output.target) == renewed["first"]
    assert output.is_whole()


def test_a_rerun_lets_a_pending_compaction_be_that_holds_nothing_of_it(output: Output) -> None:
    """Its mini-batch was in the day when a compaction began that came to nothing."""
    assert _dies(output, 12)
    output.publish("second again", "second")  # which has no rows in that day any more
    states: list[list[State]] = []
    meeting = client_that_calls_before_first(
        "CopyObject", lambda: states.append(_publish_second_and_look(output))
    )

    output.by(meeting).compact(ONE_DAY)

    assert len(states) == 1
    assert State.PENDING in states[0]
    assert output.days() == ["2025-03-01"]


def _publish_second_and_look(output: Output) -> list[State]:
    output.publish("second again", "second")
    return [state for state, mini_batch in claims(output.target) if not mini_batch]


@only_in_soak
def test_a_compaction_at_any_step_of_another_one_of_the_same_day_changes_nothing(
    output: Output, content: dict[str, bytes]
) -> None:
    before = rows(output.target)
    seen: list[str] = []
    for step in range(0, 1000, 1 if SOAK else 8):
        output.reset(content)
        met: list[Manifest] = []
        meeting = client_that_calls_before_step(step, partial(_compact, output, met))
        ready, compaction = output.staged(output.first_day())
        staging = evolve(ready, log=evolve(ready.log, client=meeting))
        try:
            staging.publish_day(compaction)
            seen.append("published")
        except DayChangedError:
            seen.append("changed")
        staging.close()
        assert rows(output.target) == before
        assert output.days() == ["2025-03-01"]
        output.clear_later()
        assert output.is_whole()
        if not met:
            break
    assert set(seen) == {"published", "changed"}


# Answers that are lost, deletions that do not come


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tries of each request are enough to see what follows when all fail."""
    monkeypatch.setattr(limits, "ATTEMPTS", 2)


def compact_amid(
    output: Output,
    aws: str,
    monkeypatch: pytest.MonkeyPatch,
    rule: Callable[[Request], Fault | None],
) -> int:
    """Compact the first day through a proxy. Gives how many faults it met."""
    with proxy(aws, rule) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        try:
            output.compact(ONE_DAY)
        finally:
            monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
        return len(server.faults)


def deciding(fault: Fault, then: Fault | None = None) -> Callable[[Request], Fault | None]:
    """Each of two tries of the decision meets a fault, and all that comes after them another one."""
    met: list[Request] = []

    def rule(request: Request) -> Fault | None:
        if request.decides and len(met) < 2:
            met.append(request)
            return fault
        return then if met else None

    return rule


@pytest.mark.usefixtures("impatient")
def test_a_decision_of_which_every_answer_is_lost_is_looked_up(
    output: Output, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows(output.target)

    assert compact_amid(output, aws, monkeypatch, deciding("lost")) == 2

    assert output.days() == ["2025-03-01"]
    assert rows(output.target) == before
    assert output.is_whole()


@pytest.mark.usefixtures("impatient")
def test_a_decision_that_can_not_be_looked_up_is_said_to_be_unknown_and_finished_in_time(
    output: Output, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows(output.target)

    with pytest.raises(NdrError, match=r"^it is not known whether the run is published"):
        compact_amid(output, aws, monkeypatch, deciding("lost", "reset"))

    assert rows(output.target) == before
    assert not output.is_whole()  # what was compacted is there still
    output.clear_later()
    assert output.days() == ["2025-03-01"]
    assert output.is_whole()


@pytest.mark.usefixtures("impatient")
def test_a_decision_that_never_came_through_is_withdrawn_and_leaves_files_of_other_runs(
    output: Output, aws: str, monkeypatch: pytest.MonkeyPatch, content: dict[str, bytes]
) -> None:
    with pytest.raises(NdrError, match="AWS can't be reached"):
        compact_amid(output, aws, monkeypatch, deciding("reset"))

    after = output.content()
    assert {path: found for path, found in after.items() if "_compacted" not in path} == content


@pytest.mark.usefixtures("impatient")
def test_what_was_compacted_and_could_not_be_removed_is_removed_in_time(
    output: Output, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows(output.target)

    def forbid(request: Request) -> Fault | None:
        deletes = request.method == "POST" and "delete" in request.path
        return "403" if deletes else None

    with pytest.raises(AfterPublicationError, match=r"^2025-03-01 is compacted, but what it was"):
        compact_amid(output, aws, monkeypatch, forbid)

    assert rows(output.target) == before
    output.clear_later()
    assert output.is_whole()


# Listings of several pages


def test_a_day_that_takes_over_a_run_while_claims_are_listed_is_never_missed(
    output: Output, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page that its claim belongs to was given before, and the run's is gone from the next page."""
    run = entry_of(output.manifests()[0])
    day, taken = evolve(run, owner="0" * 16), evolve(run, owner="f" * 16)
    others = [evolve(run, owner=f"{number:016x}") for number in range(1, 1100)]
    output.reset({})
    put_behind_the_server(output.bucket, [f"out/_manifests/{one.name}" for one in [*others, taken]])
    listings: list[Request] = []

    def replace(request: Request) -> None:
        listings.append(request)
        if len(listings) == 2:
            put_behind_the_server(output.bucket, [f"out/_manifests/{day.name}"])
            s3_client("eu-west-1", aws).delete_object(
                Bucket=output.bucket, Key=f"out/_manifests/{taken.name}"
            )

    with proxy(aws, replace) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        found = [listed.entry for listed in log_of(output.target).all()]

    assert found == [day, *others]
