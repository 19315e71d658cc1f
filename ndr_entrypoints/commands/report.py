"""`ndr report`: what an output holds, as one page to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from ndr_adapters.outputs import open_output
from ndr_adapters.polars.report.reader import Asked, read_report
from ndr_adapters.report.page import render
from ndr_core.errors import SpecError, UsageError, shown
from ndr_core.flows.ip_address import canonical_ip
from ndr_core.publishing.layout import FEATURES, features_of
from ndr_core.times import parse_bound
from ndr_entrypoints.options import EXIT_CODES, PATH, QUIET, writing

_MOST: Final = 50


@click.command(epilog=EXIT_CODES)
@click.argument("output", help="Output of the deltas, a folder or s3://..")
@click.option(
    *("-o", "--output", "page"),
    type=PATH,
    required=True,
    help="File to write, such as report.html; one that is there is replaced.",
)
@click.option(
    "--features",
    help=f"Output of the features, a folder or s3://.. Default: the folder {FEATURES} in the output of the deltas, "
    "where there is one.",
)
@click.option(
    "--since",
    help="ISO-8601, UTC: slices from then on only. Default: 7 days before the end of the last one.",
)
@click.option("--until", help="ISO-8601, UTC: slices before it only. Default: to the last.")
@click.option(
    "--host",
    "hosts",
    multiple=True,
    help="Address of a host to show in detail, whatever its place; may be given again. Default: none, only the "
    "first ones of each ranking.",
)
@click.option(
    "--top",
    type=click.IntRange(1, _MOST),
    default=10,
    help="Hosts to list of each score.",
)
@QUIET
def report(
    output: str,
    page: Path,
    features: str | None,
    since: str | None,
    until: str | None,
    hosts: tuple[str, ...],
    top: int,
    quiet: bool,
) -> None:
    """Write one page to look at: quality, sessions, top hosts by score, hosts beside what is usual for them.

    The page needs no network. It has the first hosts of each score in detail, and says how many are left out.
    """
    start = None if since is None else parse_bound(since, "since")
    end = None if until is None else parse_bound(until, "until")
    if start is not None and end is not None and start >= end:
        raise UsageError("until: must be later than since")
    asked = Asked(start, end, tuple(map(_host, hosts)), top)
    found = read_report(
        open_output(output),
        open_output(features or features_of(output)),
        asked,
        must_have_features=features is not None,
    )
    text = render(found).encode()
    with writing(page):
        page.write_bytes(text)
    if not quiet:
        click.echo(f"{page}: {len(text):,} bytes; {found.hosts:,} hosts")


def _host(text: str) -> str:
    host = canonical_ip(text)
    if host is None:
        raise SpecError(f"host: {shown(text)} is no address such as 10.0.0.1 or 2001:db8::1")
    return host
