"""`ndr migrate`: an output of the version before, taken over."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from ndr_adapters.home import with_home
from ndr_adapters.local.migrate import migrate_folder
from ndr_adapters.polars.scan import columns_of
from ndr_core.publishing.location import S3Address, is_s3
from ndr_core.publishing.manifest import Manifest
from ndr_entrypoints.options import EXIT_CODES
from ndr_entrypoints.run_log import NoticesOnly


@click.command(epilog=EXIT_CODES)
@click.argument("output", help="Folder of an output, or s3://..")
def migrate(output: str) -> None:
    """Take over an output in which runs owned whole slices: each slice becomes a mini-batch.

    Files stay where they are. Its sessions lie in the slices of their start: new mini-batches of other slices need
    another feature_spec_version, or an output of their own. No run may be under way.
    """
    root, made = _in_s3(output) if is_s3(output) else _in_folder(with_home(output))
    slices = sum(len(manifest.slices()) for manifest in made)
    click.echo(f"{root}: {slices:,} slices are now those of {len(made):,} mini-batches")


def _in_folder(folder: Path) -> tuple[str, Sequence[Manifest]]:
    root = str(folder)
    return root, migrate_folder(folder, partial(columns_of, root), NoticesOnly().notice)


def _in_s3(output: str) -> tuple[str, Sequence[Manifest]]:
    # boto3 comes with an extra; who has a folder must do without it.
    from ndr_adapters.aws.clients import s3_client
    from ndr_adapters.s3.claims import ClaimLog
    from ndr_adapters.s3.migrate import migrate_output

    address = S3Address.parse(output, "output")
    root = str(address).rstrip("/")
    log = ClaimLog(s3_client(), address, NoticesOnly().notice)
    return root, migrate_output(log, partial(columns_of, root))
