"""`ndr compact`: whole days of an output made into one set of files each."""

from __future__ import annotations

from datetime import UTC

import click
from rich.console import Console

from ndr_core.publishing.compaction import Day
from ndr_core.publishing.manifest import Manifest
from ndr_core.times import now_us, parse_bound, to_datetime
from ndr_entrypoints import console
from ndr_entrypoints.compacting import compactor_of
from ndr_entrypoints.options import AS_JSON, EXIT_CODES, KMS_KEY
from ndr_entrypoints.run_log import NoticesOnly
from ndr_entrypoints.stopping import Stopping


@click.command(epilog=EXIT_CODES)
@click.argument("output", help="Folder of an output, or s3://..")
@click.option(
    "--before",
    help="ISO-8601, UTC: whole days that end by then. Default: up to the end of yesterday.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be compacted, and do nothing.")
@KMS_KEY
@AS_JSON
@click.pass_obj
def compact(
    stopping: Stopping,
    /,
    output: str,
    before: str | None,
    dry_run: bool,
    kms_key: str | None,
    as_json: bool,
) -> None:
    """Make one set of files and one manifest of each whole UTC day.

    Rows stay as they are read. Mini-batches of a compacted day can't be run again; later ones still add to it.
    """
    moment = now_us() if before is None else parse_bound(before, "before")
    compactor = compactor_of(output, NoticesOnly().notice, stopping.undisturbed, kms_key)
    until = to_datetime(moment).astimezone(UTC)
    if dry_run:
        _show([_of_day(day) for day in compactor.days(until)], as_json, "Would be compacted")
        return
    _show([_of_manifest(made) for made in compactor.run(until)], as_json, "Compacted")


def _show(rows: list[dict[str, object]], as_json: bool, title: str) -> None:
    if as_json:
        console.print_json(rows)
    elif rows:
        console.print_whole(Console(), title, rows)
    else:
        click.echo("no day is to be compacted")


def _of_day(day: Day) -> dict[str, object]:
    files = [
        file
        for manifest in day.manifests
        for file in manifest.files
        if file.slice is not None and file.slice.startswith(f"dt={day.date}/")
    ]
    return {
        "day": day.date,
        "spec": day.version,
        "contributions": len(day.contributions),
        "runs": len(day.manifests),
        "files": len(files),
        "bytes": sum(file.bytes for file in files),
    }


def _of_manifest(manifest: Manifest) -> dict[str, object]:
    files = [file for file in manifest.files if file.slice is not None]
    return {
        "day": manifest.day,
        "spec": manifest.facts.feature_spec_version,
        "contributions": len(manifest.contributions),
        "slices": len(manifest.slices()),
        "rows": sum(file.rows for file in files),
        "files": len(files),
        "bytes": sum(file.bytes for file in files),
    }
