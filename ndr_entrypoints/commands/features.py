"""`ndr features`: the pair history, windows, baselines and correlations that are made of published deltas."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from ndr_adapters.local.spec_file import JobSpecFile
from ndr_core.correlations.chain import Chain
from ndr_core.errors import UsageError
from ndr_core.features.running import NotPublishedError, run_each
from ndr_core.publishing.layout import FEATURES
from ndr_core.spec_kinds import AnySpec
from ndr_core.times import parse_bound
from ndr_entrypoints.commands.features_explain import explain
from ndr_entrypoints.commands.features_runs import (
    Asked,
    Span,
    refuse,
    runs_asked,
    runs_of_span,
)
from ndr_entrypoints.commands.features_shown import show_renewed, show_runs, show_stale
from ndr_entrypoints.commands.features_specs import JOBS, chain_of, job_of
from ndr_entrypoints.feature_engines import WINDOW_ENGINES
from ndr_entrypoints.feature_jobs import FeatureWiring
from ndr_entrypoints.options import AS_JSON, EXIT_CODES, PATH, QUIET
from ndr_entrypoints.run_log import FEATURE_STAGES, NoticesOnly, run_log
from ndr_entrypoints.stopping import Stopping
from ndr_entrypoints.wiring import AUTO

_SPEC: Final = click.option(
    "--spec", type=PATH, required=True, help="JobSpec file of the job, YAML or JSON."
)
_WITH_SPEC: Final = click.option(
    "--with-spec",
    "with_specs",
    type=PATH,
    multiple=True,
    help="With --stale: JobSpec file of a job of history, baselines or correlations; may be given again. "
    "Default: those that the JobSpec of the windows implies.",
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
    type=click.Choice(JOBS),
    help="What to build: windows (fg-a), the pair history that they read, baselines (fg-b), or correlations of windows "
    "with baselines (fg-c). Default: by the kind of the JobSpec.",
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
    """Build and renew features: windows per host, what is usual for it, how windows depart from that."""


features.add_command(explain)


@features.command(epilog=EXIT_CODES)
@_JOB
@_SPEC
@_WITH_SPEC
@_OUTPUT
@_FEATURES
@click.option(
    "--end",
    help="ISO-8601, UTC: the end of the windows to build or to compare. If absent, --day or --stale says what.",
)
@click.option(
    "--day",
    help="UTC day of the history to build, such as 2025-03-01; of baselines the local date to sum up: those of the "
    "next date are made, too. If absent, --end or --stale says what to build.",
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
    help="Build what there is where slices, history or baselines are missing: is_partial is 1, without history "
    "there is no novelty, without baselines no comparison.",
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
    with_specs: tuple[Path, ...],
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
    """Build the windows that end at a time, what compares them with what is usual, or what a day adds; publish it.

    A run replaces what was published of the same time or day, and nothing else.
    """
    loaded = JobSpecFile(spec).load_any()
    if stale:
        refuse(
            {"end": end, "day": day, "label": labels, "partial": partial, "run-id": run_id},
            "--stale says itself what to build",
        )
        chain = chain_of(loaded, with_specs)
        _rebuild(stopping, chain, since, as_json, quiet, places)
        return
    if since is not None or with_specs:
        name = "with-spec" if since is None else "since"
        raise UsageError(f"{name}: is for --stale; leave it out")
    with run_log(quiet, as_json, FEATURE_STAGES) as log:
        wiring = _wiring(stopping, log, loaded, **places)
        asked = Asked(end, day, labels, partial, run_id)
        done, left_out = run_each(runs_asked(wiring, loaded, job_of(job, loaded), asked))
    if left_out:
        published = (f"{one.manifest.facts.mini_batch_id} is published" for one in done)
        raise NotPublishedError("; ".join([*left_out, *published]))
    show_runs(done, [], as_json=as_json, quiet=quiet)


@features.command(epilog=EXIT_CODES)
@_JOB
@_SPEC
@_OUTPUT
@_FEATURES
@click.option(
    "--from",
    "first",
    required=True,
    help="ISO-8601, UTC: windows that end after then are built; of a history or of baselines, the first day.",
)
@click.option(
    "--to",
    "last",
    required=True,
    help="ISO-8601, UTC: the end of the last windows; of a history or of baselines, the last day.",
)
@click.option(
    "--partial",
    is_flag=True,
    help="Build what there is where slices, history or baselines are missing: is_partial is 1, without history "
    "there is no novelty, without baselines no comparison.",
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
    """Build all windows or correlations of a span of time, or what all its days add: a run for each, in order.

    Each run is published by itself. Windows that can't be built, as slices are not published, are named and left out.
    """
    loaded = JobSpecFile(spec).load_any()
    with run_log(quiet, as_json, FEATURE_STAGES) as log:
        wiring = _wiring(stopping, log, loaded, **places)
        span = Span(first, last, partial)
        runners = runs_of_span(wiring, loaded, job_of(job, loaded), span)
        done, left_out = run_each(runners)
    if not done and left_out:
        raise NotPublishedError(left_out[0])
    show_runs(done, left_out, as_json=as_json, quiet=quiet)


@features.command(epilog=EXIT_CODES)
@_SPEC
@_WITH_SPEC
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
    with_specs: tuple[Path, ...],
    since: str | None,
    rebuild: bool,
    as_json: bool,
    quiet: bool,
    **places: Any,
) -> None:
    """List the runs of all feature jobs whose rows would be others if they were done now.

    They read a mini-batch that was replaced, or not one that came late, or were left out while slices were missing.
    Compaction and prune change nothing.
    """
    chain = chain_of(JobSpecFile(spec).load_any(), with_specs)
    if rebuild:
        _rebuild(stopping, chain, since, as_json, quiet, places)
        return
    wiring = _wiring(stopping, NoticesOnly(), chain.windows, **places)
    show_stale(wiring.stale_chain(chain, _since(since)).runs, as_json=as_json, quiet=quiet)


def _rebuild(
    stopping: Stopping,
    chain: Chain,
    since: str | None,
    as_json: bool,
    quiet: bool,
    places: dict[str, Any],
) -> None:
    with run_log(quiet, as_json, FEATURE_STAGES) as log:
        done = list(
            _wiring(stopping, log, chain.windows, **places).renew_chain(chain, _since(since))
        )
    show_renewed(done, as_json=as_json, quiet=quiet)


def _wiring(
    stopping: Stopping,
    log: Any,
    spec: AnySpec,
    *,
    output: str,
    features: str | None,
    engine: str,
) -> FeatureWiring:
    """Wire between the places that are given. The spec says by which key what is written to S3 is encrypted."""
    key = spec.storage.kms_key
    return FeatureWiring.between(output, features, engine, log, stopping.undisturbed, key)


def _since(text: str | None) -> int | None:
    return None if text is None else parse_bound(text, "since")
