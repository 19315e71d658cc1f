"""`ndr migrate`: an output of the version before, taken over."""

from __future__ import annotations

from functools import partial

import click

from ndr_adapters.home import with_home
from ndr_adapters.local.migrate import migrate_folder
from ndr_adapters.polars.scan import columns_of
from ndr_core.errors import UsageError
from ndr_core.publishing.location import is_s3
from ndr_entrypoints.options import EXIT_CODES
from ndr_entrypoints.run_log import NoticesOnly


@click.command(epilog=EXIT_CODES)
@click.argument("output", help="Folder of an output.")
def migrate(output: str) -> None:
    """Take over an output in which runs owned whole slices: each slice becomes a mini-batch.

    Files stay where they are. Its sessions lie in the slices of their start: new mini-batches of other slices need
    another feature_spec_version, or an output of their own.
    """
    if is_s3(output):
        raise UsageError(
            f"output {output}: only folders can be taken over; copy it to a folder, migrate that, and copy it back"
        )
    folder = with_home(output)
    made = migrate_folder(folder, partial(columns_of, str(folder)), NoticesOnly().notice)
    slices = sum(len(manifest.slices()) for manifest in made)
    click.echo(f"{folder}: {slices:,} slices are now those of {len(made):,} mini-batches")
