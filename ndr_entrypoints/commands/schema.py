"""`ndr schema`: the columns of the tables."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click
from rich.console import Console

from ndr_adapters.local.spec_file import JobSpecFile
from ndr_core.catalog.schema import describe, markdown
from ndr_core.deltas.spec import JobSpec
from ndr_core.deltas.spec_reader import parse_job_spec
from ndr_entrypoints import console
from ndr_entrypoints.options import AS_JSON, EXIT_CODES, PATH

SPEC: Final = click.option(
    *("--spec", "spec_file"),
    type=PATH,
    help="JobSpec whose measures and port sets to show. Default: one with all of them.",
)


@click.command(epilog=EXIT_CODES)
@SPEC
@AS_JSON
@click.option("--markdown", "as_markdown", is_flag=True, help="Print as a page of Markdown.")
def schema(spec_file: Path | None, as_json: bool, as_markdown: bool) -> None:
    """Print the canonical flow record and the columns of the output tables."""
    tables = describe(spec_of(spec_file))
    if as_json:
        console.print_json(tables)
        return
    if as_markdown:
        click.echo(markdown(tables), nl=False)
        return
    screen = Console()
    for name, columns in tables.items():
        console.print_mapping(screen, name, columns)


def spec_of(file: Path | None) -> JobSpec:
    """Read a JobSpec of deltas; without a file give one that has all measures."""
    if file is not None:
        return JobSpecFile(file).load()
    return parse_job_spec({"project_name": "default", "input": {"preset": "paloalto"}})
