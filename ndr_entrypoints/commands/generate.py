"""`ndr generate`: synthetic mini-batches, and days of a network with planted attacks."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import click
from click.core import ParameterSource
from rich.console import Console
from rich.progress import Progress

from ndr_adapters.synthetic.batch import SyntheticBatch
from ndr_adapters.synthetic.form import Form
from ndr_adapters.synthetic.forms.registry import FORMS, form_of
from ndr_adapters.synthetic.scenario.size import Size
from ndr_adapters.synthetic.scenario.write import write_scenario
from ndr_adapters.synthetic.write import write_synthetic
from ndr_core.errors import UsageError
from ndr_core.times import parse_bound
from ndr_entrypoints.options import EXIT_CODES, PATH, QUIET

_DEFAULT: Final = SyntheticBatch(records=0)
_OF_SCENARIOS: Final = ("days",)
_OF_BOTH: Final = ("output", "scenario", "preset", "form", "seed", "hosts", "quiet")


@click.command(epilog=EXIT_CODES)
@click.option(
    "--records", type=int, help="Records to make. Default: none; needed without --scenario."
)
@click.option("-o", "--output", type=PATH, required=True, help="New folder for the files.")
@click.option(
    "--scenario",
    is_flag=True,
    help="Make days of a whole network instead, with attacks on the last day; takes --seed, --days, --hosts, "
    "--preset zeek and its --form.",
)
@click.option(
    "--days", type=int, default=Size().days, help="Whole days of a scenario, 2025-03-13 the last."
)
@click.option(
    "--preset",
    type=click.Choice(list(FORMS)),
    default=_DEFAULT.form.preset,
    help="Source whose logs to make.",
)
@click.option(
    "--form",
    help="Of that source: "
    + "; ".join(f"{preset}: {', '.join(forms)}" for preset, forms in FORMS.items())
    + ". Default: the first.",
)
@click.option("--seed", type=int, default=0, help="Same seed, same bytes.")
@click.option("--files", type=int, default=8, help="Files to make.")
@click.option("--bad-fraction", type=float, default=0.0, help="Share of bad records, 0 to 1.")
@click.option("--hosts", type=int, default=_DEFAULT.hosts, help="Internal hosts.")
@click.option("--peers", type=int, default=_DEFAULT.peers, help="External peers.")
@click.option(
    "--slice-start", default="2025-03-01T10:00:00Z", help="Time of the first records, ISO-8601."
)
@click.option(
    "--slice-end", default="2025-03-01T10:15:00Z", help="Time before which all records start."
)
@QUIET
@click.pass_context
def generate(
    ctx: click.Context, /, output: Path, scenario: bool, days: int, quiet: bool, **batch: Any
) -> None:
    """Make a synthetic mini-batch of logs as a source writes them, or days with planted attacks."""
    _refuse_others(ctx, scenario)
    silent = quiet or not sys.stderr.isatty()
    with Progress(console=Console(stderr=True), disable=silent) as progress:
        if scenario:
            size = Size(seed=batch["seed"], days=days, hosts=batch["hosts"])
            form = form_of(batch["preset"], batch["form"])
            done = _make_scenario(size, form, output, progress)
        else:
            done = _make_batch(output, progress, **batch)
    if not quiet:
        click.echo(f"{output}: {done}", err=True)


def _refuse_others(ctx: click.Context, scenario: bool) -> None:
    """Raise UsageError for options that say nothing of what is made."""
    given = [
        name
        for name in ctx.params
        if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT and name not in _OF_BOTH
    ]
    for name in given:
        if scenario and name not in _OF_SCENARIOS:
            option = name.replace("_", "-")
            raise UsageError(f"{option}: says nothing of a scenario; leave it out, or --scenario")
        if not scenario and name in _OF_SCENARIOS:
            raise UsageError(f"{name}: is of scenarios; give --scenario too, or leave it out")
    if not scenario and ctx.params["records"] is None:
        raise UsageError("records: say how many to make by --records, or give --scenario")


def _make_scenario(size: Size, form: Form, output: Path, progress: Progress) -> str:
    task = progress.add_task("generating days", total=size.days)
    records = write_scenario(size, output, lambda days: progress.advance(task, days), form)
    return f"{records:,} records of {size.days} days and {size.hosts:,} hosts"


def _make_batch(
    output: Path,
    progress: Progress,
    *,
    files: int,
    slice_start: str,
    slice_end: str,
    preset: str,
    form: str | None,
    **numbers: Any,
) -> str:
    batch = SyntheticBatch(
        form=form_of(preset, form),
        start_us=parse_bound(slice_start, "slice-start"),
        end_us=parse_bound(slice_end, "slice-end"),
        **numbers,
    )
    task = progress.add_task("generating", total=batch.records)
    paths = write_synthetic(batch, output, files, lambda n: progress.advance(task, n))
    size = sum(path.stat().st_size for path in paths)
    return f"{batch.records:,} records, {len(paths)} files, {size:,} bytes"
