"""What an output costs that was published into for long: opening it, looking at a day of it, publishing to it.

Run by hand: `python -m tests.bench.growth`. Writes `docs/bench/growth.md`. In a folder it counts seconds of processors,
wall seconds and files that Python opens; in S3, against a stand-in that is slower than S3, requests only. Files
of tables are opened by Polars and are not counted: they are those of the day in all outputs.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import chain, count
from pathlib import Path
from typing import Final

import click
from attrs import field, frozen

from ndr_adapters.aws.clients import s3_client
from ndr_adapters.local.manifests import manifest_path
from ndr_adapters.local.sink import FolderSink
from ndr_adapters.outputs import open_output
from ndr_adapters.polars.inspection import inspect_output
from ndr_adapters.polars.published import read_deltas
from ndr_adapters.s3.sink import S3Writer
from ndr_core.publishing.entry import MANIFESTS, entry_of
from ndr_core.publishing.location import S3Address
from ndr_core.publishing.published import SliceRange
from ndr_core.publishing.sink import Sink
from ndr_core.publishing.standing import Overrides, check_standing
from ndr_core.times import DAY_US, to_us
from tests.bench.history import LAST_DAY, PER_DAY, History, make_pattern
from tests.bench.measure import machine
from tests.credentials import CREDENTIALS
from tests.stand_in import moto_server, proxy, put_behind_the_server, put_content_behind_the_server

RESULTS: Final = Path(__file__).parents[2] / "docs" / "bench" / "growth.md"
LOOK_BACK_US: Final = 2 * DAY_US
"""What `allowed_lateness` has a run look back for input files that were counted already."""
LIMIT: Final = 1.5

_opened: list[str] = []


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str):
        _opened.append(arguments[0])


class Meter:
    """Adds up what is used while it is entered."""

    def __init__(self, root: str, requests: Sequence[object]) -> None:
        self._root = root
        self._requests = requests
        self.processor = self.wall = 0.0
        self.files = self.asked = 0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        _opened.clear()
        asked, used, begun = len(self._requests), time.process_time(), time.perf_counter()
        yield
        self.wall += time.perf_counter() - begun
        self.processor += time.process_time() - used
        self.asked += len(self._requests) - asked
        self.files += sum(
            path.startswith(self._root) and not os.path.isdir(path) for path in _opened
        )


@frozen
class Output:
    """An output with a history."""

    history: History
    address: str
    sink: Sink
    stage: Callable[[str, bytes], object]
    """Writes a staged file, by its address."""
    requests: Sequence[object] = ()
    """All that S3 was asked for until now."""
    _numbers: Iterator[int] = field(factory=count)

    def next_run(self) -> int:
        """The number of a run that is not published yet."""
        return self.history.runs + next(self._numbers)

    def moment_of(self, number: int) -> int:
        """When the run of a number is published, us."""
        return to_us(self.history.start_of(number + 1))

    @property
    def day(self) -> SliceRange:
        """The last day that is over."""
        return SliceRange(LAST_DAY, LAST_DAY + timedelta(days=1))


def open_day(output: Output, meter: Meter) -> None:
    with meter():
        read_deltas(open_output(output.address), since=output.day.since, until=output.day.until)


def inspect_day(output: Output, meter: Meter) -> None:
    with meter():
        found = inspect_output(open_output(output.address), output.day)
    slices = {(row["hh"], row["mm"]) for row in found["slices"]}
    assert len(slices) == PER_DAY, f"{len(slices)} slices"


def publish(output: Output, meter: Meter) -> None:
    """Publish the next run, as the job does, but for what its engine does."""
    number = output.next_run()
    publication = output.history.publication(number)
    with meter():
        standing = output.sink.standing(publication.facts, output.moment_of(number) - LOOK_BACK_US)
        check_standing(standing, publication.facts, {}, Overrides())
        staging = output.sink.open_staging(publication.facts.run_id, publication.tables, print)
    for name, content in output.history.staged(publication).items():
        output.stage(f"{staging.root}/{name}", content)
    with meter():
        staging.publish(publication)
        staging.close()


OPERATIONS: Final[Mapping[str, Callable[[Output, Meter], None]]] = {
    "open `read_deltas` of a day": open_day,
    "`ndr inspect` of a day": inspect_day,
    "publish a run": publish,
}


FIGURES: Final[Mapping[str, Callable[[Meter], float]]] = {
    "processor, ms": lambda meter: meter.processor * 1000,
    "wall, ms": lambda meter: meter.wall * 1000,
    "files": lambda meter: meter.files,
}


def measured(output: Output, what: Callable[[Output, Meter], None]) -> Meter:
    meter = Meter(output.address, output.requests)
    what(output, meter)
    return meter


def in_folder(history: History, root: Path) -> Output:
    output = root / f"{history.runs}-{history.compacted}"
    manifests = list(history.manifests())
    for entry in history.unread():
        _write(manifest_path(output, entry), b"")
    for manifest in manifests:
        _write(manifest_path(output, entry_of(manifest)), manifest.to_json().encode())
    for path, content in history.files(manifests):
        _write(output / path, content)
    return Output(
        history,
        str(output),
        FolderSink(output),
        lambda address, content: _write(Path(address), content),
    )


def in_s3(history: History, requests: Sequence[object]) -> Output:
    bucket = f"growth-{history.runs}-{history.compacted}".lower()
    client = s3_client()
    client.create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    manifests = list(history.manifests())
    claims = (
        (
            f"out/{MANIFESTS}/{entry_of(manifest).name}",
            json.dumps({"state": "published", "manifest": manifest.to_plain()}).encode(),
        )
        for manifest in manifests
    )
    put_behind_the_server(bucket, (f"out/{MANIFESTS}/{entry.name}" for entry in history.unread()))
    put_content_behind_the_server(bucket, claims)
    files = ((f"out/{path}", content) for path, content in history.files(manifests))
    put_content_behind_the_server(bucket, files)
    address = S3Address(bucket, "out")

    def stage(address: str, content: bytes) -> None:
        place = S3Address.parse(address, "staged file")
        client.put_object(Bucket=place.bucket, Key=place.key, Body=content)

    return Output(history, str(address), S3Writer(client, address), stage, requests)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@frozen
class Row:
    """One figure of one operation, of each history."""

    what: str
    figure: str
    values: tuple[float, ...]

    @property
    def ratios(self) -> list[float]:
        """What the many runs of a history cost, in multiples of what the few do."""
        pairs = zip(self.values[::2], self.values[1::2], strict=True)
        return [many / few if few else 1.0 for few, many in pairs]

    def __str__(self) -> str:
        """A line of the table."""
        cells = []
        for ratio, few, many in zip(self.ratios, self.values[::2], self.values[1::2], strict=True):
            cells += [f"{few:,.0f}", f"{many:,.0f}", f"{ratio:.2f}"]
        return f"| {self.what} | {self.figure} | {' | '.join(cells)} |"


def folder_rows(histories: Sequence[History], repeats: int) -> Iterator[Row]:
    """Measure in folders: all outputs in turn, again and again."""
    with tempfile.TemporaryDirectory() as root:
        outputs = [in_folder(history, Path(root)) for history in histories]
        gc.collect()
        gc.freeze()  # what this process holds for its outputs, no other does: it is not to be looked through again
        for name, what in OPERATIONS.items():
            rounds = [[measured(output, what) for output in outputs] for _ in range(repeats + 1)]
            for figure, value in FIGURES.items():
                medians = (
                    statistics.median(map(value, found[1:])) for found in zip(*rounds, strict=True)
                )
                yield Row(f"folder: {name}", figure, tuple(medians))


def s3_rows(histories: Sequence[History]) -> Iterator[Row]:
    """Count requests in S3, each once."""
    with moto_server() as server, proxy(server, lambda _: None) as counting:
        os.environ |= CREDENTIALS | {"AWS_ENDPOINT_URL": counting.address}
        outputs = [in_s3(history, counting.requests) for history in histories]
        for name, what in OPERATIONS.items():
            values = (float(measured(output, what).asked) for output in outputs)
            yield Row(f"S3: {name}", "requests", tuple(values))


@click.command()
@click.option("--few", default=100, show_default=True, help="Runs of a short history.")
@click.option("--many", default=35_000, show_default=True, help="Runs of a long one.")
@click.option("--repeats", default=9, show_default=True)
def main(few: int, many: int, repeats: int) -> None:
    """Measure outputs with short and long histories; print and write a table."""
    pattern = make_pattern()
    histories = [
        History(pattern, runs, compacted) for compacted in (True, False) for runs in (few, many)
    ]
    heading = [
        f"{machine()}; {few:,} and {many:,} published runs, one each quarter of an hour, of one record; in folders "
        f"medians of {repeats} in one process, in turn; in S3 the requests that a stand-in was asked. "
        "Files: opened by Python; those of tables are opened by Polars. Manifests of older days are there, but empty: "
        "who reads one fails.",
        "",
        "| | | compacted daily | | | not compacted | | |",
        "|---|---|---|---|---|---|---|---|",
        f"| what | figure | {few:,} | {many:,} | times | {few:,} | {many:,} | times |",
    ]
    print("\n".join(heading), flush=True)
    rows = []
    for row in chain(folder_rows(histories, repeats), s3_rows(histories)):
        print(row, flush=True)
        rows.append(row)
    RESULTS.write_text("\n".join([*heading, *map(str, rows)]) + "\n")
    over = [row for row in rows if row.ratios[0] > LIMIT and row.figure in ("files", "requests")]
    if over:
        named = "\n".join(map(str, over))
        raise SystemExit(f"with a compaction each day these grow by more than {LIMIT}:\n{named}")


if __name__ == "__main__":
    sys.addaudithook(_note)
    main()
