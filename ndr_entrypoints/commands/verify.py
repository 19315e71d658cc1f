"""`ndr verify`: whether an output holds what its manifests say."""

from __future__ import annotations

import click
from attrs import asdict
from rich.console import Console

from ndr_adapters.outputs import open_output
from ndr_adapters.polars.scan import count_rows
from ndr_core.errors import NdrError
from ndr_core.publishing.verify import verify as verify_output
from ndr_entrypoints import console
from ndr_entrypoints.options import AS_JSON, EXIT_CODES


@click.command(epilog=EXIT_CODES)
@click.argument("output", help="Folder of an output, or s3://..")
@AS_JSON
def verify(output: str, as_json: bool) -> None:
    """Compare every live file with its manifest: size, SHA-256, rows. Reads all of them."""
    published = open_output(output)
    found = verify_output(published, lambda path: count_rows(published.root, path))
    if as_json:
        console.print_json(asdict(found))
    else:
        screen = Console()
        for finding in found.findings:
            screen.print(f"{finding.path}: {finding.problem}", markup=False, soft_wrap=True)
        screen.print(
            f"{found.runs:,} runs, {found.files:,} files, {found.rows:,} rows, {found.bytes:,} bytes: "
            f"{len(found.findings):,} found wrong"
        )
    if found.findings:
        raise NdrError(
            f"{published.root}: {len(found.findings):,} files are not what they should be"
        )
