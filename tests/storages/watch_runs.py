"""Rounds of a watcher on folders, in processes that may die."""

from __future__ import annotations

import json
import multiprocessing
import os
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from ndr_adapters.local.landing import FolderLanding
from ndr_adapters.local.notes import NotesFile
from ndr_adapters.reference.engine import ReferenceEngine
from ndr_core.flows.name_span import name_pattern
from ndr_core.watching.watcher import Round
from ndr_entrypoints.watch_log import WatchNews
from ndr_entrypoints.watching import LocalBuilder, watcher_of
from tests.makers import flow, make_spec
from tests.storages.folder_runs import die_before

PATTERN = name_pattern(r"(?P<Y>\d{4})(?P<m>\d\d)(?P<d>\d\d)T(?P<H>\d\d)")
EARLIER = 1_750_000_000
CLEAN = multiprocessing.get_context("forkserver")
"""Starts processes in which no engine has threads, which a fork would leave behind."""
CLEAN.set_forkserver_preload([__name__])


def lines(*flows: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in flows)


def land(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    os.utime(path, (EARLIER + len(content),) * 2)


def go(landing: Path, output: Path) -> Round:
    """One round of a new process, or what is left of one."""
    builder = LocalBuilder(
        spec=make_spec(),
        landing=FolderLanding(landing),
        output=output,
        notice=lambda _message: None,
        undisturbed=nullcontext,
        span_pattern=PATTERN,
        engine=ReferenceEngine(),
    )
    news = WatchNews(lambda _message: None, lambda _message: None)
    notes = NotesFile(output)
    return watcher_of(builder, notes, news, 0, retry=0).round()


def go_and_die(landing: Path, output: Path, step: int) -> None:
    die_before(step)
    go(landing, output)


def first_hour(landing: Path) -> None:
    landing.mkdir()
    land(landing / "20250301T10.json", lines(flow(), flow(source_ip="10.0.0.2")))
    land(landing / "20250301T11.json", lines(flow(event_start="2025-03-01T11:00:00Z")))


def second_hour(landing: Path) -> None:
    """One file has grown, another one has other content under its name, which lies under another name now."""
    with (landing / "20250301T10.json").open("ab") as stream:
        stream.write(lines(flow(source_ip="10.0.0.3")))
    os.utime(landing / "20250301T10.json", (EARLIER + 500,) * 2)
    (landing / "20250301T11.json").rename(landing / "20250301T11.json.1")
    later = flow(event_start="2025-03-01T11:30:00Z", event_end=None, source_ip="10.0.0.4")
    land(landing / "20250301T11.json", lines(later))
    land(landing / "20250301T12.json", lines(flow(event_start="2025-03-01T12:00:00Z")))


def dies(landing: Path, output: Path, step: int) -> bool:
    """Start a round that is killed before a step. Gives whether it came so far."""
    process = CLEAN.Process(target=go_and_die, args=(landing, output, step))
    process.start()
    process.join(60)
    assert process.exitcode in (0, 9)
    return process.exitcode == 9
