"""`ndr features`: the pair history and the windows (FG-A) that are made of published deltas."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console

from ndr_adapters.local.spec_file import JobSpecFile
from ndr_core.errors import SpecError, UsageError, after_publication
from ndr_core.features.running import FeatureRunSummary, NotPublishedError
from ndr_core.features.stale import StaleRun
from ndr_core.history.job import HistoryRunner
from ndr_core.history.spec import PairHistorySpec
from ndr_core.publishing.layout import FEATURES
from ndr_core.publishing.manifest import summary
from ndr_core.spec_kinds import AnySpec
from ndr_core.times import DAY_US, parse_bound
from ndr_core.windows.history_spec import history_spec_of
from ndr_core.windows.job import FgARunner
from ndr_core.windows.renew import Renewed
from ndr_core.windows.spec import FgASpec
from ndr_entrypoints import console
from ndr_entrypoints.commands.features_explain import explain
from ndr_entrypoints.feature_jobs import WINDOW_ENGINES, FeatureWiring
from ndr_entrypoints.options import AS_JSON, EXIT_CODES, PATH, QUIET
from ndr_entrypoints.run_log import FEATURE_STAGES, NoticesOnly, run_log
from ndr_entrypoints.stopping import Stopping
from ndr_entrypoints.wiring import AUTO

FG_A: Final = "fg-a"
HISTORY: Final = "history"
_NOTHING: Final = "nothing is out of date"

_SPEC: Final = click.option(
    "--spec", type=PATH, required=True, help="JobSpec file of the job, YAML or JSON."
)
_OUTPUT: Final = click.option(
    *("-o", "--output"), required=True, help="Output of the deltas, a folder or s3://.."
)
_FEATURES: Final = click.option(
    "--features",
    help=f"Output of the features, a folder or s3://.. Default: the folder {FEATURES} in the output of the deltas.",
)
_JOB: Final = click.option(
    "--job",
    type=click.Choice([FG_A, HISTORY]),
    help="What to build: windows, or the pair history that they read. Default: by the kind of the JobSpec.",
)
_ENGINE: Final = click.option(
    "--engine",
    type=click.Choice([AUTO, *WINDOW_ENGINES]),
    default=AUTO,
    help="What builds the tables; auto: Polars, which takes one machine. spark: Polars in tasks of Spark.",
)
_SINCE: Final = click.option(
    "--since", help="ISO-8601, UTC: look at windows that end from then on. Default: all."
)


@click.group()
def features() -> None:
    """Build and renew features: windows per host (FG-A), and the pair history that they read."""


features.add_command(explain)


@features.command(epilog=EXIT_CODES)
@_JOB
@_SPEC
@_OUTPUT
@_FEATURES
@click.option(
    "--end",
    help="ISO-8601, UTC: the end of the windows to build. If absent, --day or --stale says what to build.",
)
@click.option(
    "--day",
    help="UTC day of the history to build, such as 2025-03-01. If absent, --end or --stale says what to build.",
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    help="Name of windows to build, such as w_1h; may be given again. Default: all that end then.",
)
@click.option(
    "--partial",
    is_flag=True,
    help="Build what there is where slices or history are missing: is_partial is 1, and without history no novelty.",
)
@click.option(
    "--stale",
    is_flag=True,
    help="Build again all that is out of date, the history first: what `ndr features stale` lists.",
)
@_SINCE
@_ENGINE
@click.option("--run-id", help="Name of this run in manifests and logs. Default: made up.")
@AS_JSON
@QUIET
@click.pass_obj
def run(
    stopping: Stopping,
    /,
    job: str | None,
    spec: Path,
    end: str | None,
    day: str | None,
    labels: tuple[str, ...],
    partial: bool,
    stale: bool,
    since: str | None,
    run_id: str | None,
    as_json: bool,
    quiet: bool,
    **places: Any,
) -> None:
    """Build the windows that end at a time, or the history of a day, and publish them.

    A run replaces what was published of the same time or day, and nothing else.
    """
    loaded = JobSpecFile(spec).load_any()
    if stale:
        _refuse(
            {"end": end, "day": day, "label": labels, "partial": partial, "run-id": run_id},
            "--stale says itself what to build",
        )
        _rebuild(stopping, _windows_spec(loaded), since, as_json, quiet, places)
        return
    if since is not None:
        raise UsageError("since: is for --stale; leave it out")
    with run_log(quiet, as_json, FEATURE_STAGES) as log:
        wiring = _wiring(stopping, log, **places)
        if _job_of(job, loaded) == HISTORY:
            _refuse({"end": end, "label": labels}, "a history is built by --day")
            runner = wiring.history(
                _history_spec(loaded),
                _day(day, "day"),
                allows_missing=partial,
                run_id=run_id,
            )
            made = runner.run()
        else:
            _refuse({"day": day}, "windows are built by --end")
            made = wiring.windows(
                _windows_spec(loaded),
                parse_bound(_needed(end, "end"), "end"),
                names=labels,
                allows_missing=partial,
                run_id=run_id,
            ).run()
    _show([made], [], as_json, quiet)


@features.command(epilog=EXIT_CODES)
@_JOB
@_SPEC
@_OUTPUT
@_FEATURES
@click.option(
    "--from",
    "first",
    required=True,
    help="ISO-8601, UTC: windows that end after then are built; of a history, its first day.",
)
@click.option(
    "--to",
    "last",
    required=True,
    help="ISO-8601, UTC: the end of the last windows; of a history, its last day.",
)
@click.option(
    "--partial",
    is_flag=True,
    help="Build what there is where slices or history are missing: is_partial is 1, and without history no novelty.",
)
@_ENGINE
@AS_JSON
@QUIET
@click.pass_obj
def backfill(
    stopping: Stopping,
    /,
    job: str | None,
    spec: Path,
    first: str,
    last: str,
    partial: bool,
    as_json: bool,
    quiet: bool,
    **places: Any,
) -> None:
    """Build all windows that end in a span of time, or the history of all its days: a run for each, in order.

    Each run is published by itself. Windows that can't be built, as slices are not published, are named and left out.
    """
    loaded = JobSpecFile(spec).load_any()
    done: list[FeatureRunSummary] = []
    left_out: list[str] = []
    with run_log(quiet, as_json, FEATURE_STAGES) as log:
        wiring = _wiring(stopping, log, **places)
        for runner in _runners(wiring, loaded, _job_of(job, loaded), first, last, partial=partial):
            try:
                done.append(runner.run())
            except NotPublishedError as error:
                left_out.append(str(error))
    if not done and left_out:
        raise NotPublishedError(left_out[0])
    _show(done, left_out, as_json, quiet)


@features.command(epilog=EXIT_CODES)
@_SPEC
@_OUTPUT
@_FEATURES
@_SINCE
@click.option(
    "--rebuild", is_flag=True, help="Build them again, as `ndr features run --stale` does."
)
@_ENGINE
@AS_JSON
@QUIET
@click.pass_obj
def stale(
    stopping: Stopping,
    /,
    spec: Path,
    since: str | None,
    rebuild: bool,
    as_json: bool,
    quiet: bool,
    **places: Any,
) -> None:
    """List the days of the history and the windows that would be others if they were built now.

    They read a mini-batch that was replaced, or not one that came late, or were left out while slices were missing.
    Compaction and prune change nothing.
    """
    loaded = _windows_spec(JobSpecFile(spec).load_any())
    if rebuild:
        _rebuild(stopping, loaded, since, as_json, quiet, places)
        return
    wiring = _wiring(stopping, NoticesOnly(), **places)
    found = wiring.stale(loaded, _since(since))
    rows = [_of_stale(one) for one in (*found.days, *found.windows)]
    if as_json:
        console.print_json(rows)
    elif rows and not quiet:
        console.print_whole(Console(), "Out of date", rows)
    elif not quiet:
        click.echo(_NOTHING)


def _rebuild(
    stopping: Stopping,
    spec: FgASpec,
    since: str | None,
    as_json: bool,
    quiet: bool,
    places: dict[str, Any],
) -> None:
    with run_log(quiet, as_json, FEATURE_STAGES) as log:
        done = list(_wiring(stopping, log, **places).renew(spec, _since(since)))
    _show_renewed(done, as_json, quiet)


def _runners(
    wiring: FeatureWiring, spec: AnySpec, job: str, first: str, last: str, *, partial: bool
) -> Sequence[HistoryRunner | FgARunner]:
    """The runs of a span of time, in order. Raises SpecError for a span that holds none."""
    found: Sequence[HistoryRunner | FgARunner]
    if job == HISTORY:
        days = _day(first, "from"), _day(last, "to")
        found = wiring.all_days(_history_spec(spec), *days, allows_missing=partial)
    else:
        span = parse_bound(first, "from"), parse_bound(last, "to")
        found = wiring.all_windows(_windows_spec(spec), *span, allows_missing=partial)
    if not found:
        raise SpecError(f"from: nothing to build lies between {first} and {last}")
    return found


def _wiring(
    stopping: Stopping, log: Any, *, output: str, features: str | None, engine: str
) -> FeatureWiring:
    return FeatureWiring.between(output, features, engine, log, stopping.undisturbed)


def _job_of(job: str | None, spec: AnySpec) -> str:
    return job or (HISTORY if isinstance(spec, PairHistorySpec) else FG_A)


def _history_spec(spec: AnySpec) -> PairHistorySpec:
    """The spec of a history: one for itself, or the one that a spec of windows implies."""
    return spec if isinstance(spec, PairHistorySpec) else history_spec_of(_windows_spec(spec))


def _windows_spec(spec: AnySpec) -> FgASpec:
    if not isinstance(spec, FgASpec):
        raise SpecError("spec: is of another kind of job; windows need one with kind: fg_a")
    return spec


def _refuse(options: dict[str, object], why: str) -> None:
    for name, value in options.items():
        if value:
            raise UsageError(f"{name}: leave it out; {why}")


def _needed(value: str | None, name: str) -> str:
    if value is None:
        raise UsageError(f"{name}: is missing; give --{name}, or --stale")
    return value


def _day(text: str | None, name: str) -> int:
    """A UTC day, in days since 1970-01-01."""
    given = _needed(text, name)
    moment = parse_bound(given, name)
    if moment % DAY_US:
        raise SpecError(f"{name}: {given} is no day such as 2025-03-01")
    return moment // DAY_US


def _since(text: str | None) -> int | None:
    return None if text is None else parse_bound(text, "since")


def _show(done: list[FeatureRunSummary], left_out: list[str], as_json: bool, quiet: bool) -> None:
    with after_publication("what it did could not be shown"):
        if as_json:
            runs = [{**summary(one.manifest), "seconds": round(one.seconds, 3)} for one in done]
            console.print_json({"runs": runs, "left_out": left_out})
        elif not quiet:
            if done:
                console.print_whole(Console(), "Built", [_of_run(one) for one in done])
            for problem in left_out:
                click.echo(f"left out: {problem}", err=True)


def _show_renewed(done: list[Renewed], as_json: bool, quiet: bool) -> None:
    summaries = [one.summary for one in done if one.summary is not None]
    left_out = [one.problem for one in done if one.problem is not None]
    if not done and not as_json and not quiet:
        click.echo(_NOTHING)
    _show(summaries, left_out, as_json, quiet)


def _of_run(done: FeatureRunSummary) -> dict[str, object]:
    manifest = done.manifest
    read = manifest.facts.read
    return {
        "job": manifest.facts.job_name,
        "run": manifest.facts.mini_batch_id,
        "windows": " ".join(read.built) if read is not None else "",
        "left_out": " ".join(read.left_out) if read is not None else "",
        "rows": sum(sum(manifest.rows(table).values()) for table in manifest.tables),
        "files": len(manifest.files),
        "seconds": round(done.seconds, 1),
    }


def _of_stale(one: StaleRun) -> dict[str, object]:
    return {
        "job": one.job_name,
        "run": one.mini_batch_id,
        "why": "; ".join(one.reasons),
    }
