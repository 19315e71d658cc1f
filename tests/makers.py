"""What tests are made of, with nothing but the core: specs, plans, records, batches, and how outputs compare."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from ndr_core.deltas.engine import ChosenEngine, Engine, asked_for
from ndr_core.deltas.plan import DeltaPlan, compile_plan
from ndr_core.deltas.reference import Tables
from ndr_core.deltas.spec import JobSpec
from ndr_core.deltas.spec_reader import parse_job_spec
from ndr_core.errors import OverflowingColumnError
from ndr_core.flows.source import InputBatch
from ndr_core.jobs.run import RuntimeParams
from ndr_core.times import parse_bound


def us(text: str) -> int:
    """Microseconds since 1970 of an ISO-8601 time."""
    return parse_bound(text, "time")


def make_spec(preset: str = "paloalto", **parts: Any) -> JobSpec:
    return parse_job_spec({"project_name": "test", "input": {"preset": preset}} | parts)


def make_plan(spec: JobSpec | None = None, bounds: tuple[str, str] | None = None) -> DeltaPlan:
    start, end = (us(bounds[0]), us(bounds[1])) if bounds else (None, None)
    return compile_plan(spec or make_spec(), RuntimeParams("mb-1", "run-1", start, end))


def flow(**changes: Any) -> dict[str, Any]:
    """A Palo Alto record; a change to None makes a null."""
    return {
        "source_ip": "10.0.0.1",
        "destination_ip": "192.0.2.7",
        "source_port": 50000,
        "destination_port": 443,
        "source_bytes": 100,
        "destination_bytes": 1000,
        "event_start": "2025-03-01T10:00:00Z",
        "event_end": "2025-03-01T10:00:02Z",
        "event_action": "allow",
        "event_reason": "tcp-fin",
        "event_name": "TRAFFIC",
        "network_transport": "TCP",
    } | changes


def write_batch(folder: Path, files: Sequence[Iterable[bytes | str | dict[str, Any]]]) -> Path:
    """A mini-batch of gzip files from lines given as bytes, text or records."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, lines in enumerate(files):
        with gzip.open(folder / f"part-{number:03}.json.gz", "wb", compresslevel=1) as stream:
            for line in lines:
                if isinstance(line, dict):
                    line = json.dumps(line)
                stream.write((line.encode() if isinstance(line, str) else line) + b"\n")
    return folder


Outcome = Tables | OverflowingColumnError


def outcome_of(run: Callable[[], Tables]) -> Outcome:
    """What a run makes; an overflowing sum is an outcome like others."""
    try:
        return run()
    except OverflowingColumnError as error:
        return error


@frozen
class Difference:
    table: str
    ours: Any
    theirs: Any


def differences(expected: Tables, actual: Tables) -> list[Difference]:
    """Every place at which two outputs are not exactly equal; empty when they are."""
    found = []
    if expected.report != actual.report:
        found.append(Difference("report", expected.report, actual.report))
    for name in ("deltas", "pairs"):
        ours, theirs = getattr(expected, name), getattr(actual, name)
        if len(ours) != len(theirs):
            found.append(Difference(f"{name} rows", len(ours), len(theirs)))
        for one, other in zip(ours, theirs, strict=False):
            found += [
                Difference(f"{name}.{key}", value, other[key])
                for key, value in one.items()
                if not _same(value, other[key])
            ]
    quarantines = [sorted(map(repr, tables.quarantine)) for tables in (expected, actual)]
    if quarantines[0] != quarantines[1]:
        only = [sorted(set(a) - set(b)) for a, b in (quarantines, quarantines[::-1])]
        found.append(Difference("quarantine", only[0], only[1]))
    return found


def assert_equal(expected: Outcome, actual: Outcome) -> None:
    """Assert that two outcomes are the same, to the last digit, an overflow with the same words."""
    if isinstance(expected, OverflowingColumnError) or isinstance(actual, OverflowingColumnError):
        assert str(expected) == str(actual)
    else:
        assert differences(expected, actual) == []


def _same(one: Any, other: Any) -> bool:
    """Equal in value and type, floats to the last bit."""
    return type(one) is type(other) and repr(one) == repr(other)


def started(engine: Engine) -> Callable[[InputBatch], ChosenEngine]:
    """What starts an engine for a batch, where there is nothing to choose."""
    return asked_for(lambda: engine)
