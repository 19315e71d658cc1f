"""`ndr generate`: synthetic mini-batches."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import Progress

from ndr_adapters.synthetic.batch import SyntheticBatch
from ndr_adapters.synthetic.forms.registry import FORMS, form_of
from ndr_adapters.synthetic.write import write_synthetic
from ndr_core.times import parse_bound
from ndr_entrypoints.options import EXIT_CODES, PATH, QUIET

_DEFAULT: Final = SyntheticBatch(records=0)


@click.command(epilog=EXIT_CODES)
@click.option("--records", type=int, required=True, help="Records to make.")
@click.option("-o", "--output", type=PATH, required=True, help="New folder for the files.")
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
def generate(
    output: Path,
    files: int,
    slice_start: str,
    slice_end: str,
    quiet: bool,
    preset: str,
    form: str | None,
    **numbers: Any,
) -> None:
    """Make a synthetic mini-batch of logs as a source writes them."""
    batch = SyntheticBatch(
        form=form_of(preset, form),
        start_us=parse_bound(slice_start, "slice-start"),
        end_us=parse_bound(slice_end, "slice-end"),
        **numbers,
    )
    silent = quiet or not sys.stderr.isatty()
    with Progress(console=Console(stderr=True), disable=silent) as progress:
        task = progress.add_task("generating", total=batch.records)
        paths = write_synthetic(batch, output, files, lambda n: progress.advance(task, n))
    if not quiet:
        size = sum(path.stat().st_size for path in paths)
        click.echo(
            f"{output}: {batch.records:,} records, {len(paths)} files, {size:,} bytes", err=True
        )
