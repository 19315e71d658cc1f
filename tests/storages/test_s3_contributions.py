"""Mini-batches of one slice in S3: their contributions add, and no run hinders or touches another mini-batch's."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from ndr_adapters.outputs import open_output
from ndr_adapters.polars.published import read_deltas
from ndr_adapters.s3.claims import State
from ndr_core.errors import NdrError, ThresholdError, UsageError
from ndr_core.publishing.entry import entry_of
from ndr_core.publishing.manifest import Manifest, contributions_of
from ndr_core.publishing.standing import Overrides
from ndr_core.times import MINUTE_US
from tests.e2e.cli import ndr
from tests.makers import flow, make_spec, write_batch
from tests.stand_in import Request, proxy
from tests.storages.s3_run import (
    DELTA,
    TEN,
    batch,
    claims,
    contributions,
    log_of,
    plain_sessions,
    publish,
    sessions,
)
from tests.support import objects, upload

QUARTER_PAST = "2025-03-01T10:20:00Z"


def test_mini_batches_of_one_slice_add_up_and_a_rerun_replaces_its_own(
    tmp_path: Path, bucket: str
) -> None:
    target = f"s3://{bucket}/out"
    for name in ("a", "b", "c"):
        publish(batch(tmp_path, bucket, name), target, mini_batch=name)
    before = contributions(target)
    assert (sessions(target), plain_sessions(bucket, "out")) == (9, 9)

    again = publish(batch(tmp_path, bucket, "b2", source_bytes=7), target, mini_batch="b").manifest

    after = contributions(target)
    assert (after["a"], after["c"]) == (before["a"], before["c"])
    assert after["b"].keys().isdisjoint(before["b"])
    assert (sessions(target), plain_sessions(bucket, "out")) == (9, 9)
    assert again.replaced is not None
    assert (again.replaced.slices, again.replaced.kept) == (1, 3)
    assert claims(target) == [(State.PUBLISHED, name) for name in ("a", "c", "b")]


def test_a_rerun_removes_what_its_mini_batch_held_in_slices_that_it_holds_no_more(
    tmp_path: Path, bucket: str
) -> None:
    target = f"s3://{bucket}/out"
    ten, later = flow(), flow(event_start=QUARTER_PAST, event_end=None)
    wide = upload(write_batch(tmp_path / "wide", [[ten, later, later]]), bucket, "in/wide")
    narrow = upload(write_batch(tmp_path / "narrow", [[ten]]), bucket, "in/narrow")
    other = batch(tmp_path, bucket, "other", event_start=QUARTER_PAST, event_end=None)
    publish(other, target, start=None, mini_batch="other")
    publish(wide, target, start=None)
    before = contributions(target)
    assert plain_sessions(bucket, "out") == 6

    manifest = publish(narrow, target, start=None).manifest

    assert manifest.slices() == ["dt=2025-03-01/hh=10/mm=00"]
    assert (sessions(target), plain_sessions(bucket, "out")) == (4, 4)
    assert contributions(target)["other"] == before["other"]
    left = {key.removeprefix("out/") for key in objects(bucket, "out/")}
    assert left.isdisjoint(before["mb"])


def test_a_rerun_without_any_rows_leaves_none_of_its_mini_batch(
    tmp_path: Path, bucket: str
) -> None:
    target = f"s3://{bucket}/out"
    publish(batch(tmp_path, bucket, "other"), target, mini_batch="other")
    publish(batch(tmp_path, bucket), target)
    empty = upload(write_batch(tmp_path / "empty", [[]]), bucket, "in/empty")

    publish(empty, target)

    assert (sessions(target), plain_sessions(bucket, "out")) == (3, 3)
    assert claims(target) == [(State.PUBLISHED, "other"), (State.PUBLISHED, "mb")]


def writes_claim(request: Request) -> bool:
    return request.method == "PUT" and "If-None-Match" in request.headers


def test_mini_batches_of_one_slice_at_once_are_each_published_at_the_first_try(
    tmp_path: Path, bucket: str, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = f"s3://{bucket}/out"
    names = [f"mb{number}" for number in range(6)]
    sources = [batch(tmp_path, bucket, name) for name in names]
    with proxy(aws, lambda _: None) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda a, b: publish(a, target, mini_batch=b), sources, names))
        assert sum(map(writes_claim, server.requests)) == len(names)
        assert sum(request.decides for request in server.requests) == len(names)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
    assert sorted(contributions(target)) == names
    assert (sessions(target), plain_sessions(bucket, "out")) == (18, 18)


def test_a_mini_batch_that_copies_slowly_neither_delays_another_one_nor_begins_anew(
    tmp_path: Path, bucket: str, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = f"s3://{bucket}/out"
    slow, fast = batch(tmp_path, bucket, "slow"), batch(tmp_path, bucket, "fast")
    copying, go_on = threading.Event(), threading.Event()

    def hold_the_first_copy(request: Request) -> None:
        if "/out/delta/" in request.path and request.method == "PUT" and not copying.is_set():
            copying.set()
            go_on.wait(60)

    with proxy(aws, hold_the_first_copy) as server, ThreadPoolExecutor(1) as pool:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        first = pool.submit(publish, slow, target, mini_batch="slow")
        assert copying.wait(60)
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
        publish(fast, target, mini_batch="fast")
        assert claims(target) == [(State.PENDING, "slow"), (State.PUBLISHED, "fast")]
        assert list(contributions(target)) == ["fast"]
        go_on.set()
        first.result(60)
        assert sum(map(writes_claim, server.requests)) == 1
    assert list(contributions(target)) == ["slow", "fast"]
    assert plain_sessions(bucket, "out") == 6


# What a run is refused for


def test_an_output_of_the_former_format_is_refused_by_all_with_the_advice_to_migrate(
    tmp_path: Path, bucket: str
) -> None:
    target, source = f"s3://{bucket}/out", batch(tmp_path, bucket)
    former = "feature_spec_version=v1/2025-03-01T1000_2025-03-01T1000/000000000001-0123456789ab-mb"
    from ndr_adapters.aws.clients import s3_client

    s3_client().put_object(Bucket=bucket, Key=f"out/_manifests/{former}.json", Body=b"{}")
    before = objects(bucket)
    for attempt in (
        lambda: publish(source, target),
        lambda: read_deltas(open_output(target)),
    ):
        with pytest.raises(UsageError, match=f"output {target}: .* `ndr migrate {target}`$"):
            attempt()
    answer = ndr("inspect", target)
    assert (answer.exit_code, f"`ndr migrate {target}`" in answer.errors) == (2, True)
    assert objects(bucket) == before


def test_equal_input_files_under_another_id_are_refused_unless_they_are_to_count_again(
    tmp_path: Path, bucket: str
) -> None:
    target, source = f"s3://{bucket}/out", batch(tmp_path, bucket)
    publish(source, target)
    copy = upload(tmp_path / "mb", bucket, "in/copy")  # the same bytes at another address
    before = objects(bucket, "out")

    with pytest.raises(UsageError, match=r"in/copy/.*: mini-batch mb of job .*--count-again"):
        publish(copy, target, mini_batch="copy")

    assert objects(bucket, "out") == before
    publish(copy, target)  # of the same mini-batch: a rerun
    assert sessions(target) == 3
    publish(copy, target, mini_batch="copy", overrides=Overrides(count_again=True))
    assert (sessions(target), plain_sessions(bucket, "out")) == (6, 6)


def test_report_and_quarantine_of_a_run_that_a_threshold_stops_are_set_aside(
    tmp_path: Path, bucket: str
) -> None:
    target = f"s3://{bucket}/out"
    publish(batch(tmp_path, bucket), target)
    before = objects(bucket, "out")
    spec = make_spec(delta=DELTA, quality={"max_rejected_fraction": 0.1})

    with pytest.raises(ThresholdError, match=f"{target}/failed/mb/run$"):
        publish(batch(tmp_path, bucket, "worse"), target, spec=spec)

    after = objects(bucket, "out")
    aside = [key for key in after if key not in before]
    assert aside == ["out/failed/mb/run/rejected-00000.json.gz", "out/failed/mb/run/report.json"]
    assert {key: after[key] for key in before} == before
    assert len(after) == len(before) + 2


def test_a_run_that_can_not_set_its_report_aside_fails_and_changes_nothing(
    tmp_path: Path, bucket: str, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = f"s3://{bucket}/out"
    publish(batch(tmp_path, bucket), target)
    before = objects(bucket, "out")
    source = batch(tmp_path, bucket, "worse")

    def full(request: Request) -> str | None:
        return "507" if request.method == "PUT" and "/out/failed/" in request.path else None

    with proxy(aws, full) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        with pytest.raises(NdrError):
            publish(
                source, target, spec=make_spec(delta=DELTA, quality={"max_rejected_fraction": 0.1})
            )
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
    assert objects(bucket, "out") == before


# How many requests a run makes


def put_others(target: str, run: Manifest, count: int, age: timedelta) -> None:
    """Let as many other mini-batches have been published before, with files of the same slice."""
    log, moment = log_of(target), run.published_at - age // timedelta(microseconds=1)
    for number in range(count):
        token = f"{number:012x}"
        facts = evolve(run.facts, mini_batch_id=f"other-{count}-{number}", inputs=())
        files = tuple(evolve(file, path=file.path.replace(run.token, token)) for file in run.files)
        manifest = evolve(
            run,
            published_at=moment + number,
            token=token,
            facts=facts,
            files=files,
            contributions=contributions_of(facts, files),
        )
        claim = log.put(log.draft(manifest))
        assert claim is not None
        assert log.decide(claim, State.PUBLISHED)


def kind_of(request: Request) -> str:
    """What a request does to which part of an output."""
    place = request.path.partition("?")[0].split("/")[2:4]
    return f"{request.method} {'listing' if 'list-type=2' in request.path else '/'.join(place)}"


def requests_of(
    source: str, target: str, aws: str, monkeypatch: pytest.MonkeyPatch
) -> list[Request]:
    with proxy(aws, lambda _: None) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        publish(source, target)
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
        return server.requests


def test_a_run_makes_as_many_requests_whatever_was_published_by_others(
    tmp_path: Path, bucket: str, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for listings; of the last two days it reads what input files others had."""
    target, source = f"s3://{bucket}/out", batch(tmp_path, bucket)
    run = publish(source, target).manifest
    counts = []
    for others in (5, 60):
        put_others(target, run, others, timedelta(days=3))
        made = requests_of(source, target, aws, monkeypatch)
        counts.append(Counter(map(kind_of, made)))
    assert counts[0] == counts[1]
    assert counts[0]["GET listing"] < 15


def test_publishing_reads_no_claim_of_another_mini_batch(
    tmp_path: Path, bucket: str, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, source = f"s3://{bucket}/out", batch(tmp_path, bucket)
    run = publish(source, target).manifest
    put_others(target, run, 20, timedelta(hours=1))
    made = requests_of(source, target, aws, monkeypatch)
    first = next(number for number, request in enumerate(made) if request.writes)
    reads = [
        request.path
        for request in made[first:]
        if request.method == "GET"
        and "/_manifests/" in request.path
        and "list-type=2" not in request.path
    ]
    assert reads
    assert all(f"/{entry_of(run).owner}-" in path for path in reads)


def test_who_reads_a_slice_reads_no_claim_of_other_slices(
    tmp_path: Path, bucket: str, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = f"s3://{bucket}/out"
    for number in range(4):
        moment = datetime.fromtimestamp((TEN + number * 15 * MINUTE_US) / 1e6, UTC)
        changes: dict[str, Any] = {"event_start": moment.isoformat(), "event_end": None}
        source = batch(tmp_path, bucket, f"mb{number}", **changes)
        publish(source, target, start=TEN + number * 15 * MINUTE_US, mini_batch=f"mb{number}")
    since = datetime.fromtimestamp((TEN + 15 * MINUTE_US) / 1e6, UTC)
    with proxy(aws, lambda _: None) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        found = open_output(target).manifests(since, since + timedelta(minutes=15))
        read = [request for request in server.requests if "list-type=2" not in request.path]
    assert "mb1" in {manifest.facts.mini_batch_id for manifest in found}
    assert len(read) <= 2  # whole minutes: the one that begins where the range ends is read, too
