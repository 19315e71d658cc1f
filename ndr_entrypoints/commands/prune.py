"""`ndr prune`: slices that are older than a moment are removed."""

from __future__ import annotations

import click
from attrs import asdict

from ndr_adapters.outputs import keep_output
from ndr_core.times import iso_text, parse_bound
from ndr_entrypoints import console
from ndr_entrypoints.options import AS_JSON, EXIT_CODES
from ndr_entrypoints.run_log import NoticesOnly


@click.command(epilog=EXIT_CODES)
@click.argument("output", help="Folder of an output, or s3://..")
@click.option("--before", required=True, help="ISO-8601, UTC: slices that end by then.")
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and do nothing.")
@AS_JSON
def prune(output: str, before: str, dry_run: bool, as_json: bool) -> None:
    """Remove old slices for good, with the manifests, quarantine and reports that belong to them.

    Runs without any slice go by the time of their publication, what stopped runs left in `failed/` by the age of its
    files. What comes later for the removed slices is not published.
    """
    moment = parse_bound(before, "before")
    removed = keep_output(output).prune(moment, NoticesOnly().notice, dry_run=dry_run)
    if as_json:
        firsts = {version: iso_text(first) for version, first in removed.firsts.items()}
        console.print_json({**asdict(removed), "firsts": firsts, "dry_run": dry_run})
        return
    verb = "would be removed" if dry_run else "removed"
    click.echo(
        f"{removed.slices:,} slices, {removed.files:,} files, {removed.bytes:,} bytes, {removed.runs:,} manifests, "
        f"{removed.failed:,} stopped runs {verb}"
    )
    for version, first in removed.firsts.items():
        click.echo(f"{version}: slices from {iso_text(first)} on stay")
