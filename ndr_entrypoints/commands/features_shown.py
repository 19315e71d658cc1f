"""What `ndr features` says of runs that were done, and of those that are out of date."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import click
from rich.console import Console

from ndr_core.errors import after_publication
from ndr_core.features.renew import Renewed
from ndr_core.features.running import FeatureRunSummary
from ndr_core.features.stale import StaleRun
from ndr_core.publishing.manifest import summary
from ndr_entrypoints import console

_NOTHING: Final = "nothing is out of date"


def show_runs(
    done: Sequence[FeatureRunSummary], left_out: Sequence[str], *, as_json: bool, quiet: bool
) -> None:
    """Show what was built, and why something was left out."""
    with after_publication("what it did could not be shown"):
        if as_json:
            runs = [{**summary(one.manifest), "seconds": round(one.seconds, 3)} for one in done]
            console.print_json({"runs": runs, "left_out": list(left_out)})
        elif not quiet:
            if done:
                console.print_whole(Console(), "Built", [_of_run(one) for one in done])
            for problem in left_out:
                click.echo(f"left out: {problem}", err=True)


def show_renewed(done: Sequence[Renewed], *, as_json: bool, quiet: bool) -> None:
    """Show what became of runs that were out of date."""
    summaries = [one.summary for one in done if one.summary is not None]
    left_out = [one.problem for one in done if one.problem is not None]
    if not done and not as_json and not quiet:
        click.echo(_NOTHING)
    show_runs(summaries, left_out, as_json=as_json, quiet=quiet)


def show_stale(runs: Sequence[StaleRun], *, as_json: bool, quiet: bool) -> None:
    """Show the runs that are out of date."""
    rows = [
        {"job": one.job_name, "run": one.mini_batch_id, "why": "; ".join(one.reasons)}
        for one in runs
    ]
    if as_json:
        console.print_json(rows)
    elif rows and not quiet:
        console.print_whole(Console(), "Out of date", rows)
    elif not quiet:
        click.echo(_NOTHING)


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
