"""`ndr aws`: what local work with AWS needs."""

from __future__ import annotations

import click

from ndr_adapters.spark.runtime.connector import fetch, jar_folder
from ndr_entrypoints.options import EXIT_CODES


@click.group()
def aws() -> None:
    """Work with S3 and DynamoDB from this machine."""


@aws.command(epilog=EXIT_CODES)
def jars() -> None:
    """Fetch the connector by which a local Spark reaches S3 (280 MB, checksums pinned)."""
    fetch(lambda text: click.echo(text, err=True))
    click.echo(f"{jar_folder()}: complete", err=True)


@aws.command(epilog=EXIT_CODES)
@click.option("--port", type=int, default=5000, help="Port to listen on; 0: any free one.")
@click.option("--bucket", default="ndr-local", help="Bucket to make.")
@click.option("--table", default="ndr-job-specs", help="Table of JobSpecs to make.")
def up(port: int, bucket: str, table: str) -> None:
    """Start stand-ins for S3 and DynamoDB on loopback, with JobSpecs and a mini-batch in them.

    They hold everything in memory and end with this command (Ctrl-C).
    """
    # moto comes with an extra; the help texts must do without it.
    from ndr_entrypoints.stand_ins import serve

    serve(port, bucket, table, click.echo)
