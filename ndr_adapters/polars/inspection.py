"""What an output holds, as JSON-ready rows.

A session is seen in each role: from its source's host as outbound, from its destination's as inbound. Sums are
therefore of one role each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import polars as pl

from ndr_adapters.polars.published import scan_files
from ndr_core.deltas.tables import DELTA, PAIR
from ndr_core.errors import UsageError
from ndr_core.publishing.manifest import Manifest, RunFacts
from ndr_core.publishing.published import (
    PublishedFiles,
    PublishedRuns,
    PublishedTables,
    SliceRange,
    readable_runs,
)
from ndr_core.quality.report import QualityReport
from ndr_core.quality.rules import NOT_SELECTED

BUSIEST = 10
_EXAMPLE: Final = "example of "
_SUMS = ("sessions_cnt", "bytes_sent_sum", "bytes_recv_sum")
_DAY = ("feature_spec_version", "dt", "role")
_SLICE = ("feature_spec_version", "dt", "hh", "mm", "role")


def inspect_output(
    published: PublishedTables, slices: SliceRange | None = None
) -> dict[str, list[dict[str, Any]]]:
    """Give totals by slice, by day and by role, the busiest hosts, and the quality reports of published runs.

    `slices`: those to look at, and the runs that published some of them. Raises UsageError where nothing is
    published, NdrError where manifests or files are damaged.
    """
    runs = readable_runs(published, [DELTA, PAIR.name], slices)
    if not runs.manifests:
        raise UsageError(f"{published.root}: holds no published run")
    files = runs.files(DELTA)
    return {
        **_all_totals(files),
        "busiest_hosts": busiest_hosts(files),
        "quality": [
            _quality(facts, facts.report)
            for manifest in _in_range(runs)
            for facts in (run.facts for run in manifest.runs or (manifest,))
            if facts.report is not None
        ],
    }


def busiest_hosts(files: PublishedFiles) -> list[dict[str, Any]]:
    """Give the hosts with most sessions in these files of the delta table, by role."""
    if not files.by_run:
        return []
    totals = _summed(scan_files(files), ("host_ip", "role"))
    sessions = [name for name in ("sessions_cnt",) if name in totals.collect_schema()]
    order = [*sessions, "host_ip", "role"]
    descending = [name in sessions for name in order]
    return totals.sort(order, descending=descending).head(BUSIEST).collect().to_dicts()


def summed_reports(quality: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Add up the counts of several runs' quality reports."""
    sums = {"runs": 0}
    for report in quality:
        sums["runs"] += 1
        for name, count in report.items():
            if isinstance(count, int):
                sums[name] = sums.get(name, 0) + count
    return sums


def examples_of(quality: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Give the beginning of a rejected record by rule, detail or field, from the first report that has one."""
    found: dict[str, str] = {}
    for report in quality:
        for name, text in report.items():
            if name.startswith(_EXAMPLE):
                found.setdefault(name.removeprefix(_EXAMPLE), text)
    return found


def _in_range(runs: PublishedRuns) -> list[Manifest]:
    """The runs that published a slice of the range; all of them where it has no bounds."""
    if runs.slices == SliceRange():
        return list(runs.manifests)
    return [run for run in runs.manifests if any(map(runs.slices.holds, run.slices()))]


def _all_totals(files: PublishedFiles) -> dict[str, list[dict[str, Any]]]:
    """Totals by slice, by day and by role. `rows`: those of the merged table, however many runs contributed to one."""
    if not files.by_run:
        return {"slices": [], "days": [], "roles": []}
    deltas = scan_files(files)
    hosts = pl.n_unique("host_ip").cast(pl.Int64).alias("hosts")
    # A slice has one row for each host and role.
    rows = deltas.group_by(_SLICE).agg(hosts.alias("rows")).collect().lazy()
    slice_count = pl.struct("hh", "mm").n_unique().alias("slices")

    def totals(keys: Sequence[str], *counts: pl.Expr) -> list[dict[str, Any]]:
        found = deltas.group_by(keys).agg(*counts, hosts)
        for more in (rows.group_by(keys).agg(pl.sum("rows")), _summed(deltas, keys)):
            found = found.join(more, on=keys)
        return found.sort(keys).collect().to_dicts()

    return {
        "slices": totals(_SLICE),
        "days": totals(_DAY, slice_count),
        "roles": totals(("role",)),
    }


def _summed(deltas: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
    """Sums of the columns that the spec's choice of measures left in; 128 bits, as slices add up."""
    known = deltas.collect_schema()
    sums = (pl.col(name).cast(pl.Int128).sum() for name in _SUMS if name in known)
    return deltas.group_by(keys).agg(sums)


def _quality(facts: RunFacts, report: QualityReport) -> dict[str, Any]:
    return {
        "mini_batch_id": facts.mini_batch_id,
        "run_id": facts.run_id,
        "engine": facts.engine,
        "read": report.read,
        "kept": report.kept,
        **{f"kept, {name}": count for name, count in report.outside.items() if count},
        **({f"skipped {NOT_SELECTED}": report.skipped} if report.skipped else {}),
        **{f"rejected {rule}": count for rule, count in report.rejected_by_label.items() if count},
        **{f"repaired {rule}": count for rule, count in report.repaired.items() if count},
        **{
            f"unknown {name}: {value}": count
            for name, values in report.unknown.items()
            for value, count in values.items()
        },
        **{f"{_EXAMPLE}{label}": text for label, text in report.examples.items()},
        **{f"unreadable {name}": problem for name, problem in report.unreadable_files.items()},
    }
