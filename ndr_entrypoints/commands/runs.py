"""`ndr runs`: the published runs of an output."""

from __future__ import annotations

from typing import Any

import click
from rich.console import Console

from ndr_adapters.outputs import open_output
from ndr_core.publishing.manifest import Manifest
from ndr_core.tables.slices import place_start
from ndr_core.times import iso_text, to_datetime
from ndr_entrypoints import console
from ndr_entrypoints.commands.inspect import slice_range
from ndr_entrypoints.options import AS_JSON, EXIT_CODES


@click.command(epilog=EXIT_CODES)
@click.argument("output", help="Folder of an output, or s3://..")
@click.option(
    "--since", help="ISO-8601, UTC: runs with slices from then on. Default: from the first."
)
@click.option("--until", help="ISO-8601, UTC: runs with slices before it. Default: to the last.")
@AS_JSON
def runs(output: str, since: str | None, until: str | None, as_json: bool) -> None:
    """List the runs that count, in the order of publication."""
    span = slice_range(since, until)
    found = open_output(output).manifests(span.since, span.until)
    rows = [_row(manifest) for manifest in found]
    if as_json:
        console.print_json(rows)
        return
    shown = [
        {name: "" if value is None else value for name, value in row.items() if name in _SHOWN}
        | {"published_at": f"{to_datetime(manifest.published_at):%Y-%m-%d %H:%M:%S}"}
        for row, manifest in zip(rows, found, strict=True)
    ]
    console.print_whole(Console(), f"Runs: {len(rows):,}", shown)


_SHOWN = ("published_at", "job", "mini_batch", "first", "last", "slices", "rows", "kept")


def _row(manifest: Manifest) -> dict[str, Any]:
    facts = manifest.facts
    slices = manifest.slices()
    bounds = facts.bounds
    return {
        "published_at": iso_text(manifest.published_at),
        "spec": facts.feature_spec_version,
        "job": facts.job_name,
        "mini_batch": facts.mini_batch_id,
        "run_id": facts.run_id,
        "engine": facts.engine,
        "slice_start": None if bounds is None else iso_text(bounds.start),
        "slice_end": None if bounds is None else iso_text(bounds.end),
        "first": _time(slices[0]) if slices else "",
        "last": _time(slices[-1]) if slices else "",
        "slices": len(slices),
        "rows": sum(file.rows for file in manifest.files if file.slice is not None),
        "kept": None if facts.report is None else facts.report.kept,
        "files": len(manifest.files),
        "bytes": sum(file.bytes for file in manifest.files),
    }


def _time(slice_path: str) -> str:
    day, hour, minute = (part.partition("=")[2] for part in place_start(slice_path).split("/"))
    return f"{day} {hour}:{minute}"
