"""`ndr catalog`: what there is to say of each column, for people, for programs, for feature stores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from ndr_core.baselines.metrics import METRICS
from ndr_core.catalog.entries import Entry, TableEntries, entries_of
from ndr_core.catalog.feature_store import FeatureGroup, long_groups, wide_groups
from ndr_core.catalog.page import page
from ndr_core.catalog.tables import feature_tables_of, tables_of
from ndr_core.correlations.tables import FG_C
from ndr_core.errors import UsageError
from ndr_core.tables.table import Table
from ndr_core.windows.labels import DEFAULT_LABELS
from ndr_core.windows.tables import BEACON, FG_A
from ndr_core.windows.wide import WIDE_FG_A
from ndr_entrypoints import console
from ndr_entrypoints.commands.schema import SPEC, spec_of
from ndr_entrypoints.options import AS_JSON, EXIT_CODES

_GROUPED: Final = (FG_A, BEACON.name, FG_C, WIDE_FG_A)
"""Tables that make feature groups: those with a row for the end of a window."""


@click.command(epilog=EXIT_CODES)
@SPEC
@click.option(
    "--table",
    metavar="NAME",
    help=f"Table to show, such as {FG_A} or {FG_C}. Default: all of them.",
)
@AS_JSON
@click.option("--markdown", "as_markdown", is_flag=True, help="Print as a page of Markdown.")
@click.option(
    "--feature-store",
    "as_groups",
    is_flag=True,
    help=f"Print feature groups of SageMaker Feature Store as JSON: of {', '.join(_GROUPED)}.",
)
def catalog(
    spec_file: Path | None, table: str | None, as_json: bool, as_markdown: bool, as_groups: bool
) -> None:
    """Print of each column of features its meaning, formula, unit, type, inputs, and where it is null."""
    if as_markdown and (as_json or as_groups):
        raise UsageError(
            "--markdown: can't be given with --json or --feature-store, which print JSON"
        )
    spec = spec_of(spec_file)
    tables = {one.name: one for one in (*tables_of(spec), *feature_tables_of(spec))}
    if as_groups:
        groups = _groups(tables, _GROUPED if table is None else (_known(table, _GROUPED),))
        console.print_json([one.plain() for one in groups])
        return
    entries = entries_of(tables.values())
    if table is not None:
        entries = {table: entries[_known(table, entries)]}
    if as_json:
        console.print_json([one.plain() for one in entries.values()])
    elif as_markdown:
        click.echo(page(entries, METRICS), nl=False)
    else:
        _print(Console(), entries)


def _known(name: str, names: Iterable[str]) -> str:
    if name not in names:
        raise UsageError(f"--table: {name!r} is none of {', '.join(names)}")
    return name


def _groups(tables: Mapping[str, Table], names: Iterable[str]) -> list[FeatureGroup]:
    found: list[FeatureGroup] = []
    for name in names:
        if name == WIDE_FG_A:
            found += wide_groups(tables[FG_A], [label.name for label in DEFAULT_LABELS])
        else:
            found += long_groups(tables[name])
    return found


def _print(screen: Console, entries: Mapping[str, TableEntries]) -> None:
    for name, table in entries.items():
        screen.print(f"{name}: one row for each {', '.join(table.keys)}", style="bold")
        for entry in table.columns:
            _print_entry(screen, entry)
        if table.numbers:
            screen.print(f"Numbers that formulas of {name} read and no column holds", style="bold")
        for entry in table.numbers:
            _print_entry(screen, entry)


def _print_entry(screen: Console, entry: Entry) -> None:
    null = f"; null {entry.null}" if entry.null else ""
    made_of = f"  [{', '.join(entry.inputs)}]" if entry.inputs else ""
    for text in (
        f"  {entry.name} ({entry.type}, {entry.unit}): {entry.meaning}{null}",
        f"    = {entry.formula}{made_of}",
    ):
        screen.print(text, markup=False, highlight=False, soft_wrap=True)
