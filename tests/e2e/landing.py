"""A landing folder for tests: files of sessions, rounds of a watcher, and what it has published."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from ndr_adapters.outputs import open_output
from ndr_core.publishing.manifest import Manifest
from ndr_core.times import iso_text
from tests.e2e.cli import Answer, ndr, rows, run
from tests.makers import flow, write_batch

LATER = 1_750_000_000
"""A time of writing, s since 1970, after all records here."""


def watch(landing: Path, spec: Path, output: Path, *more: object) -> Answer:
    """One round that takes what lies there as finished."""
    options = ("--spec", spec, "--output", output, "--once", "--settle", "0s", *more)
    return ndr("watch", landing, *options)


def watched(landing: Path, spec: Path, output: Path, *more: object) -> list[str]:
    """The same, without failures. Gives the mini-batches that were built."""
    answer = watch(landing, spec, output, "--json", *more)
    done: Any = answer.json()
    assert done["failed"] == {}
    return list(done["built"])


def write(path: Path, *flows: dict[str, Any], moment: float | None = None) -> Path:
    """Put a file of records in place; `moment`: when it was written, s since 1970."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = write_batch(path.parent / f".{path.name}", [flows]) / "part-000.json.gz"
    path.write_bytes(made.read_bytes())
    shutil.rmtree(made.parent)
    if moment is not None:
        os.utime(path, (moment, moment))
    return path


def at(minute: int, **more: Any) -> dict[str, Any]:
    """A session of a minute of 2025-03-01, 10:00 and later."""
    moment = f"2025-03-01T{10 + minute // 60:02}:{minute % 60:02}:00Z"
    return flow(event_start=moment, event_end=moment, **more)


def sessions(output: Path) -> int:
    deltas, _ = rows(output)
    return sum(row["sessions_cnt"] for row in deltas if row["role"] == "outbound")


def manifests(output: Path) -> list[Manifest]:
    return list(open_output(output).manifests(None, None))


def spans(output: Path) -> dict[str, tuple[str, str] | None]:
    return {
        one.facts.mini_batch_id: None
        if one.facts.bounds is None
        else (iso_text(one.facts.bounds.start)[11:16], iso_text(one.facts.bounds.end)[11:16])
        for one in manifests(output)
    }


def run_again(output: Path, files: dict[str, Path], spec: Path, target: Path) -> None:
    """Build, by `ndr run`, the mini-batches of an output of the same files for the same spans."""
    for one in manifests(output):
        name, bounds = one.facts.mini_batch_id, one.facts.bounds
        span = (
            ("--slice-start", iso_text(bounds.start), "--slice-end", iso_text(bounds.end))
            if bounds is not None
            else ()
        )
        done = run(spec, files[name], target, "--mini-batch-id", name, "--quiet", *span)
        assert done.exit_code == 0, done.errors


def lines_of(*flows: dict[str, Any]) -> list[bytes]:
    return [json.dumps(one).encode() + b"\n" for one in flows]
