"""`ndr ddl`: SQL by which other engines read an output."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import click
from attrs import evolve

from ndr_adapters.outputs import open_output
from ndr_core.ddl.dialects import DIALECTS, looked_at, page, refuse_uncounted
from ndr_core.ddl.query_table import query_table
from ndr_core.errors import UsageError
from ndr_core.publishing.location import is_s3
from ndr_core.publishing.published import PublishedRuns, WholeOutput, readable_runs
from ndr_entrypoints.options import EXIT_CODES


@click.command(epilog=EXIT_CODES)
@click.argument("dialect", type=click.Choice(tuple(DIALECTS)), help="Engine that is to read it.")
@click.argument("output", help="Folder of an output, of deltas or features, or s3://..")
def ddl(dialect: str, output: str) -> None:
    """Print the SQL that makes every table of an output queryable in another engine."""
    published = open_output(output)
    # Before the manifests: whatever is published meanwhile counts.
    listed = list(published.listed()) if DIALECTS[dialect].reads_folders else []
    names = sorted({name for one in published.manifests(None, None) for name in one.columns})
    if not names:
        raise UsageError(
            f"{published.root}: holds no tables; publish a run there first, or name the output of another one "
            "(that of features is by default the folder features of the deltas')"
        )
    runs = readable_runs(published, names)
    refuse_uncounted(dialect, published.root, _uncounted(published, listed, runs, names))
    # Engines may name a file by where it lies, not by the link that leads there.
    root = published.root if is_s3(published.root) else os.path.realpath(published.root)
    today = datetime.now(UTC).date()
    tables = [query_table(evolve(runs.files(name), root=root), today) for name in names]
    click.echo(page(dialect, root, tables), nl=False)


def _uncounted(
    published: WholeOutput, listed: list[str], runs: PublishedRuns, names: list[str]
) -> list[str]:
    """The files in the tables' folders that no manifest names, and that are still there."""
    counting = {file.path for name in names for file in runs.files(name).files}
    others = [path for path in listed if path not in counting and looked_at(path, names)]
    return sorted(published.sizes(others))
