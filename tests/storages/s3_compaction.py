"""Compactions over S3, as tests make them: an output to compact, clients that call somebody or die at a request."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import define, evolve

from ndr_adapters.aws.clients import s3_client
from ndr_adapters.polars.compact import write_day
from ndr_adapters.polars.s3 import polars_options
from ndr_adapters.polars.write import StagingRoot
from ndr_adapters.s3.claims import ClaimLog
from ndr_adapters.s3.cleanup import Cleanup
from ndr_adapters.s3.objects import delete_objects
from ndr_adapters.s3.published import S3Tables
from ndr_adapters.s3.sink import DEAD_AFTER, S3Staging, S3Writer
from ndr_core.deltas.job import DeltaBuilderRunner
from ndr_core.jobs.ports import QuietLog
from ndr_core.jobs.run import RuntimeParams
from ndr_core.publishing.compact_job import Compactor
from ndr_core.publishing.compaction import Compaction, Day, days_to_compact
from ndr_core.publishing.layout import holds_published
from ndr_core.publishing.location import S3Address
from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.ownership import live_files
from ndr_core.publishing.standing import Overrides
from ndr_entrypoints.wiring import Wiring
from tests.makers import flow, started, write_batch
from tests.storages.s3_run import SPEC
from tests.support import objects, upload

AFTER = datetime(2025, 3, 3, tzinfo=UTC)
ONE_DAY = datetime(2025, 3, 2, tzinfo=UTC)


def at(time: str, **fields: Any) -> dict[str, Any]:
    return flow(event_start=time, event_end=time, **fields)


BATCHES: Mapping[str, list[Any]] = {
    "first": [at("2025-03-01T10:00:00Z"), at("2025-03-01T10:20:00Z", source_bytes=7), "bad"],
    "second": [
        *(at("2025-03-01T10:05:00Z", destination_ip="192.0.2.9"), at("2025-03-02T00:10:00Z")),
        at("2025-03-02T00:11:00Z"),
    ],
    "first again": [at("2025-03-01T10:00:00Z", source_bytes=55), at("2025-03-01T10:40:00Z")],
    "second again": [at("2025-03-02T00:10:00Z", source_bytes=55), "bad"],
    "late": [at("2025-03-01T10:01:00Z", source_bytes=1000), at("2025-03-02T00:10:00Z")],
}
"""Two mini-batches of one day, which meet in a slice, one of them goes on into the next day; and what comes later."""


def put_batches(folder: Path, bucket: str) -> None:
    for name, lines in BATCHES.items():
        upload(write_batch(folder / name, [lines]), bucket, f"in/{name}")


@define
class Output:
    """An output in a bucket, which holds the batches, too."""

    bucket: str
    client: Any = None
    """For what is done to it next."""

    @property
    def target(self) -> str:
        return f"s3://{self.bucket}/out"

    @property
    def address(self) -> S3Address:
        return S3Address(self.bucket, "out")

    @property
    def tables(self) -> S3Tables:
        return S3Tables(self.client or s3_client(), self.address)

    @property
    def writer(self) -> S3Writer:
        return S3Writer(self.client or s3_client(), self.address)

    def by(self, client: Any) -> Output:
        return evolve(self, client=client)

    def publish(self, batch: str, mini_batch: str | None = None) -> Manifest:
        """Run the job; its records fall into whatever slices they do."""
        wiring = Wiring.between(f"s3://{self.bucket}/in/{batch}", self.target)
        runner = DeltaBuilderRunner(
            spec=SPEC,
            params=RuntimeParams(mini_batch or batch, "run", None, None),
            source=wiring.source,
            start_engine=started(wiring.engine("polars")),
            sink=self.writer,
            log=QuietLog(),
            overrides=Overrides(count_again=True),
        )
        return runner.run().manifest

    def compactor(self) -> Compactor:
        tables = S3Tables(s3_client(), self.address)
        return Compactor(
            published=self.tables,
            sink=self.writer,
            write=lambda day, root: write_day(tables, day, _staging(root)),
            run_id="compaction",
            engine="polars",
            code_version="test",
            notice=print,
        )

    def compact(self, before: datetime = AFTER) -> list[Manifest]:
        return list(self.compactor().run(before))

    def manifests(self) -> list[Manifest]:
        return list(S3Tables(s3_client(), self.address).manifests(None, None))

    def days(self) -> list[str]:
        return sorted(manifest.day for manifest in self.manifests() if manifest.day)

    def first_day(self) -> Day:
        return days_to_compact(self.manifests(), AFTER)[0]

    def staged(self, day: Day) -> tuple[S3Staging, Compaction]:
        """A compaction of a day that is ready to be published."""
        staging = self.writer.open_staging("compaction", (), print)
        rows = write_day(S3Tables(s3_client(), self.address), day, _staging(staging.root))
        facts = evolve(day.manifests[0].facts, job_name="", mini_batch_id="")
        return staging, Compaction(day, facts, rows)

    def content(self) -> dict[str, bytes]:
        """All that lies in the output, by its path."""
        return {
            key.removeprefix("out/"): found for key, found in objects(self.bucket, "out/").items()
        }

    def put(self, content: Mapping[str, bytes]) -> None:
        client = s3_client()
        for path, found in content.items():
            client.put_object(Bucket=self.bucket, Key=f"out/{path}", Body=found)

    def reset(self, content: Mapping[str, bytes]) -> None:
        """Let the output hold this, and nothing else."""
        delete_objects(s3_client(), self.bucket, list(objects(self.bucket, "out/")))
        self.put(content)

    def clear_later(self) -> None:
        """Remove what dead runs left, as whoever publishes two days later."""
        later = datetime.now(UTC) + timedelta(days=2)
        Cleanup(ClaimLog(s3_client(), self.address), DEAD_AFTER, later).clear_dead_runs()

    def is_whole(self) -> bool:
        """Whether each live file is as its manifest says, and no other is there, nor any claim that does not count."""
        found = self.content()
        live = {file.path: file.sha256 for file in live_files(self.manifests())}
        there = {
            path: hashlib.sha256(content).hexdigest()
            for path, content in found.items()
            if holds_published(path.partition("/")[0])
        }
        claims = [path for path in found if path.startswith("_manifests/")]
        staging = [path for path in found if path.startswith("_staging/")]
        return there == live and len(claims) == len(self.manifests()) and not staging


def _staging(root: str) -> StagingRoot:
    return StagingRoot(root, polars_options(s3_client()))


class DiedError(BaseException):
    """A process that was killed: it asks nothing of S3 any more."""


def dies(what: Callable[[], object]) -> bool:
    """Do what a process does that may be killed. Gives whether it was."""
    try:
        what()
    except DiedError:
        return True
    return False


def client_that_calls(before: Callable[[int, str], None]) -> Any:
    """A client that calls before each of its requests, with their number and the name of their operation."""
    client = s3_client()
    lock = threading.Lock()
    count = 0

    def note(model: Any, **_: Any) -> None:
        nonlocal count
        with lock:
            number, count = count, count + 1
        before(number, model.name)

    client.meta.events.register("before-call.s3", note)
    return client


WRITES = ("PutObject", "CopyObject", "DeleteObjects")


def client_that_dies_before_write(step: int) -> Any:
    """A client of a process that is killed before a write, counted from 0."""
    writes = 0
    lock = threading.Lock()

    def die(_: int, operation: str) -> None:
        nonlocal writes
        with lock:
            if writes > step or (writes == step and operation in WRITES):
                writes = step + 1
                raise DiedError
            writes += operation in WRITES

    return client_that_calls(die)


def client_that_calls_before_step(step: int, what: Callable[[], None]) -> Any:
    """A client that calls once, before the request of this number, counted from 0."""
    return client_that_calls(lambda number, _: what() if number == step else None)


def client_that_calls_before_first(operation: str, what: Callable[[], None]) -> Any:
    """A client that calls once, before its first request of an operation."""
    called = threading.Lock()

    def call(_: int, name: str) -> None:
        if name == operation and called.acquire(blocking=False):
            what()

    return client_that_calls(call)
