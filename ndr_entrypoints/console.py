"""What the command line prints: tables for people, JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from ndr_adapters.outputs import open_output
from ndr_adapters.polars.inspection import busiest_hosts
from ndr_core.deltas.job import RunSummary
from ndr_core.deltas.tables import DELTA
from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.published import PublishedRuns
from ndr_core.quality.report import QualityReport
from ndr_core.times import iso_text


def print_json(data: Any) -> None:
    """Machine-readable output, on standard output."""
    print(json.dumps(data, indent=2, default=str))


def print_json_list(items: Iterable[Any]) -> None:
    """Machine-readable output of many items, each printed as it comes."""
    between = "["
    for item in items:
        print(f"{between}\n{json.dumps(item, default=str)}", end="")
        between = ","
    print("[]" if between == "[" else "\n]")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A table; columns that hold numbers are flushed right."""
    made = Table(title=title, title_justify="left", title_style="bold")
    listed = [list(row) for row in rows]
    for number, name in enumerate(columns):
        numeric = any(isinstance(row[number], int | float) for row in listed)
        made.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in listed:
        made.add_row(*(_cell(value) for value in row))
    return made


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def print_run(console: Console, run: RunSummary, output: str) -> None:
    """What a run did."""
    print_report(console, run.report)
    print_rows(console, run.manifest)
    print_replaced(console, run)
    deltas = PublishedRuns(open_output(output).root, (run.manifest,)).files(DELTA)
    print_mapping(console, "Busiest hosts", busiest_hosts(deltas))
    console.print(f"{len(run.manifest.files)} files under {output} in {run.seconds:.1f} s:")
    for folder in _top_folders(run.manifest):
        console.print(f"  {output}/{folder}", soft_wrap=True)


def _top_folders(manifest: Manifest) -> list[str]:
    """Where the files are: one slice's folders, or the tables where there are several slices."""
    folders = sorted({file.folder for file in manifest.files})
    if len(manifest.slices()) <= 1:
        return folders
    return sorted({folder.partition("/dt=")[0] for folder in folders})


def print_report(console: Console, report: QualityReport) -> None:
    """Books of a run: read = kept + rejected."""
    rows: list[tuple[str, str, int]] = [("read", "", report.read), ("kept", "", report.kept)]
    rows += [(f"kept, {name}", "", count) for name, count in report.outside.items() if count]
    rows += [("rejected", rule, count) for rule, count in report.rejected_by_label.items()]
    rows += [("repaired", rule, count) for rule, count in report.repaired.items()]
    if report.blank_lines:
        rows.append(("blank lines", "", report.blank_lines))
    console.print(table("Records", ("outcome", "rule", "records"), rows))
    if report.unreadable_files:
        console.print(
            table("Files set aside", ("file", "what was wrong"), report.unreadable_files.items())
        )


def print_replaced(console: Console, run: RunSummary) -> None:
    """What was published of the same mini-batch before, beside what is now."""
    before = run.manifest.replaced
    if before is None:
        return
    kept = "" if before.kept is None else f"{before.kept:,} records in "
    console.print(
        f"replaces run {before.run_id} of {iso_text(before.published_at)}: {kept}{before.slices:,} slices before, "
        f"{run.report.kept:,} records in {len(run.manifest.slices()):,} slices now",
        soft_wrap=True,
    )


def print_rows(console: Console, manifest: Manifest) -> None:
    """Rows of both tables by role."""
    rows = [
        (name, role, count)
        for name in manifest.tables
        for role, count in sorted(manifest.rows(name).items())
    ]
    console.print(table("Rows", ("table", "role", "rows"), rows))


def print_whole(console: Console, title: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Rows as `print_mapping`, but no value is ever folded: a screen that is too narrow breaks the line."""
    made = _mapping_table(title, rows)
    if made is None:
        return
    made.box = box.SIMPLE_HEAD
    made.pad_edge = False
    for column in made.columns:
        column.no_wrap = True
    width = max(
        console.width,
        console.measure(made, options=console.options.update(max_width=10_000)).maximum,
    )
    console.width, width = width, console.width
    try:
        console.print(made, crop=False)
    finally:
        console.width = width


def print_mapping(console: Console, title: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Rows given as mappings, all with the keys of the first."""
    made = _mapping_table(title, rows)
    if made is not None:
        console.print(made)


def _mapping_table(title: str, rows: Iterable[Mapping[str, Any]]) -> Table | None:
    """A table of rows given as mappings; None without any."""
    listed = list(rows)
    if not listed:
        return None
    return table(title, list(listed[0]), (list(row.values()) for row in listed))
