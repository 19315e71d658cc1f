"""The `ndr` command. Exit codes: 0 done, 1 the run failed, 2 wrong usage or configuration.

Engines are imported by the commands that need them: `ndr --help` starts at once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ndr_core.errors import NdrError
from ndr_core.input_mapping import PRESETS
from ndr_core.synthetic import SyntheticBatch
from ndr_core.times import parse_bound

if TYPE_CHECKING:
    from rich.console import Console

    from ndr_core.job_spec import JobSpec

_FOLDER = click.Path(path_type=Path)
_DEFAULT_SYNTHETIC = SyntheticBatch(records=0)


class _Group(click.Group):
    """Turns failures that a user can act on into one message and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (NdrError, OSError) as error:
            if ctx.params["debug"]:
                raise
            click.echo(f"ndr: {error}", err=True)
            ctx.exit(error.exit_code if isinstance(error, NdrError) else NdrError.exit_code)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ndr-delta-builder")
@click.option("--debug", is_flag=True, help="Show the stack trace of a failure.")
def main(debug: bool) -> None:
    """Per-host, per-role, 15-minute deltas of firewall and flow logs."""
    del debug  # read by the group


@main.command()
@click.option("--spec", type=_FOLDER, required=True, help="JobSpec file, YAML or JSON.")
@click.option("--input", "input_", required=True, help="Folder (or file) of JSON Lines, gzip.")
@click.option("--output", required=True, help="Folder to publish to.")
@click.option("--engine", type=click.Choice(["polars", "spark", "reference"]), default="polars")
@click.option("--slice-start", help="ISO-8601, UTC; records before it are rejected.")
@click.option("--slice-end", help="ISO-8601, UTC; records from it on are rejected.")
@click.option("--mini-batch-id", help="Default: the name of the input.")
@click.option("--run-id", help="Default: made up.")
@click.option("--json", "as_json", is_flag=True, help="Print what the run did as JSON.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
def run(as_json: bool, quiet: bool, output: str, **options: Any) -> None:
    """Build the deltas of one mini-batch and publish them."""
    from rich.console import Console

    from ndr_core.manifest import summary
    from ndr_entrypoints import console
    from ndr_entrypoints.run import run_job

    target = local_folder(output, "output")
    source = local_folder(options.pop("input_"), "input")
    done = run_job(source=source, target=target, quiet=quiet or as_json, **options)
    if as_json:
        console.print_json({**summary(done.manifest), "seconds": round(done.seconds, 3)})
    elif not quiet:
        console.print_run(Console(), done, target)


def local_folder(address: str, what: str) -> Path:
    """The folder that an address names; UsageError for other places."""
    from ndr_core.errors import UsageError

    scheme, separator, rest = address.partition("://")
    if not separator:
        return Path(address)
    if scheme == "file":
        return Path(rest)
    raise UsageError(f"{what} {address}: {scheme}:// is not supported; give a folder or file://")


@main.command()
@click.argument("output", type=_FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def inspect(output: Path, as_json: bool) -> None:
    """Show what an output holds: slices, roles, hosts, quality of its runs."""
    from rich.console import Console

    from ndr_entrypoints import console
    from ndr_entrypoints.inspection import inspect_output

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


@main.group()
def spec() -> None:
    """Write and check JobSpecs."""


@spec.command()
@click.argument("file", type=_FOLDER)
def check(file: Path) -> None:
    """Say whether a JobSpec is valid, and print it with all defaults."""
    import yaml

    from ndr_adapters.local.spec_file import JobSpecFile

    found = JobSpecFile(file).load()
    click.echo(yaml.safe_dump(found.to_plain(), sort_keys=False, allow_unicode=True), nl=False)
    click.echo(f"{file}: valid", err=True)


@spec.command()
@click.option(
    "--preset", type=click.Choice(list(PRESETS)), required=True, help="Format of the logs."
)
@click.option("--output", type=_FOLDER, help="File to write; default: standard output.")
def init(preset: str, output: Path | None) -> None:
    """Write a commented JobSpec to start from."""
    from ndr_core.errors import UsageError
    from ndr_entrypoints.spec_template import spec_template

    text = spec_template(preset)
    if output is None:
        click.echo(text, nl=False)
        return
    if output.exists():
        raise UsageError(f"{output}: is there already; remove it or choose another name")
    output.write_text(text)
    click.echo(f"{output}: written", err=True)


@main.command()
@click.option(
    "--spec", "spec_file", type=_FOLDER, help="JobSpec whose measures and port sets to show."
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
@click.option("--output", type=_FOLDER, required=True, help="New folder for the files.")
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

    from ndr_adapters.local.generate import write_synthetic

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
