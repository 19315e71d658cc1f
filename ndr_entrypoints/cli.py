"""The `ndr` command. Exit codes: 0 done, 1 the run failed, 2 wrong usage or configuration.

Engines are imported by the commands that need them: `ndr --help` starts at once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ndr_adapters.synthetic.batch import SyntheticBatch
from ndr_core.times import parse_bound
from ndr_entrypoints.commands.aws import aws
from ndr_entrypoints.commands.pipeline import pipeline
from ndr_entrypoints.commands.spec import spec
from ndr_entrypoints.failures import FailingGroup
from ndr_entrypoints.options import PATH

if TYPE_CHECKING:
    from rich.console import Console

    from ndr_core.job_spec import JobSpec
    from ndr_entrypoints.stopping import Stopping

_DEFAULT_SYNTHETIC = SyntheticBatch(records=0)


@click.group(cls=FailingGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ndr-delta-builder")
@click.option("--debug", is_flag=True, help="Show the stack trace of a failure.")
def main(debug: bool) -> None:
    """Per-host, per-role, 15-minute deltas of firewall and flow logs."""
    del debug  # read by the group


main.add_command(spec)
main.add_command(aws)
main.add_command(pipeline)


@main.command()
@click.option("--spec", type=PATH, required=True, help="JobSpec file, YAML or JSON.")
@click.option(
    "--input", "input_", required=True, help="Folder (or file) of JSON Lines, gzip; or s3://.."
)
@click.option("--output", required=True, help="Folder to publish to, or s3://..")
@click.option("--engine", type=click.Choice(["polars", "spark", "reference"]), default="polars")
@click.option("--slice-start", help="ISO-8601, UTC; records before it are rejected.")
@click.option("--slice-end", help="ISO-8601, UTC; records from it on are rejected.")
@click.option("--mini-batch-id", help="Default: the name of the input.")
@click.option("--run-id", help="Default: made up.")
@click.option("--json", "as_json", is_flag=True, help="Print what the run did as JSON.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
@click.pass_obj
def run(stopping: Stopping, /, as_json: bool, quiet: bool, output: str, **options: Any) -> None:
    """Build the deltas of one mini-batch and publish them."""
    from rich.console import Console

    from ndr_core.errors import after_publication
    from ndr_core.manifest import summary
    from ndr_entrypoints import console
    from ndr_entrypoints.run import run_job

    done = run_job(
        source=options.pop("input_"),
        target=output,
        quiet=quiet,
        only_notices=as_json,
        undisturbed=stopping.undisturbed,
        **options,
    )
    with after_publication("what it did could not be shown"):
        if as_json:
            console.print_json({**summary(done.manifest), "seconds": round(done.seconds, 3)})
        elif not quiet:
            console.print_run(Console(), done, output)


@main.command()
@click.argument("output")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def inspect(output: str, as_json: bool) -> None:
    """Show what an output holds: slices, roles, hosts, quality of its runs."""
    from rich.console import Console

    from ndr_adapters.polars.inspection import inspect_output
    from ndr_entrypoints import console

    found = inspect_output(output)
    if as_json:
        console.print_json(found)
        return
    screen = Console()
    console.print_mapping(screen, "Slices", found["slices"])
    console.print_mapping(screen, "Roles", found["roles"])
    console.print_mapping(screen, "Busiest hosts", found["busiest_hosts"])
    for run_quality in found["quality"]:
        console.print_facts(screen, "Quality", run_quality)


@main.command()
@click.option(
    "--spec", "spec_file", type=PATH, help="JobSpec whose measures and port sets to show."
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def schema(spec_file: Path | None, as_json: bool) -> None:
    """Print the canonical flow record and the columns of the output tables."""
    from rich.console import Console

    from ndr_entrypoints import console
    from ndr_entrypoints.schemas import schemas

    tables = schemas(_spec_of(spec_file))
    if as_json:
        console.print_json(tables)
        return
    screen = Console()
    for name, columns in tables.items():
        console.print_mapping(screen, name, columns)


def _spec_of(file: Path | None) -> JobSpec:
    from ndr_adapters.local.spec_file import JobSpecFile
    from ndr_core.spec_reader import parse_job_spec

    if file is not None:
        return JobSpecFile(file).load()
    return parse_job_spec({"project_name": "default", "input": {"preset": "paloalto"}})


@main.command()
@click.option("--records", type=int, required=True, help="Records to make.")
@click.option("--output", type=PATH, required=True, help="New folder for the files.")
@click.option("--seed", type=int, default=0, show_default=True, help="Same seed, same bytes.")
@click.option("--files", type=int, default=8, show_default=True, help="Gzip files to make.")
@click.option(
    "--bad-fraction", type=float, default=0.0, show_default=True, help="Share of bad ones."
)
@click.option("--hosts", type=int, default=_DEFAULT_SYNTHETIC.hosts, show_default=True)
@click.option("--peers", type=int, default=_DEFAULT_SYNTHETIC.peers, show_default=True)
@click.option("--slice-start", default="2025-03-01T10:00:00Z", show_default=True)
@click.option("--slice-end", default="2025-03-01T10:15:00Z", show_default=True)
@click.option("--quiet", is_flag=True, help="Print errors only.")
def generate(
    output: Path, files: int, slice_start: str, slice_end: str, quiet: bool, **numbers: Any
) -> None:
    """Make a synthetic mini-batch of Palo Alto style records."""
    from rich.progress import Progress

    from ndr_adapters.synthetic.write import write_synthetic

    batch = SyntheticBatch(
        start_us=parse_bound(slice_start, "slice-start"),
        end_us=parse_bound(slice_end, "slice-end"),
        **numbers,
    )
    with Progress(console=_errors(), disable=quiet or not sys.stderr.isatty()) as progress:
        task = progress.add_task("generating", total=batch.records)
        paths = write_synthetic(batch, output, files, lambda n: progress.advance(task, n))
    if not quiet:
        size = sum(path.stat().st_size for path in paths)
        click.echo(
            f"{output}: {batch.records:,} records, {len(paths)} files, {size:,} bytes", err=True
        )


def _errors() -> Console:
    from rich.console import Console

    return Console(stderr=True)


if __name__ == "__main__":
    main()
