"""`ndr inspect`: what an output holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import click
from rich.console import Console
from rich.markup import escape

from ndr_adapters.outputs import open_output
from ndr_adapters.polars.inspection import examples_of, inspect_output, summed_reports
from ndr_core.errors import UsageError, printable
from ndr_core.publishing.published import SliceRange
from ndr_core.times import parse_bound, to_datetime
from ndr_entrypoints import console
from ndr_entrypoints.options import AS_JSON, EXIT_CODES

_SIZES: Final = {"bytes_sent_sum": "sent", "bytes_recv_sum": "received"}


@click.command(epilog=EXIT_CODES)
@click.argument("output", help="Folder of an output, or s3://..")
@click.option("--since", help="ISO-8601, UTC: slices from then on only. Default: from the first.")
@click.option("--until", help="ISO-8601, UTC: slices before it only. Default: to the last.")
@click.option("--slices", "by_slice", is_flag=True, help="List slices instead of days.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=20,
    help="Most rows to show of each table, the last ones of a time; 0: all. JSON has all.",
)
@AS_JSON
def inspect(
    output: str, since: str | None, until: str | None, by_slice: bool, limit: int, as_json: bool
) -> None:
    """Show what an output holds: slices, roles, hosts, quality of its runs."""
    found = inspect_output(open_output(output), slice_range(since, until))
    if as_json:
        console.print_json(found)
        return
    screen = Console()
    times = found["slices" if by_slice else "days"]
    title = "Slices" if by_slice else "Days"
    left_out = ""
    if limit and len(times) > limit:
        left_out = f", the last {limit} of {len(times)}; --limit 0 shows all"
        times = times[-limit:]
    console.print_whole(screen, f"{title} by role{left_out}", [_shown(row) for row in times])
    console.print_whole(screen, "Roles", [_shown(row) for row in found["roles"]])
    hosts = found["busiest_hosts"][: limit or None]
    console.print_whole(screen, "Busiest hosts by role", [_shown(row) for row in hosts])
    rows = [
        {"outcome": escape(printable(name)), "records": count}
        for name, count in summed_reports(found["quality"]).items()
    ]
    console.print_whole(screen, "Quality of all runs", rows)
    console.print_examples(screen, examples_of(found["quality"]))
    unreadable = [
        f"{run['run_id']}: {name}: {value}"
        for run in found["quality"]
        for name, value in run.items()
        if name.startswith("unreadable ")
    ]
    for line in unreadable[: limit or None]:
        screen.print(line, markup=False, soft_wrap=True)
    if limit and len(unreadable) > limit:
        screen.print(f".. and {len(unreadable) - limit} more; --limit 0 shows all")
    screen.print("A session counts once in each role: for its source's host, its destination's.")


def slice_range(since: str | None, until: str | None) -> SliceRange:
    """Read the options --since and --until. Raises UsageError for a range that ends before it begins."""
    start = None if since is None else to_datetime(parse_bound(since, "since"))
    end = None if until is None else to_datetime(parse_bound(until, "until"))
    if start is not None and end is not None and start >= end:
        raise UsageError("until: must be later than since")
    return SliceRange(start, end)


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as people read it: one column for its time, short names, sizes in units."""
    shown: dict[str, Any] = {}
    if "hh" in row:
        shown["slice"] = f"{row['dt']} {row['hh']}:{row['mm']}"
    elif "dt" in row:
        shown["day"] = row["dt"]
    for key, name in (
        ("feature_spec_version", "spec"),
        ("host_ip", "host"),
        ("role", "role"),
        ("slices", "slices"),
        ("hosts", "hosts"),
        ("sessions_cnt", "sessions"),
    ):
        if key in row:
            shown[name] = row[key]
    return shown | {name: _Size(row[key]) for key, name in _SIZES.items() if key in row}


class _Size(int):
    """Bytes, shown in the unit that leaves four digits at most."""

    def __format__(self, _spec: str) -> str:
        size = float(self)
        for unit in ("B", "kB", "MB", "GB"):
            if size < 1000:
                return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
            size /= 1000
        return f"{size:,.1f} TB"
