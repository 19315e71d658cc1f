"""`ndr inspect`: what an output holds."""

from __future__ import annotations

import click
from rich.console import Console

from ndr_adapters.outputs import open_output
from ndr_adapters.polars.inspection import inspect_output
from ndr_entrypoints import console


@click.command()
@click.argument("output")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def inspect(output: str, as_json: bool) -> None:
    """Show what an output holds: slices, roles, hosts, quality of its runs."""
    found = inspect_output(open_output(output))
    if as_json:
        console.print_json(found)
        return
    screen = Console()
    console.print_mapping(screen, "Slices", found["slices"])
    console.print_mapping(screen, "Roles", found["roles"])
    console.print_mapping(screen, "Busiest hosts", found["busiest_hosts"])
    for run_quality in found["quality"]:
        console.print_facts(screen, "Quality", run_quality)
