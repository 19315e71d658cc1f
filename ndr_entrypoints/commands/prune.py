"""`ndr prune`: slices that are older than a moment are removed."""

from __future__ import annotations

import click
from attrs import asdict

from ndr_adapters.home import with_home
from ndr_adapters.local.prune import prune_folder
from ndr_core.publishing.location import S3Address, is_s3
from ndr_core.publishing.pruning import Removed
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
    """Remove old slices for good, with the runs that have no others: their manifests, quarantine and reports.

    Runs without any slice go by the time of their publication, what stopped runs left in `failed/` by the age of its
    files. What comes later for the removed slices is not published.
    """
    moment = parse_bound(before, "before")
    removed = _prune(output, moment, dry_run=dry_run)
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


def _prune(output: str, before: int, *, dry_run: bool) -> Removed:
    notice = NoticesOnly().notice
    if not is_s3(output):
        return prune_folder(with_home(output), before, notice, dry_run=dry_run)
    # boto3 comes with an extra; who has a folder must do without it.
    from ndr_adapters.aws.clients import s3_client
    from ndr_adapters.s3.claims import ClaimLog
    from ndr_adapters.s3.prune import prune_output

    log = ClaimLog(s3_client(), S3Address.parse(output, "output"), notice)
    return prune_output(log, before, dry_run=dry_run)
