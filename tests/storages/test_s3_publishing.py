"""Publishing to S3: all of a run or nothing, whatever the server does and whoever else publishes."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ndr_adapters.aws.clients import s3_client
from ndr_adapters.outputs import open_output
from ndr_adapters.polars.published import read_deltas
from ndr_adapters.s3.claims import ClaimLog, State
from ndr_core.errors import NdrError, UsageError
from ndr_core.publishing.location import S3Address
from tests.makers import flow, make_spec, us, write_batch
from tests.soak import only_in_soak
from tests.stand_in import Fault, Request, at_random, proxy
from tests.storages.s3_run import (
    SLICE_US,
    TEN,
    batch,
    claims,
    claims_of,
    contributions,
    plain_rows,
    plain_sessions,
    publish,
    readable_to_the_last_byte,
    rows,
    sessions,
)
from tests.support import objects, upload


def test_a_rerun_gives_the_same_rows_and_leaves_nothing_of_the_first(
    tmp_path: Path, bucket: str
) -> None:
    source, target = batch(tmp_path, bucket), f"s3://{bucket}/out"
    publish(source, target)
    first, files = rows(target), len(objects(bucket, "out"))
    publish(source, target)
    assert rows(target) == first
    assert len(objects(bucket, "out")) == files
    assert claims(target) == [(State.PUBLISHED, "mb")]


def test_runs_of_other_slices_are_never_touched(tmp_path: Path, bucket: str) -> None:
    target = f"s3://{bucket}/out"
    publish(batch(tmp_path, bucket, "a"), target, mini_batch="a")
    before = objects(bucket, "out")
    later = batch(tmp_path, bucket, "b", event_start="2025-03-01T10:20:00Z", event_end=None)
    publish(later, target, start=TEN + SLICE_US, mini_batch="b")
    after = objects(bucket, "out")
    assert {key: after[key] for key in before} == before
    assert {row["slice_start_ts"].minute for row in rows(target)[0]} == {0, 15}


def test_a_plain_parquet_reader_sees_one_version_of_a_mini_batch(
    tmp_path: Path, bucket: str
) -> None:
    target = f"s3://{bucket}/out"
    for name in ("one", "two", "three"):
        publish(batch(tmp_path, bucket, name), target)
    assert plain_rows(bucket, "out") == len(rows(target)[0]) == 2


def test_the_manifest_names_every_file_with_its_checksum(tmp_path: Path, bucket: str) -> None:
    target = f"s3://{bucket}/out"
    manifest = publish(batch(tmp_path, bucket), target).manifest
    assert open_output(target).manifests(None, None) == [manifest]
    found = objects(bucket, "out")
    for file in manifest.files:
        content = found[f"out/{file.path}"]
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file.bytes, file.sha256)
    assert manifest.facts.report is not None
    assert manifest.facts.report.rejected["malformed_json"] == 1
    tables = {key for key in found if not key.startswith("out/_")}
    assert tables == {f"out/{file.path}" for file in manifest.files}


def test_a_backfill_and_a_bounded_run_of_another_mini_batch_add_up(
    tmp_path: Path, bucket: str
) -> None:
    target = f"s3://{bucket}/out"
    ten, later = flow(), flow(event_start="2025-03-01T10:20:00Z", event_end=None)
    both = upload(write_batch(tmp_path / "both", [[ten, later]]), bucket, "in/both")
    publish(both, target, start=None, mini_batch="backfill")
    assert (sessions(target), plain_sessions(bucket, "out")) == (2, 2)
    publish(batch(tmp_path, bucket), target)
    assert (sessions(target), plain_sessions(bucket, "out")) == (5, 5)
    publish(both, target, start=None, mini_batch="backfill")
    assert (sessions(target), plain_sessions(bucket, "out")) == (5, 5)


def test_readers_can_choose_slices_by_time(tmp_path: Path, bucket: str) -> None:
    target = f"s3://{bucket}/out"
    both = [flow(), flow(event_start="2025-03-01T10:20:00Z", event_end=None)]
    source = upload(write_batch(tmp_path / "both", [both]), bucket, "in/both")
    publish(source, target, start=None)
    quarter_past = datetime(2025, 3, 1, 10, 15, tzinfo=UTC)
    minutes = {
        "since": {
            row["mm"]
            for row in read_deltas(open_output(target), since=quarter_past).collect().to_dicts()
        },
        "until": {
            row["mm"]
            for row in read_deltas(open_output(target), until=quarter_past).collect().to_dicts()
        },
    }
    assert minutes == {"since": {"15"}, "until": {"00"}}
    with pytest.raises(UsageError, match="no time zone"):
        read_deltas(open_output(target), since=datetime(2025, 3, 1))


def test_an_unreadable_file_is_kept_in_the_quarantine(tmp_path: Path, bucket: str) -> None:
    source, target = batch(tmp_path, bucket), f"s3://{bucket}/out"
    s3_client().put_object(Bucket=bucket, Key="in/mb/broken.json.gz", Body=b"\x1f\x8b no gzip")
    spec = make_spec(quality={"on_unreadable_file": "quarantine"})
    report = publish(source, target, spec=spec).report
    assert list(report.unreadable_files) == [f"{source}/broken.json.gz"]
    kept = [key for key in objects(bucket, "out/quarantine") if key.endswith("-broken.json.gz")]
    assert objects(bucket, kept[0])[kept[0]] == b"\x1f\x8b no gzip"


@pytest.mark.usefixtures("aws")
def test_a_missing_bucket_is_told_before_an_engine_starts(tmp_path: Path, bucket: str) -> None:
    with pytest.raises(UsageError, match=r"no such bucket .* check name"):
        publish(batch(tmp_path, bucket), "s3://no-such-bucket-here/out")


def test_a_quarantine_that_takes_nothing_fails_the_run_and_publishes_nothing(
    tmp_path: Path, bucket: str, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = batch(tmp_path, bucket), f"s3://{bucket}/out"
    publish(source, target)
    before = rows(target)

    def full(request: Request) -> str | None:
        return "507" if request.method == "PUT" and "/out/quarantine/" in request.path else None

    with proxy(aws, full) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        with pytest.raises(NdrError, match="quarantine"):
            publish(batch(tmp_path, bucket, source_bytes=7), target)
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
    assert rows(target) == before
    assert plain_rows(bucket, "out") == len(before[0])
    readable_to_the_last_byte(target)


def test_a_quarantine_of_thousands_of_files_is_no_hindrance(tmp_path: Path, bucket: str) -> None:
    from tests.stand_in import put_behind_the_server

    folder = "out/quarantine/feature_spec_version=v1/job_name=delta_builder/mini_batch_id=mb"
    others = [f"{folder}/other-{number:05}.json.gz" for number in range(3_000)]
    put_behind_the_server(bucket, others)
    publish(batch(tmp_path, bucket), f"s3://{bucket}/out")
    assert len(objects(bucket, f"{folder}/other-0000")) == 10
    assert len(objects(bucket, f"{folder}/rejected-")) == 1


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=only_in_soak) for seed in (2, 3))]
)
def test_a_server_at_its_worst_delays_a_run_or_fails_it_but_breaks_nothing(
    tmp_path: Path, bucket: str, aws: str, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    target = f"s3://{bucket}/out"
    publish(batch(tmp_path, bucket, "other"), target, mini_batch="other")
    other = contributions(target)["other"]
    publish(batch(tmp_path, bucket, "old"), target)
    old = rows(target)
    source = batch(tmp_path, bucket, "new", source_bytes=5)
    expected = f"s3://{bucket}/expected"
    publish(batch(tmp_path, bucket, "other"), expected, mini_batch="other")
    publish(source, expected)
    new = rows(expected)
    faults = ("503", "500", "reset", "lost", "slow", "cut")
    with proxy(aws, at_random(seed, 0.3, faults)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        try:
            publish(source, target)
        except NdrError:
            done = False
        else:
            done = True
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
        assert len(server.faults) >= 5
    assert rows(target) in ([new] if done else [old, new])
    assert contributions(target)["other"] == other
    publish(source, target)
    assert rows(target) == new
    assert contributions(target)["other"] == other
    assert plain_sessions(bucket, "out") == sessions(target) == 6


def test_a_decision_whose_answer_is_lost_counts(
    tmp_path: Path, bucket: str, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = batch(tmp_path, bucket), f"s3://{bucket}/out"
    lost: list[Request] = []

    def lose_the_first_decision(request: Request) -> str | None:
        if request.decides and not lost:
            lost.append(request)
            return "lost"
        return None

    with proxy(aws, lose_the_first_decision) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        publish(source, target)
        assert sum(request.decides for request in server.requests) == 2
        assert claims(target) == [(State.PUBLISHED, "mb")]


def test_runs_of_one_mini_batch_at_once_leave_one_of_them_whole(
    tmp_path: Path, bucket: str, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = f"s3://{bucket}/out"
    sources = [batch(tmp_path, bucket, f"mb{sent}", source_bytes=sent) for sent in range(6)]
    with proxy(aws, lambda _: None) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda source: publish(source, target), sources))
        sent = {row["bytes_sent_sum"] for row in rows(target)[0] if row["role"] == "outbound"}
        assert len(sent) == 1
        assert sent < {3 * number for number in range(6)}
        assert plain_rows(bucket, "out") == 2
        readable_to_the_last_byte(target)
        assert [state for state, _ in claims(target)] == [State.PUBLISHED]


def test_a_run_that_is_overtaken_while_it_copies_begins_anew(
    tmp_path: Path, bucket: str, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slow run claims first; the fast one publishes, aborts it, and is replaced in the end."""
    target = f"s3://{bucket}/out"
    slow, fast = (batch(tmp_path, bucket, name, source_bytes=n) for n, name in enumerate("ab", 1))
    copying, go_on = threading.Event(), threading.Event()

    def hold_the_first_copy(request: Request) -> None:
        if "/out/delta/" in request.path and request.method == "PUT" and not copying.is_set():
            copying.set()
            go_on.wait(30)

    with proxy(aws, hold_the_first_copy) as server, ThreadPoolExecutor(1) as pool:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        first = pool.submit(publish, slow, target)
        assert copying.wait(30)
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
        publish(fast, target)
        assert (State.ABORTED, "mb") in claims(target)
        assert plain_rows(bucket, "out") == 2
        go_on.set()
        first.result(30)
    outbound = [row for row in rows(target)[0] if row["role"] == "outbound"]
    assert [row["bytes_sent_sum"] for row in outbound] == [3]
    assert claims(target) == [(State.PUBLISHED, "mb")]
    assert plain_rows(bucket, "out") == 2
    readable_to_the_last_byte(target)


def test_addresses_in_records_are_data(tmp_path: Path, bucket: str) -> None:
    odd = {"event_reason": "s3://other-bucket/x", "network_transport": "../../../etc"}
    target = f"s3://{bucket}/out"
    publish(batch(tmp_path, bucket, **odd), target)
    assert [row["sessions_cnt"] for row in rows(target)[0]] == [3, 3]
    assert all(key.startswith(("in/", "out/")) for key in objects(bucket))


def test_a_claim_is_not_written_twice_when_its_answer_is_lost(
    tmp_path: Path, bucket: str, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run may have aborted it in between, which a second write would undo."""
    target = f"s3://{bucket}/out"
    lost: list[Request] = []

    def abort_and_lose(request: Request) -> Fault | None:
        if "If-None-Match" not in request.headers or lost:
            return None
        lost.append(request)

        def abort() -> None:
            monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
            log = ClaimLog(s3_client(), S3Address(bucket, "out"))
            (claim,) = claims_of(log)
            assert log.decide(claim, State.ABORTED)

        return abort

    with proxy(aws, abort_and_lose) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        publish(batch(tmp_path, bucket), target)
    assert len(rows(target)[0]) == plain_rows(bucket, "out") == 2
    assert State.PUBLISHED in [state for state, _ in claims(target)]


def test_a_slice_keeps_to_the_minute(tmp_path: Path, bucket: str) -> None:
    """Half past a minute is after the slice that begins with the minute."""
    target = f"s3://{bucket}/out"
    publish(batch(tmp_path, bucket), target)
    within = datetime.fromtimestamp(us("2025-03-01T10:00:30Z") / 1e6, UTC)
    assert read_deltas(open_output(target), since=within).collect().height == 0
    assert read_deltas(open_output(target), until=within).collect().height == 2
