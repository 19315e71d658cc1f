"""What an output holds is compared with its manifests, byte for byte."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import pytest
from attrs import define, evolve, field

from ndr_core.errors import NdrError
from ndr_core.publishing.manifest import Manifest, OutputFile
from ndr_core.publishing.pruned import Pruned
from ndr_core.publishing.verify import Finding, Verified, verify
from tests.unit.core.publishing.makers import after_ten, published

BYTES = b"0123456789"
REPORT = "quality/feature_spec_version=v1/job_name=j/mini_batch_id=mb/report-000000000001.json"


@define
class MemoryOutput:
    """An output whose files lie in memory; of those without content none can be read."""

    runs: list[Manifest]
    files: dict[str, bytes | None]
    root: str = "memory:/out"
    pruned: Pruned = field(factory=Pruned)

    def manifests(self, since: datetime | None, until: datetime | None) -> Sequence[Manifest]:
        assert (since, until) == (None, None)
        return self.pruned.left(self.runs)

    def of_owners(self, version: str, owners: Iterable[str]) -> Sequence[Manifest]:
        raise AssertionError(f"not asked for {owners} of {version}")

    def pruned_up_to(self) -> Pruned:
        return self.pruned

    def counting(self) -> tuple[Sequence[Manifest], Pruned]:
        return self.runs, self.pruned

    def sizes(self, paths: Iterable[str]) -> Mapping[str, int]:
        return {path: len(self.files[path] or b"") for path in paths if path in self.files}

    def listed(self) -> Iterator[str]:
        return iter(self.files)

    def content(self, path: str) -> Iterator[bytes]:
        content = self.files[path]
        if content is None:
            raise NdrError("can't be read")
        yield content[:4]
        yield content[4:]


def a_run() -> Manifest:
    """A run with a file of a table, of one row, and a report."""
    run = published(1, 0)
    report = OutputFile(REPORT, 0, 10, hashlib.sha256(BYTES).hexdigest())
    return evolve(run, files=(evolve(run.files[0], sha256=report.sha256), report))


RUN = a_run()
TABLE = RUN.files[0].path
STRAY = "belongs to no published run: to one at work, or the next run removes it if a run left it"


def found(files: dict[str, bytes | None], rows: int = 1) -> Verified:
    def rows_of(path: str) -> int:
        assert path == TABLE, "only files of tables have rows"
        return rows

    return verify(MemoryOutput([RUN], files), rows_of)


def test_an_output_that_holds_what_its_manifests_say_is_without_findings() -> None:
    assert found({TABLE: BYTES, REPORT: BYTES}) == Verified(
        runs=1, files=2, rows=1, bytes=20, findings=()
    )


@pytest.mark.parametrize(
    ("content", "rows", "problem"),
    [
        (b"012345678", 1, "has 9 bytes, its manifest says 10"),
        (b"012345678x", 1, "has other bytes than when it was published (SHA-256)"),
        (BYTES, 2, "does not have the 1 rows that its manifest says"),
        (None, 1, "can't be read"),
    ],
)
def test_a_file_that_is_not_what_its_manifest_says_is_named_with_what_is_wrong(
    content: bytes | None, rows: int, problem: str
) -> None:
    assert found({TABLE: content, REPORT: BYTES}, rows).findings == (Finding(TABLE, problem),)


def test_missing_files_and_those_of_no_run_are_named_sorted_by_path() -> None:
    assert found({"window/x": BYTES, REPORT: BYTES, "a/x": BYTES}).findings == (
        Finding("a/x", STRAY),
        Finding(TABLE, "is missing; its manifest says 10 bytes"),
        Finding("window/x", STRAY),
    )


def test_what_was_pruned_and_is_not_removed_yet_is_not_looked_at() -> None:
    output = MemoryOutput([RUN], {TABLE: b"other", REPORT: b"", f"{TABLE}x": b""})
    output.pruned = Pruned({"v1": after_ten(15)})

    assert verify(output, lambda _: 0) == Verified(0, 0, 0, 0, ())


@define
class BusyOutput(MemoryOutput):
    """An output that other jobs publish into while it is read: what counts at the end is `later`."""

    later: list[Manifest] = field(factory=list)

    def content(self, path: str) -> Iterator[bytes]:
        self.runs = self.later
        return super().content(path)


def test_a_run_that_publishes_meanwhile_is_no_finding() -> None:
    replaced, new = "a/replaced", evolve(RUN, files=(evolve(RUN.files[0], path="a/new"),))
    before = evolve(RUN, files=(*RUN.files, evolve(RUN.files[0], path=replaced)))
    files: dict[str, bytes | None] = {TABLE: BYTES, REPORT: BYTES, "a/new": BYTES, "a/x": BYTES}
    output = BusyOutput([before], files, later=[evolve(RUN, files=(*RUN.files, *new.files))])

    assert verify(output, lambda _: 1).findings == (Finding("a/x", STRAY),)
