"""What runs over S3 leave that die or fail: who finds it, who removes it, and what nobody loses by it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import define, evolve

from ndr_adapters.aws import limits
from ndr_adapters.aws.clients import s3_client
from ndr_adapters.s3.claims import Claim, State
from ndr_adapters.s3.sink import S3Writer
from ndr_core.deltas.job import DeltaBuilderRunner
from ndr_core.deltas.tables import PAIR
from ndr_core.errors import NdrError
from ndr_core.jobs.run import RuntimeParams
from ndr_core.publishing.entry import Entry, entry_of
from ndr_core.publishing.location import S3Address
from ndr_core.publishing.manifest import Manifest
from ndr_core.times import MINUTE_US
from ndr_entrypoints.wiring import Wiring
from tests.makers import started
from tests.stand_in import Fault, Request, made_older, proxy, put_behind_the_server
from tests.storages.noting_log import NotingLog
from tests.storages.s3_run import (
    SPEC,
    TEN,
    batch,
    claims,
    claims_of,
    log_of,
    plain_rows,
    plain_sessions,
    publish,
    rows,
    sessions,
)
from tests.support import objects

DEAD = "dead00000000"
LONG_AGO = timedelta(days=2)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tries of each request are enough to see what follows when all fail."""
    monkeypatch.setattr(limits, "ATTEMPTS", 2)


def copy_in(bucket: str, source: str, target: str) -> None:
    s3_client().copy_object(Bucket=bucket, Key=target, CopySource=f"{bucket}/{source}")


@define
class DeadRun:
    """A run that died while it was published: its mark, its claim and its copies are there."""

    mark: str
    claim: Claim
    copies: set[str]

    @property
    def keys(self) -> set[str]:
        return {self.mark, self.claim.listed.key, *self.copies}

    def long_ago(self, bucket: str) -> None:
        for key in self.keys & set(objects(bucket, "out/")):
            made_older(bucket, key, LONG_AGO)


def died(bucket: str, like: Manifest, state: State = State.PENDING) -> DeadRun:
    """Leave a run that died in the given state of its claim, with copies of all files of a published run."""
    target = f"s3://{bucket}/out"
    files = tuple(evolve(file, path=file.path.replace(like.token, DEAD)) for file in like.files)
    moment = like.published_at + (1 if state is State.PENDING else -1)
    log = log_of(target)
    draft = log.draft(evolve(like, published_at=moment, token=DEAD, files=files))
    staging = S3Writer(s3_client(), log.output).open_staging("dead", [PAIR], print)
    staging.mark(draft.listed.key)
    claim = log.put(draft)
    assert claim is not None
    for file, copy in zip(like.files, files, strict=True):
        copy_in(bucket, f"out/{file.path}", f"out/{copy.path}")
    if state is not State.PENDING:
        assert log.decide(claim, state)
    mark = f"{staging.root.removeprefix(f's3://{bucket}/')}/run.json"
    return DeadRun(mark, claim, {f"out/{file.path}" for file in files})


@pytest.mark.parametrize("state", list(State))
def test_what_a_dead_run_copied_is_removed_by_the_next_run_of_its_mini_batch(
    tmp_path: Path, bucket: str, state: State
) -> None:
    source, target = batch(tmp_path, bucket), f"s3://{bucket}/out"
    dead = died(bucket, publish(source, target).manifest, state)
    assert (len(rows(target)[0]), plain_rows(bucket, "out")) == (2, 4)

    publish(source, target)

    assert (len(rows(target)[0]), plain_rows(bucket, "out")) == (2, 2)
    assert State.PENDING not in [state for state, _ in claims(target)]
    assert dead.copies.isdisjoint(objects(bucket, "out/"))


@pytest.mark.parametrize("state", list(State))
def test_a_run_of_another_mini_batch_lets_what_a_run_left_be_until_it_surely_is_dead(
    tmp_path: Path, bucket: str, state: State
) -> None:
    source, target = batch(tmp_path, bucket), f"s3://{bucket}/out"
    dead = died(bucket, publish(source, target).manifest, state)
    before = objects(bucket, "out/")
    other = batch(tmp_path, bucket, "other")

    publish(other, target, mini_batch="other")
    after = objects(bucket, "out/")
    assert {key: after.get(key) for key in before} == before
    assert (sessions(target), plain_sessions(bucket, "out")) == (6, 9)

    dead.long_ago(bucket)
    publish(batch(tmp_path, bucket, "other2"), target, mini_batch="other")
    assert dead.keys.isdisjoint(objects(bucket, "out/"))
    assert (sessions(target), plain_sessions(bucket, "out")) == (6, 6)
    assert claims(target) == [(State.PUBLISHED, "mb"), (State.PUBLISHED, "other")]


def test_a_run_that_was_published_and_died_is_finished_by_another_one_in_time(
    tmp_path: Path, bucket: str
) -> None:
    """What it replaced is removed, and a rerun that is under way is not disturbed."""
    source, target = batch(tmp_path, bucket), f"s3://{bucket}/out"
    old = publish(source, target).manifest
    dead = died(bucket, old)
    log = log_of(target)
    assert log.decide(dead.claim, State.PUBLISHED)
    rerun = log.put(
        log.draft(evolve(dead.claim.manifest, published_at=old.published_at + 2, files=()))
    )
    assert rerun is not None
    assert plain_sessions(bucket, "out") == 6

    dead.long_ago(bucket)
    publish(batch(tmp_path, bucket, "other"), target, mini_batch="other")

    assert (sessions(target), plain_sessions(bucket, "out")) == (6, 6)
    assert {f"out/{file.path}" for file in old.files}.isdisjoint(objects(bucket, "out/"))
    assert [state for state, name in claims(target) if name == "mb"] == [
        State.PUBLISHED,
        State.PENDING,
    ]


def test_a_staging_place_without_a_claim_is_removed_in_time(tmp_path: Path, bucket: str) -> None:
    target = S3Address(bucket, "out")
    place = S3Writer(s3_client(), target).open_staging("dead", [PAIR], print).place
    publish(batch(tmp_path, bucket), str(target))
    (mark,) = objects(bucket, "out/_staging/")  # it might live yet
    assert mark == f"{place.key}/run.json"
    made_older(bucket, mark, LONG_AGO)
    publish(batch(tmp_path, bucket, "other"), str(target), mini_batch="other")
    assert not objects(bucket, "out/_staging/")


def test_a_dead_run_whose_claim_is_wrong_is_named_and_fails_no_run_of_another_mini_batch(
    tmp_path: Path, bucket: str
) -> None:
    source, target = batch(tmp_path, bucket), f"s3://{bucket}/out"
    dead = died(bucket, publish(source, target, start=TEN).manifest)
    for number in range(4):
        publish(batch(tmp_path, bucket, f"n{number}"), target, mini_batch=f"n{number}")
    wrong = b'{"state": "published", "manifest": {"files": 1}}'
    put = s3_client().put_object
    # Published before all others, so that no run reads it for its own sake.
    key = dead.claim.listed.key
    old_key = re.sub(r"-\d{16}-", "-0000000000000001-", key)
    put(Bucket=bucket, Key=old_key, Body=wrong)
    put(Bucket=bucket, Key=dead.mark, Body=f'{{"claim": "{old_key}"}}'.encode())
    s3_client().delete_object(Bucket=bucket, Key=key)
    dead.long_ago(bucket)
    log = NotingLog()

    publish_noting(batch(tmp_path, bucket, "other"), target, log)

    (notice,) = log.notices
    place = dead.mark.removesuffix("/run.json")
    assert notice.startswith(f"s3://{bucket}/{place}: can't be cleared away: ")
    assert f"{old_key}: is no manifest of a run" in notice
    assert objects(bucket, old_key) == {old_key: wrong}


def publish_noting(source: str, target: str, log: NotingLog) -> Manifest:
    wiring = Wiring.between(source, target)
    runner = DeltaBuilderRunner(
        spec=SPEC,
        params=RuntimeParams("other", "run", TEN, TEN + 15 * MINUTE_US),
        source=wiring.source,
        start_engine=started(wiring.engine("polars")),
        sink=wiring.sink,
        log=log,
    )
    return runner.run().manifest


# Copies and decisions that come late, deletions that do not come

BY = ["its rerun", "another mini-batch, in time"]
"""Who removes what a run left that failed."""


def come_by(by: str, source: str, target: str, tmp_path: Path, bucket: str) -> None:
    """Let the failed run of a source run again, or two days go by before another mini-batch is published."""
    if by == BY[0]:
        publish(source, target)
        return
    for key in (*objects(bucket, "out/_staging/"), *objects(bucket, "out/_manifests/")):
        made_older(bucket, key, LONG_AGO)
    publish(batch(tmp_path, bucket, "other"), target, mini_batch="other")


def copies_of(table: str) -> Callable[[Request], bool]:
    return lambda request: request.method == "PUT" and f"/out/{table}/" in request.path


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("by", BY)
def test_a_copy_that_is_made_after_its_run_has_failed_is_found_by_the_claim_that_stayed(
    tmp_path: Path, bucket: str, aws: str, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    target = f"s3://{bucket}/out"
    old = publish(batch(tmp_path, bucket), target).manifest
    source = batch(tmp_path, bucket, "new", source_bytes=5)
    is_copy = copies_of("delta")
    with proxy(aws, lambda request: "reset" if is_copy(request) else None) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        with pytest.raises(NdrError):
            publish(source, target)
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
    assert claims(target) == [(State.PUBLISHED, "mb"), (State.ABORTED, "mb")]
    assert plain_sessions(bucket, "out") == 3
    aborted = claims_of(log_of(target))[1]
    sample = next(file for file in old.files if "role=outbound" in file.path)
    late = next(
        file for file in aborted.manifest.files if "delta/" in file.path and "outbound" in file.path
    )
    stranger = f"out/{late.path.rpartition('/')[0]}/notes.txt"
    copy_in(bucket, f"out/{sample.path}", f"out/{late.path}")
    copy_in(bucket, f"out/{sample.path}", stranger)
    assert len(objects(bucket, "out/_staging/")) == 1

    come_by(by, source, target, tmp_path, bucket)

    left = objects(bucket, "out/delta/")
    assert f"out/{late.path}" not in left
    assert stranger in left
    if by == BY[1]:
        assert State.ABORTED not in [state for state, _ in claims(target)]
        assert not objects(bucket, "out/_staging/")


def test_a_rival_that_is_published_at_the_last_moment_leaves_nothing_of_itself_or_of_the_other(
    tmp_path: Path, bucket: str, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dead run's decision comes through just when the rerun is about to abort it."""
    source, target = batch(tmp_path, bucket), f"s3://{bucket}/out"
    dead = died(bucket, publish(source, target).manifest)
    decided: list[Request] = []

    def late(request: Request) -> Fault | None:
        if request.decides:
            decided.append(request)
        if len(decided) == 2 and request is decided[1]:
            monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
            assert log_of(target).decide(dead.claim, State.PUBLISHED)
        return None

    with proxy(aws, late) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        publish(source, target)
    assert len(decided) == 2
    assert claims(target) == [(State.PUBLISHED, "mb")]
    assert dead.copies.isdisjoint(objects(bucket, "out/"))
    assert (sessions(target), plain_sessions(bucket, "out")) == (3, 3)


@pytest.mark.parametrize("by", BY)
def test_a_file_that_can_not_be_deleted_keeps_the_claim_that_names_it_and_is_deleted_later(
    tmp_path: Path, bucket: str, aws: str, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    source, target = batch(tmp_path, bucket), f"s3://{bucket}/out"
    old = publish(source, target).manifest
    decided: list[Request] = []

    def forbid_the_first(request: Request) -> str | None:
        if request.decides:
            decided.append(request)
        deletes = request.method == "POST" and "delete" in request.path
        if deletes and len(decided) == 1:
            decided.append(request)
            return "403"
        return None

    with proxy(aws, forbid_the_first) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        with pytest.raises(NdrError, match="the run is published, but"):
            publish(source, target)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
    assert old in [claim.manifest for claim in claims_of(log_of(target))]
    assert plain_sessions(bucket, "out") == 6

    come_by(by, source, target, tmp_path, bucket)

    assert State.ABORTED not in [state for state, _ in claims(target)]
    assert plain_sessions(bucket, "out") == sessions(target)
    assert not objects(bucket, "out/_staging/") or by == BY[0]


# Listings of several pages


def test_a_run_that_is_replaced_while_its_claims_are_listed_is_never_missed(
    bucket: str, aws: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The page that its new claim belongs to was given before, and its old one is gone from the next page."""
    target = f"s3://{bucket}/out"
    run = publish(batch(tmp_path, bucket), f"s3://{bucket}/elsewhere").manifest
    new = entry_of(run)
    aborted, old = (evolve(new, first=f"2025-03-01T10{mm}") for mm in ("05", "10"))
    others = [evolve(new, owner=f"{number:016x}") for number in range(999)]
    behind = [evolve(new, owner="f" * 16, token=f"{number:012x}") for number in range(5)]
    put_behind_the_server(bucket, map(key_of, [*others, aborted, old, *behind]))
    pages: list[Request] = []

    def replace(request: Request) -> None:
        goes_on = "start-after" in request.path or "continuation-token" in request.path
        if goes_on and not pages:
            pages.append(request)
            put_behind_the_server(bucket, [key_of(new)])
            s3_client("eu-west-1", aws).delete_object(Bucket=bucket, Key=key_of(old))

    with proxy(aws, replace) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        found = [listed.entry for listed in log_of(target).all()]
    assert pages
    assert found == [*others, new, aborted, *behind]


def key_of(entry: Entry) -> str:
    return f"out/_manifests/{entry.name}"


def test_claims_of_many_pages_are_each_listed_once(bucket: str, tmp_path: Path) -> None:
    run = entry_of(publish(batch(tmp_path, bucket), f"s3://{bucket}/elsewhere").manifest)
    entries = [
        *(evolve(run, owner=f"{number:016x}") for number in range(1500)),
        *(evolve(run, owner="e" * 16, token=f"{number:012x}") for number in range(1200)),
        *(evolve(run, owner=f"f{number:015x}") for number in range(700)),
    ]
    put_behind_the_server(bucket, [key_of(entry) for entry in entries])
    found = [listed.entry for listed in log_of(f"s3://{bucket}/out").all()]
    assert found == sorted(entries, key=key_of)
