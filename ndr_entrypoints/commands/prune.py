"""`ndr prune`: slices that are older than a moment are removed."""

from __future__ import annotations

import click
from attrs import asdict

from ndr_adapters.outputs import keep_output, open_output
from ndr_core.baselines.needed import refuse_needed_summaries
from ndr_core.publishing.layout import FEATURES, features_of
from ndr_core.times import iso_text, parse_bound
from ndr_core.windows.horizon import refuse_needed
from ndr_entrypoints import console
from ndr_entrypoints.options import AS_JSON, EXIT_CODES, KMS_KEY
from ndr_entrypoints.run_log import NoticesOnly


@click.command(epilog=EXIT_CODES)
@click.argument("output", help="Folder of an output, or s3://..")
@click.option("--before", required=True, help="ISO-8601, UTC: slices that end by then.")
@click.option(
    "--features",
    help=f"Output of the features that are made of these deltas. Default: the folder {FEATURES} in the output.",
)
@click.option(
    "--force", is_flag=True, help="Remove slices that features may still be made of, too."
)
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and do nothing.")
@KMS_KEY
@AS_JSON
def prune(
    output: str,
    before: str,
    features: str | None,
    force: bool,
    dry_run: bool,
    kms_key: str | None,
    as_json: bool,
) -> None:
    """Remove old slices for good, with the manifests, quarantine and reports that belong to them.

    Runs without any slice go by the time of their publication, what stopped runs left in `failed/` by the age of its
    files. What comes later for the removed slices is not published. Slices are kept that the next features may be made
    of: of 30 days where there is a pair history. An output of features keeps the summaries that its next baselines may
    be made of: by default of 38 days.
    """
    moment = parse_bound(before, "before")
    kept = keep_output(output, kms_key)
    if not force:
        _refuse_needed(output, features, moment)
    removed = kept.prune(moment, NoticesOnly().notice, dry_run=dry_run)
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


def _refuse_needed(output: str, features: str | None, moment: int) -> None:
    """Raise UsageError where features need what would be removed. The output may itself be one of features."""
    for place in (features or features_of(output), output):
        tables = open_output(place)
        refuse_needed(tables.manifests(None, None), moment, tables.root)
    # Summaries stand for the deltas and windows that they are made of: only an output that holds them needs them.
    refuse_needed_summaries(tables.manifests(None, None), moment, tables.root)
