"""Publishing to S3 amid odd objects, hostile claims, wrong clocks, and failures around the decision."""

from __future__ import annotations

import json
import re
import sys
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve
from click.testing import CliRunner

from ndr_adapters.aws import limits
from ndr_adapters.aws.clients import dynamodb_client, s3_client
from ndr_adapters.aws.errors import AwsError
from ndr_adapters.dynamodb.job_specs import JobSpecTable
from ndr_adapters.outputs import open_output
from ndr_adapters.polars.published import read_deltas, read_pairs
from ndr_adapters.s3.claims import Claim, ClaimLog, State
from ndr_adapters.s3.sink import S3Writer
from ndr_core.deltas.engine import ChosenEngine
from ndr_core.deltas.job import DeltaBuilderRunner, RunSummary
from ndr_core.deltas.spec import JobSpec
from ndr_core.deltas.tables import PAIR
from ndr_core.errors import AfterPublicationError, NdrError, UsageError
from ndr_core.jobs.run import RuntimeParams
from ndr_core.publishing.entry import entry_of
from ndr_core.publishing.location import S3Address
from ndr_core.publishing.manifest import Manifest
from ndr_entrypoints import cluster_job
from ndr_entrypoints.run_delta_builder import main
from ndr_entrypoints.wiring import ENGINES, Wiring
from tests.e2e.cli import SLICE, ndr
from tests.makers import flow, make_spec, started, write_batch
from tests.soak import only_in_soak
from tests.stand_in import Fault, Request, proxy
from tests.storages.noting_log import NotingLog
from tests.storages.s3_run import DELTA, SLICE_US, SPEC, TEN, claims_of, plain_rows, rows
from tests.support import objects, upload

TOKEN = "0123456789ab"


def publish(
    source: str,
    target: str,
    *,
    log: NotingLog | None = None,
    dead_after: timedelta = timedelta(hours=24),
    spec: JobSpec = SPEC,
) -> RunSummary:
    wiring = Wiring.between(source, target)
    return DeltaBuilderRunner(
        spec=spec,
        params=RuntimeParams("mb", "run", TEN, TEN + SLICE_US),
        source=wiring.source,
        start_engine=started(wiring.engine("polars")),
        sink=S3Writer(s3_client(), S3Address.parse(target, "output"), dead_after),
        log=log or NotingLog(),
    ).run()


@define
class Output:
    """An output that holds a published run, and the batch of a run that replaces it."""

    bucket: str
    old: str
    new: str
    manifest: Manifest

    @property
    def target(self) -> str:
        return f"s3://{self.bucket}/out"

    @property
    def log(self) -> ClaimLog:
        return ClaimLog(s3_client(), S3Address(self.bucket, "out"))

    def claim(self) -> Claim:
        (claim,) = claims_of(self.log)
        return claim

    @property
    def key(self) -> str:
        """Of the claim, below the output."""
        return self.claim().listed.key.removeprefix("out/")

    def later_key(self, by: int = 1) -> str:
        """As of the same run, had it been published later."""
        later = evolve(self.manifest, published_at=self.manifest.published_at + by)
        return f"_manifests/{entry_of(later).name}"

    def put(self, key: str, content: bytes | str = b"x") -> str:
        s3_client().put_object(
            Bucket=self.bucket,
            Key=f"out/{key}",
            Body=content if isinstance(content, bytes) else content.encode(),
        )
        return f"s3://{self.bucket}/out/{key}"

    def put_claim(self, state: str, change: Callable[[dict[str, Any]], None]) -> str:
        """A later claim like the published one but for a change."""
        token = self.manifest.token
        later = evolve(self.manifest, published_at=self.manifest.published_at + 1)
        plain = json.loads(later.to_json().replace(token, TOKEN))
        change(plain)
        key = self.later_key().replace(token, TOKEN)
        return self.put(key, json.dumps({"state": state, "manifest": plain}))

    def sent(self) -> set[int]:
        return {row["bytes_sent_sum"] for row in rows(self.target)[0] if row["role"] == "outbound"}


@pytest.fixture
def output(tmp_path: Path, bucket: str) -> Output:
    sources = [
        upload(
            write_batch(tmp_path / name, [[flow(source_bytes=sent), "bad"]]), bucket, f"in/{name}"
        )
        for name, sent in (("old", 1), ("new", 2))
    ]
    manifest = publish(sources[0], f"s3://{bucket}/out").manifest
    s3_client().put_object(Bucket=bucket, Key="VICTIM", Body=b"precious")
    return Output(bucket, sources[0], sources[1], manifest)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tries of each request are enough to see what follows when all fail."""
    monkeypatch.setattr(limits, "ATTEMPTS", 2)


# Odd objects and hostile claims


def test_what_has_no_key_of_a_claim_is_passed_over_by_all_and_named_by_runs_of_its_mini_batch(
    output: Output,
) -> None:
    claim = output.key
    own = [f"{claim}~", f"{claim}/x", claim.replace("-2025", "-x2025", 1)]
    odd = [
        *("_manifests/notes.txt", "_manifests/feature_spec_version=v1/notes.json"),
        *("_manifests/a_b.json", "_manifests/feature_spec_version=v1/a_b/0001-x-mb.json", *own),
    ]
    addresses = [output.put(key) for key in odd][-len(own) :]
    output.put("_manifests/", b"")  # as consoles make for a folder
    log = NotingLog()
    publish(output.new, output.target, log=log)
    assert sorted(notice.partition(": is no")[0] for notice in log.notices) == sorted(addresses)
    assert output.sent() == {2}
    assert {f"out/{key}" for key in odd} <= set(objects(output.bucket, "out/_manifests/"))


LEAVING = ["../VICTIM", "/VICTIM", "delta/../../VICTIM"]


def _naming(path: str) -> Callable[[dict[str, Any]], None]:
    def change(plain: dict[str, Any]) -> None:
        plain["files"][0]["path"] = path

    return change


def _of_another_version(plain: dict[str, Any]) -> None:
    del plain["facts"]["report"]["repaired"]


def _with_a_key_more(plain: dict[str, Any]) -> None:
    plain["colour"] = None


def _of_a_later_format(plain: dict[str, Any]) -> None:
    plain["format"] = 3


@pytest.mark.parametrize(
    ("change", "what"),
    [
        *((_naming(path), re.escape(f"names the path {path!r}")) for path in LEAVING),
        (_of_another_version, "is no manifest of a run"),
        (_of_a_later_format, "is a manifest of format 3, and this version reads format 2"),
    ],
    ids=[*LEAVING, "another version", "later format"],
)
def test_a_published_claim_that_is_wrong_is_an_error_for_all_before_anything_changes(
    output: Output, change: Callable[[dict[str, Any]], None], what: str
) -> None:
    address = output.put_claim("published", change)
    before = objects(output.bucket)
    message = f"{re.escape(address)}: {what}.*; restore it, or remove it"
    attempts: list[Callable[[], object]] = [
        *(
            lambda: publish(output.new, output.target),
            lambda: read_deltas(open_output(output.target)),
        ),
        lambda: read_pairs(open_output(output.target)),
    ]
    for attempt in attempts:
        with pytest.raises(NdrError, match=message):
            attempt()
    answer = ndr("inspect", output.target)
    assert (answer.exit_code, address in answer.errors) == (1, True)
    assert objects(output.bucket) == before


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"[" * 100_000, b'{"state": "published"}'])
def test_a_claim_that_can_not_be_read_is_an_error_that_names_it(
    output: Output, content: bytes
) -> None:
    key = output.later_key()
    output.put(key, content)
    for attempt in (lambda: publish(output.new, output.target), lambda: rows(output.target)):
        with pytest.raises(NdrError, match=f"{re.escape(key)}: is no manifest of a run; restore"):
            attempt()
    assert ndr("inspect", output.target).exit_code == 1


def test_a_claim_under_the_key_of_another_is_an_error(output: Output) -> None:
    key = f"out/{output.key}"
    output.put(output.later_key(), objects(output.bucket, key)[key])
    with pytest.raises(NdrError, match="is another run's manifest than its name says"):
        publish(output.new, output.target)


@pytest.mark.parametrize("state", ["pending", pytest.param("aborted", marks=only_in_soak)])
@pytest.mark.parametrize(
    "change",
    [*map(_naming, LEAVING), _of_another_version, _with_a_key_more, _of_a_later_format],
    ids=[*LEAVING, "older version", "newer version", "later format"],
)
def test_an_undecided_claim_that_is_odd_is_named_and_nothing_is_deleted_on_its_word(
    output: Output, state: str, change: Callable[[dict[str, Any]], None]
) -> None:
    address = output.put_claim(state, change)
    # Another version's run may be copying at this moment: what it put there is not without an owner.
    first = output.manifest.files[0]
    copied = first.path.replace(output.manifest.token, TOKEN)
    output.put(copied, b"copied")
    log = NotingLog()
    publish(output.new, output.target, log=log)
    assert [notice.partition(": ")[0] for notice in log.notices] == [address]
    assert "it is passed over, and nothing is deleted on its word" in log.notices[0]
    assert output.sent() == {2}
    left = objects(output.bucket)
    assert left["VICTIM"] == b"precious"
    assert left[f"out/{copied}"] == b"copied"
    assert address.removeprefix(f"s3://{output.bucket}/") in left


def test_what_is_odd_among_staging_places_is_named_and_passed_over(output: Output) -> None:
    stray, named_so = output.put("_staging/notes.txt"), output.put(f"_staging/notes-{TOKEN}")
    place = output.put("_staging/notes/readme.md")
    marked = output.put(f"_staging/run-{TOKEN}/run.json", '{"claim": "VICTIM"}')
    broken = output.put(f"_staging/run-{TOKEN[::-1]}/run.json", "{")
    output.put("_staging/", b"")
    log = NotingLog()
    publish(output.new, output.target, log=log, dead_after=timedelta(seconds=-60))
    named = {notice.partition(": ")[0] for notice in log.notices}
    places = {place.rpartition("/")[0] for place in (place, marked, broken)}
    assert named == {stray, named_so, *places}
    assert all("passed over" in notice for notice in log.notices)
    left = objects(output.bucket)
    assert left["VICTIM"] == b"precious"
    assert {a.removeprefix(f"s3://{output.bucket}/") for a in (stray, named_so, place)} <= set(left)


ODD_NAMES = ["x" * 230 + ".json.gz", "tab\there é.json.gz"]


@pytest.mark.parametrize("name", ODD_NAMES, ids=["long", "control"])
def test_a_broken_file_of_any_name_is_kept_under_one_that_is_valid_everywhere(
    output: Output, name: str
) -> None:
    s3_client().put_object(Bucket=output.bucket, Key=f"in/new/{name}", Body=b"\x1f\x8b no gzip")
    spec = make_spec(delta=DELTA, quality={"on_unreadable_file": "quarantine"})
    manifest = publish(output.new, output.target, spec=spec).manifest
    (kept,) = [file.path for file in manifest.files if "/unreadable-" in file.path]
    stored = kept.rpartition("/")[2]
    assert re.fullmatch(r"unreadable-00000-[0-9a-f]{12}-[A-Za-z0-9._-]{1,120}", stored)
    assert objects(output.bucket, f"out/{kept}") == {f"out/{kept}": b"\x1f\x8b no gzip"}


def test_a_broken_file_that_can_not_be_copied_is_named_and_the_run_goes_on(
    output: Output, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3_client().put_object(
        Bucket=output.bucket, Key="in/new/broken.json.gz", Body=b"\x1f\x8b no gzip"
    )
    spec = make_spec(delta=DELTA, quality={"on_unreadable_file": "quarantine"})

    def forbid(request: Request) -> str | None:
        # Its first bytes are read by a GET; a copy begins with a HEAD.
        asked = request.method == "HEAD" and "/in/new/broken" in request.path
        return "403" if asked else None

    log = NotingLog()
    with proxy(aws, forbid) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        done = publish(output.new, output.target, spec=spec, log=log)
    assert list(done.report.unreadable_files) == [f"{output.new}/broken.json.gz"]
    assert f"'{output.new}/broken.json.gz': not copied to the quarantine" in log.notices[0]


# Files that are not what their manifest says


@pytest.mark.parametrize(
    ("content", "what"), [(b"", "has 0 bytes"), (b"xy", "has 2 bytes"), (None, "is missing")]
)
@pytest.mark.parametrize("table", ["delta", "pair"])
def test_a_live_object_of_another_size_is_an_error_that_says_which_and_what_to_do(
    output: Output, table: str, content: bytes | None, what: str
) -> None:
    file = next(file for file in output.manifest.files if file.table == table)
    if content is None:
        s3_client().delete_object(Bucket=output.bucket, Key=f"out/{file.path}")
    else:
        output.put(file.path, content)
    with pytest.raises(NdrError) as caught:
        {"delta": read_deltas, "pair": read_pairs}[table](open_output(output.target))
    message = str(caught.value)
    assert f"{output.target}/{file.path}: {what}" in message
    assert f"its manifest says {file.bytes:,} bytes" in message
    assert "run mini-batch 'mb' again" in message
    answer = ndr("inspect", output.target)
    assert (answer.exit_code, what in answer.errors) == (1, True)
    publish(output.new, output.target)
    assert output.sent() == {2}


def test_sizes_are_asked_by_one_listing_for_each_day(
    tmp_path: Path, bucket: str, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.storages import s3_run

    hours = [f"2025-03-0{day}T{hour:02}:20:00Z" for day in (1, 2) for hour in range(6)]
    lines = [flow(event_start=moment, event_end=None) for moment in hours]
    source = upload(write_batch(tmp_path / "in", [lines]), bucket, "in/days")
    s3_run.publish(source, f"s3://{bucket}/out", start=None)
    with proxy(aws, lambda _: None) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        read_deltas(open_output(f"s3://{bucket}/out"))
        asked = [request for request in server.requests if "delta" in request.path]
    assert {request.method for request in asked} == {"GET"}
    assert ["list-type=2" in request.path for request in asked] == [True, True, False, False]
    # The format of the one run's files, by the footer of one: its length, then itself.
    assert asked[2].path == asked[3].path
    assert asked[2].path.endswith(".parquet")


def test_a_reader_that_is_overtaken_by_a_run_looks_again(
    output: Output, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its manifests are read, then their files are replaced: no damage, and the new rows."""
    overtaken: list[Request] = []

    def overtake(request: Request) -> None:
        listing = "list-type=2" in request.path and "delta" in request.path
        if listing and not overtaken:
            overtaken.append(request)
            monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
            publish(output.new, output.target)

    with proxy(aws, overtake) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        found = read_deltas(open_output(output.target))
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
    assert overtaken
    assert found.filter(role="outbound").collect()["bytes_sent_sum"].to_list() == [2]


# After the decision


def after_the_decision(fault: str, wanted: Callable[[Request], bool]) -> Callable[[Request], Any]:
    decided: list[Request] = []

    def rule(request: Request) -> str | None:
        if request.decides:
            decided.append(request)
            return None
        return fault if decided and wanted(request) else None

    return rule


def _deletes(request: Request) -> bool:
    return request.method == "POST" and "delete" in request.path


AFTER = {
    "deletion forbidden": ("403", _deletes),
    "token expired": ("expired", lambda _: True),
    "server down": ("503", lambda _: True),
}


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("kind", list(AFTER))
def test_what_fails_after_the_decision_says_that_the_run_is_published(
    output: Output, aws: str, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    with proxy(aws, after_the_decision(*AFTER[kind])) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        with pytest.raises(AfterPublicationError, match=r"^the run is published, but") as caught:
            publish(output.new, output.target)
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
    assert caught.value.exit_code == 1
    assert output.sent() == {2}
    publish(output.new, output.target)
    assert plain_rows(output.bucket, "out") == 2


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("kind", ["deletion forbidden", "token expired"])
def test_the_deployed_job_says_so_too_with_exit_code_1(
    output: Output, aws: str, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    spec = make_spec(
        delta=DELTA,
        storage={
            "input_prefix": f"s3://{output.bucket}/in",
            "output_prefix": output.target,
        },
    )
    table = f"specs-{uuid.uuid4().hex[:8]}"
    JobSpecTable(dynamodb_client(), table).create()
    JobSpecTable(dynamodb_client(), table).put(spec)
    monkeypatch.setattr(
        cluster_job,
        "start_engine",
        lambda client, _spec, _batch: ChosenEngine(ENGINES["polars"](client), "it was asked for"),
    )
    options = {
        "project-name": "test",
        "job-name": "delta_builder",
        "run-id": "run-1",
        "mini-batch-s3-prefix": output.new,
        "mini-batch-id": "mb",
        "feature-spec-version": "v1",
        "job-spec-ddb-table-name": table,
        "slice-start-ts": SLICE[1],
        "slice-end-ts": SLICE[3],
    }
    with proxy(aws, after_the_decision(*AFTER[kind])) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 1, done.output
    (line,) = [line for line in map(json.loads, done.stdout.splitlines()) if "exit_code" in line]
    assert line["message"].startswith("the run is published, but")
    assert line["exit_code"] == 1


def test_closing_never_fails_for_what_s3_does_not_let_it_delete(
    output: Output, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxy(aws, lambda request: "403" if _deletes(request) else None) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        writer = S3Writer(s3_client(), S3Address(output.bucket, "out"))
        staging = writer.open_staging("run", [PAIR], print)
        staging.close()
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
    assert objects(output.bucket, "out/_staging/")


# The decision itself


def decisions(fault: Fault, then: Callable[[Request], Fault | None]) -> Callable[[Request], Any]:
    """Each try of the first decision meets a fault; `then` rules whatever comes after the first."""
    met: list[Request] = []

    def rule(request: Request) -> Fault | None:
        if request.decides and len(met) < 2:
            met.append(request)
            return fault
        return then(request) if met else None

    return rule


@pytest.mark.usefixtures("impatient")
def test_a_decision_of_which_every_answer_is_lost_is_looked_up(
    output: Output, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxy(aws, decisions("lost", lambda _: None)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        publish(output.new, output.target)
        assert [fault for _, fault in server.faults] == ["lost", "lost"]
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
    assert output.sent() == {2}
    assert plain_rows(output.bucket, "out") == 2


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("then", ["reset", "expired"])
def test_a_decision_that_can_not_be_looked_up_is_said_to_be_unknown(
    output: Output, aws: str, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    with proxy(aws, decisions("lost", lambda _: then)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        with pytest.raises(
            NdrError, match=r"^it is not known whether the run is published"
        ) as caught:
            publish(output.new, output.target)
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
    assert caught.value.exit_code == 1
    assert "run it again, which is safe" in str(caught.value)
    assert output.sent() == {2}
    publish(output.new, output.target)
    assert output.sent() == {2}
    assert plain_rows(output.bucket, "out") == 2


@pytest.mark.usefixtures("impatient")
def test_a_decision_that_never_came_through_is_withdrawn_and_fails(
    output: Output, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = objects(output.bucket, "out")
    with proxy(aws, decisions("reset", lambda _: None)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        with pytest.raises(AwsError, match="AWS can't be reached"):
            publish(output.new, output.target)
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
    assert objects(output.bucket, "out") == before


@pytest.mark.usefixtures("impatient")
def test_a_decision_that_comes_through_late_counts(
    output: Output, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its tries seem lost, and so does the claim's decision, until the run wants to withdraw."""

    def late(request: Request) -> None:
        if request.decides:
            monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
            pending = [c for c in claims_of(output.log) if c.state is State.PENDING]
            for claim in pending:
                assert output.log.decide(claim, State.PUBLISHED)

    with proxy(aws, decisions("reset", late)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        publish(output.new, output.target)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
    assert output.sent() == {2}
    assert plain_rows(output.bucket, "out") == 2


# Clocks


def set_clock(ahead: timedelta, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this machine's clock be off, wherever publishing to S3 asks for the time."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + ahead

    for name, module in list(sys.modules.items()):
        if name.startswith("ndr_adapters.s3.") and hasattr(module, "datetime"):
            monkeypatch.setattr(module, "datetime", Clock)


def foreign_staging(output: Output) -> str:
    """The mark of another run that lives."""
    writer = S3Writer(s3_client(), S3Address(output.bucket, "out"))
    place = writer.open_staging("other", [PAIR], print).root
    return f"{place.removeprefix(f's3://{output.bucket}/')}/run.json"


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (timedelta(days=1), r"24:00:0\d ahead of"),
        (timedelta(days=-1), r"2[34]:\d\d:\d\d behind"),
        (timedelta(minutes=16), r"0:16:0\d ahead of"),
    ],
    ids=["a day ahead", "a day behind", "16 minutes ahead"],
)
def test_a_machine_whose_clock_is_wrong_starts_nothing_and_removes_nothing(
    output: Output, monkeypatch: pytest.MonkeyPatch, ahead: timedelta, said: str
) -> None:
    foreign_staging(output)
    before = objects(output.bucket)
    with monkeypatch.context() as wrong:
        set_clock(ahead, wrong)
        with pytest.raises(UsageError, match=f"the clock of this machine is {said} the one of S3"):
            publish(output.new, output.target)
    assert objects(output.bucket) == before


def test_the_age_of_a_run_is_told_by_the_clock_of_s3(
    output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = foreign_staging(output)
    set_clock(timedelta(minutes=14), monkeypatch)
    publish(output.new, output.target, dead_after=timedelta(minutes=5))
    assert mark in objects(output.bucket)


def test_a_run_that_died_long_ago_by_the_clock_of_s3_is_removed_by_a_machine_that_is_behind(
    output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.stand_in import made_older

    mark = foreign_staging(output)
    made_older(output.bucket, mark, timedelta(minutes=10))
    set_clock(timedelta(minutes=-14), monkeypatch)
    publish(output.new, output.target, dead_after=timedelta(minutes=5))
    assert mark not in objects(output.bucket)


def test_a_clock_that_s3_itself_refuses_is_told_as_such(
    output: Output, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxy(aws, lambda request: "skewed" if request.writes else None) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        with pytest.raises(UsageError, match="the clock of this machine is wrong, set it"):
            publish(output.new, output.target)
