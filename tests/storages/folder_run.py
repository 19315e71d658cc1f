"""One run of the job over folders, as tests of odd, hostile and left-over files make them."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any, Final

from ndr_adapters.local.manifests import manifest_path, read_manifests
from ndr_adapters.local.sink import FolderSink
from ndr_adapters.local.source import FolderSource
from ndr_adapters.reference.engine import ReferenceEngine
from ndr_core.deltas.job import DeltaBuilderRunner, RunSummary
from ndr_core.jobs.run import RuntimeParams
from ndr_core.publishing.entry import entry_of
from ndr_core.publishing.ownership import live_files
from ndr_core.publishing.standing import Overrides
from tests.e2e.cli import snapshot
from tests.makers import make_spec, started, us
from tests.storages.noting_log import NotingLog

TEN: Final = us("2025-03-01T10:00:00Z")
TOKEN: Final = "0123456789ab"
"""Of a run that is none."""
FORK: Final = multiprocessing.get_context("fork")


def publish(
    batch: Path, output: Path, log: NotingLog | None = None, mini_batch: str = "mb", **spec: Any
) -> RunSummary:
    return DeltaBuilderRunner(
        spec=make_spec(**spec),
        params=RuntimeParams(mini_batch, "run", TEN, TEN + 900_000_000),
        source=FolderSource(batch),
        start_engine=started(ReferenceEngine()),
        sink=FolderSink(output),
        log=log or NotingLog(),
        overrides=Overrides(count_again=True),
    ).run()


def told_by_publishing(batch: Path, output: Path, mini_batch: str = "mb") -> list[str]:
    """What a run says that succeeds, and leaves no more than what is live."""
    log = NotingLog()
    publish(batch, output, log, mini_batch)
    live = {file.path for file in live_files(read_manifests(output))}
    assert {path for path in snapshot(output) if not path.startswith("_")} == live
    return log.notices


def only_manifest(output: Path) -> Path:
    """The file of the only run that is published."""
    (manifest,) = read_manifests(output)
    return manifest_path(output, entry_of(manifest))


def put(path: Path, content: str | bytes) -> Path:
    """Write a file; gives its path."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
