"""Manifests that the tests of publishing are about."""

from __future__ import annotations

from collections import Counter
from typing import Any

from attrs import evolve

from ndr_core.publishing.compaction import Compaction, Day
from ndr_core.publishing.manifest import Manifest, OutputFile, RunFacts, contributions_of
from ndr_core.quality.report import make_report
from ndr_core.quality.rules import reject_rules
from ndr_core.tables.slices import SliceBounds, slice_path
from ndr_core.times import MINUTE_US
from tests.makers import us

TEN = us("2025-03-01T10:00:00Z")
FACTS = RunFacts("p", "j", "v1", "00", "mb", "run", "memory", "test")


def after_ten(minutes: int) -> int:
    """The moment so many minutes after 10:00, us."""
    return TEN + minutes * MINUTE_US


def bounds(first: int, end: int) -> SliceBounds:
    """A span, in minutes after 10:00."""
    return SliceBounds(after_ten(first), after_ten(end))


def folder(minutes: int, table: str = "delta", version: str = "v1") -> str:
    """The folder of the slice that begins so many minutes after 10:00."""
    return f"{table}/{slice_path(version, after_ten(minutes))}"


def published(
    moment: int, *minutes: int, table: str = "delta", token: str | None = None, **facts: Any
) -> Manifest:
    """A run with one file of 10 bytes in each of the slices that begin so many minutes after 10:00."""
    run = evolve(FACTS, **facts)
    name = token or f"{moment % 2**48:012x}"
    folders = [folder(one, table, run.feature_spec_version) for one in minutes]
    files = tuple(OutputFile(f"{one}/part-00000-{name}.parquet", 1, 10, "00") for one in folders)
    columns = {table: {"host_ip": "string"}}
    return Manifest(moment, name, run, columns, contributions_of(run, files), files)


VERSION = "feature_spec_version=v1"
PLACE = "dt=2025-03-01/hh=10/mm=00"
SLICE = f"delta/{VERSION}/{PLACE}"
BATCH = f"{VERSION}/job_name=j/mini_batch_id=mb"
TOKEN = "0123456789ab"
REPORT = make_report(
    reject_rules(None, deduplicates=False),
    1,
    {"malformed_ip: source_ip": 2},
    {},
    3,
    {"broken.gz": "is cut"},
)
ALL_FACTS = RunFacts(
    project_name="p",
    job_name="j",
    feature_spec_version="v1",
    spec_sha256="00",
    mini_batch_id="mb",
    run_id="run",
    engine="reference",
    code_version="test",
    report=REPORT,
    derived_id=True,
    bounds=bounds(0, 60),
    inputs=("0123", "4567"),
    meaning={"roles": {"inbound": {"host": "source_ip"}}, "delta.measures": None, "a": [1, 2.5]},
)


def made(*files: OutputFile, facts: RunFacts = ALL_FACTS, token: str = TOKEN) -> Manifest:
    """The manifest of a run with some files, of one table with roles and one without."""
    columns = {"delta": {"host_ip": "string", "role": "string"}, "window": {"host_ip": "string"}}
    return Manifest(TEN, token, facts, columns, contributions_of(facts, files), files)


def file_at(path: str, rows: int = 1, sha256: str = "00") -> OutputFile:
    return OutputFile(path, rows, 10, sha256)


ONE = made(file_at(f"{SLICE}/role=inbound/part-00000-{TOKEN}.parquet"))
BARE = made(facts=FACTS)


def compacted(moment: int, day: Day, token: str | None = None) -> Manifest:
    """The compaction of a day, with one file of 10 bytes in each slice: a row for each contribution to it."""
    name = token or f"{moment % 2**48:012x}"
    counts = Counter(contribution.slice for contribution in day.contributions)
    version = f"feature_spec_version={day.version}"
    rows = {f"delta/{version}/{place}/x": count for place, count in counts.items()}
    facts = evolve(FACTS, job_name="", mini_batch_id="", feature_spec_version=day.version)
    compaction = Compaction(day, facts, rows)
    files = [target.placed(name, 10, "00") for target in compaction.targets()]
    return compaction.manifest(moment, name, files)
