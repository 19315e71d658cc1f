"""What every run of every job does around its own work: stages, a staging place, publishing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any

from attrs import field, frozen

from ndr_core.errors import NdrError, after_publication
from ndr_core.jobs.ports import RunLog
from ndr_core.jobs.run import Stage
from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.sink import Publication, Sink, Staging
from ndr_core.tables.table import Table


@frozen
class JobRunner:
    """Runs a job's work between a staging place and its publication."""

    sink: Sink
    log: RunLog
    undisturbed: Callable[[], AbstractContextManager[Any]] = field(default=nullcontext)
    """Holds back requests to stop (StopRequested) while the run is published."""

    def run(
        self, run_id: str, tables: Sequence[Table], work: Callable[[Staging], Publication]
    ) -> Manifest:
        """Let `work` stage what it makes, then publish that, or publish nothing at all.

        What was published before is untouched when `work` fails. From publication on, a failure is an
        AfterPublicationError; StopRequested passes, and says whether the run is published.
        """
        staging = self.sink.open_staging(run_id, tables, self.log.notice)
        manifest: Manifest | None = None
        try:
            publication = work(staging)
            with self.stage(Stage.PUBLISH) as facts:
                with self.undisturbed():
                    manifest = staging.publish(publication)
                facts |= _outcome(manifest)
        except BaseException as error:
            # What fails while closing must not hide what failed before; the next run tidies up.
            with suppress(NdrError, OSError):
                staging.close()
            if manifest is None:
                raise
            with after_publication("it could not be logged"):
                raise error
        with after_publication("its staging place could not be removed, which the next run does"):
            staging.close()
        return manifest

    @contextmanager
    def stage(self, stage: Stage, **facts: Any) -> Iterator[dict[str, Any]]:
        """Log a stage, from `facts` to what the block puts into the mapping that it gets, with its seconds."""
        started = time.monotonic()
        self.log.stage(stage, **facts)
        outcome: dict[str, Any] = {}
        yield outcome
        self.log.done(stage, time.monotonic() - started, **outcome)


def _outcome(manifest: Manifest) -> dict[str, int | str]:
    replaced = manifest.replaced
    before: dict[str, int | str] = {}
    if replaced is not None:
        before = {"replaced_run": replaced.run_id, "replaced_slices": replaced.slices}
        if replaced.kept is not None:
            before |= {"replaced_kept": replaced.kept}
    return {
        **before,
        "slices": len(manifest.slices()),
        "files": len(manifest.files),
        "rows": sum(sum(manifest.rows(table).values()) for table in manifest.tables),
        "bytes": sum(file.bytes for file in manifest.files),
    }
