"""`ndr replay`: the rejected records of a mini-batch, run again by another JobSpec."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import click
from attrs import evolve
from rich.console import Console

from ndr_adapters.local.spec_file import JobSpecFile
from ndr_adapters.outputs import open_output
from ndr_adapters.rejected import RejectedSource
from ndr_core.deltas.engine import asked_for
from ndr_core.deltas.job import DeltaBuilderRunner
from ndr_core.deltas.spec import JobSpec
from ndr_core.errors import ThresholdError, UsageError, after_publication, nearest, shown
from ndr_core.flows.formats import FileFormat
from ndr_core.jobs.choice import POLARS
from ndr_core.jobs.run import RuntimeParams
from ndr_core.publishing.manifest import summary
from ndr_core.publishing.rejected import RejectedBatch, rejected_batches
from ndr_core.quality.replay import Left, is_replay, replay_id
from ndr_core.version import __version__
from ndr_entrypoints import console
from ndr_entrypoints.options import AS_JSON, EXIT_CODES, PATH, QUIET
from ndr_entrypoints.run_log import run_log
from ndr_entrypoints.stopping import Stopping
from ndr_entrypoints.wiring import Wiring


@click.command(epilog=EXIT_CODES)
@click.argument("output", help="Folder of an output, or s3://..")
@click.option("--spec", type=PATH, required=True, help="JobSpec file that reads the records.")
@click.option(
    "--mini-batch-id",
    help="Mini-batch whose rejected records to run. Default: the only one that has some.",
)
@AS_JSON
@QUIET
@click.pass_obj
def replay(
    stopping: Stopping,
    /,
    output: str,
    spec: Path,
    mini_batch_id: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Run the rejected records of a mini-batch again, by another JobSpec.

    They become the mini-batch `<id>.replay`, which a later replay of the same mini-batch replaces. Left are records
    whose text was cut, or holds bytes that are no UTF-8, and duplicates of records that were kept. Of the thresholds
    of `quality` only one counts: that some record can be kept.
    """
    job = _for_rejected(JobSpecFile(spec).load())
    published = open_output(output)
    batches = rejected_batches(published.manifests(None, None))
    batch = _chosen(batches, job, mini_batch_id)
    source = RejectedSource(published, batch)
    wiring = Wiring.between(output, output, job.storage.kms_key)
    bounds = batch.bounds
    with run_log(quiet, as_json) as log:
        runner = DeltaBuilderRunner(
            spec=job,
            params=RuntimeParams(
                mini_batch_id=replay_id(batch.name),
                run_id=uuid.uuid4().hex,
                slice_start=None if bounds is None else bounds.start,
                slice_end=None if bounds is None else bounds.end,
            ),
            source=source,
            start_engine=asked_for(lambda: wiring.engine(POLARS)),
            sink=wiring.sink,
            log=log,
            code_version=__version__,
            undisturbed=stopping.undisturbed,
        )
        try:
            done = runner.run()
        except ThresholdError as error:
            if not _replayed(batch, batches):
                raise
            # What a former replay holds must not count beside what a run of the mini-batch has kept since.
            log.notice(f"{error}. What {replay_id(batch.name)} held is taken back")
            none = RejectedSource(published, evolve(batch, files=()))
            done = evolve(runner, source=none).run()
    with after_publication("what it did could not be shown"):
        left = {reason.value: source.left.get(reason, 0) for reason in Left}
        if as_json:
            seconds = round(done.seconds, 3)
            console.print_json({**summary(done.manifest), "seconds": seconds, "left": left})
        elif not quiet:
            screen = Console()
            console.print_run(screen, done, output)
            _show_left(screen, batch, left)


def _for_rejected(job: JobSpec) -> JobSpec:
    """A JobSpec as it is for rejected records: objects of JSON, in files of the quarantine.

    Thresholds are for whole mini-batches: of what was rejected once, more may be rejected again.
    """
    quality = evolve(job.quality, max_rejected_fraction=1.0, min_records=0)
    mapping = evolve(job.input, files=(), format=FileFormat.JSON, separator=None, header=None)
    return evolve(job, quality=quality, input=mapping)


def _chosen(batches: Sequence[RejectedBatch], job: JobSpec, name: str | None) -> RejectedBatch:
    """The mini-batch of that name, or the only one with rejected records, of the job of a JobSpec."""
    known = {
        batch.name: batch
        for batch in batches
        if batch.facts.job_name == job.job_name
        and batch.facts.feature_spec_version == job.feature_spec_version
        and not is_replay(batch.name)
    }
    whose = f"job {job.job_name}, feature_spec_version {job.feature_spec_version}"
    if name is not None and is_replay(name):
        raise UsageError(
            f"mini-batch-id: {shown(name)} holds what another mini-batch rejected; replay that one again, which "
            "replaces it"
        )
    if name is not None:
        if name not in known:
            raise UsageError(
                f"mini-batch-id: {whose} has published no mini-batch {shown(name)}, {nearest(name, known)}"
            )
        return known[name]
    some = [one for one in known.values() if one.records or _replayed(one, batches)]
    if len(some) != 1:
        names = ", ".join(f"{batch.name} ({batch.records:,})" for batch in some)
        raise UsageError(
            f"mini-batch-id: several mini-batches of {whose} have rejected records; give one of {names}"
            if some
            else f"{whose} has published no rejected records here: nothing is to be replayed"
        )
    return some[0]


def _replayed(batch: RejectedBatch, batches: Iterable[RejectedBatch]) -> bool:
    """Whether rejected records of a mini-batch were run again before."""
    facts = evolve(batch.facts, mini_batch_id=replay_id(batch.name))
    return any(one.facts.owner == facts.owner for one in batches)


def _show_left(screen: Console, batch: RejectedBatch, left: Mapping[str, int]) -> None:
    rows = [(reason, count) for reason, count in left.items() if count]
    rows += [("unreadable file", len(batch.unreadable))] if batch.unreadable else []
    if rows:
        screen.print(console.table("Left in quarantine", ("why", "records"), rows))
