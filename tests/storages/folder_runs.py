"""Runs that publish to a folder, and processes that die while they do."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ndr_adapters.local.published import FolderTables
from ndr_adapters.local.sink import FolderSink
from ndr_adapters.local.source import FolderSource
from ndr_adapters.polars.compact import write_day
from ndr_adapters.polars.write import StagingRoot
from ndr_adapters.reference.engine import ReferenceEngine
from ndr_core.deltas.job import DeltaBuilderRunner
from ndr_core.deltas.spec import JobSpec
from ndr_core.jobs.ports import QuietLog, RunLog
from ndr_core.jobs.run import RuntimeParams
from ndr_core.publishing.compact_job import Compactor
from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.standing import Overrides
from tests.makers import make_spec, started

FORK = multiprocessing.get_context("fork")


def publish_unbound(
    batch: Path,
    output: Path,
    mini_batch: str,
    spec: JobSpec | None = None,
    log: RunLog | None = None,
) -> Manifest:
    """Publish a batch whose records fall into whatever slices they do."""
    return (
        DeltaBuilderRunner(
            spec=spec or make_spec(),
            params=RuntimeParams(mini_batch, "run"),
            source=FolderSource(batch),
            start_engine=started(ReferenceEngine()),
            sink=FolderSink(output),
            log=log or QuietLog(),
            overrides=Overrides(count_again=True),
        )
        .run()
        .manifest
    )


def compactor(output: Path) -> Compactor:
    """Give what compacts the days of a folder, by Polars."""
    tables = FolderTables(output)
    return Compactor(
        published=tables,
        sink=FolderSink(output),
        write=lambda day, root: write_day(tables, day, StagingRoot(root)),
        run_id="compaction",
        engine="polars",
        code_version="test",
        notice=print,
    )


STEPS = ("fsync", "replace", "unlink", "rmdir")


def die_before(step: int) -> None:
    """Kill this process, as `kill -9` does, before its step-th call that syncs, renames or deletes."""
    done = 0

    def dying(call: Callable[..., Any]) -> Callable[..., Any]:
        def call_or_die(*args: Any, **kwargs: Any) -> Any:
            nonlocal done
            if done == step:
                os._exit(9)
            done += 1
            return call(*args, **kwargs)

        return call_or_die

    for name in STEPS:
        setattr(os, name, dying(getattr(os, name)))


def run_apart(target: Callable[..., None], *arguments: Any) -> int | None:
    process = FORK.Process(target=target, args=arguments)
    process.start()
    process.join(60)
    return process.exitcode
