"""`ndr migrate`: an output of the version before, taken over."""

from __future__ import annotations

from functools import partial

import click

from ndr_adapters.outputs import keep_output
from ndr_adapters.polars.scan import columns_of
from ndr_entrypoints.options import EXIT_CODES, KMS_KEY
from ndr_entrypoints.run_log import NoticesOnly


@click.command(epilog=EXIT_CODES)
@click.argument("output", help="Folder of an output, or s3://..")
@KMS_KEY
def migrate(output: str, kms_key: str | None) -> None:
    """Take over an output in which runs owned whole slices: each slice becomes a mini-batch.

    Files stay where they are. Its sessions lie in the slices of their start: new mini-batches of other slices need
    another feature_spec_version, or an output of their own. No run may be under way.
    """
    kept = keep_output(output, kms_key)
    root = kept.tables.root
    made = kept.migrate(partial(columns_of, root), NoticesOnly().notice)
    slices = sum(len(manifest.slices()) for manifest in made)
    click.echo(f"{root}: {slices:,} slices are now those of {len(made):,} mini-batches")
