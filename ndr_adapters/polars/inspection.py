"""What an output holds, as JSON-ready rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from ndr_adapters.polars.published import scan_files
from ndr_core.deltas.tables import DELTA, PAIR
from ndr_core.errors import UsageError
from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.published import PublishedFiles, PublishedTables, readable_runs

BUSIEST = 10
_SUMS = ("sessions_cnt", "bytes_sent_sum", "bytes_recv_sum")
_SLICE = ("feature_spec_version", "dt", "hh", "mm")


def inspect_output(published: PublishedTables) -> dict[str, list[dict[str, Any]]]:
    """Slices, totals by role, busiest hosts and quality reports of the published runs.

    Raises UsageError where nothing is published, NdrError where manifests or files are damaged.
    """
    runs = readable_runs(published, [DELTA, PAIR.name])
    if not runs.manifests:
        raise UsageError(f"{published.root}: holds no published run")
    files = runs.files(DELTA)
    deltas = scan_files(files)
    return {
        "slices": _totals(deltas, _SLICE) if files.by_run else [],
        "roles": _totals(deltas, ("role",)) if files.by_run else [],
        "busiest_hosts": busiest_hosts(files),
        "quality": [_quality(manifest) for manifest in runs.manifests],
    }


def busiest_hosts(files: PublishedFiles) -> list[dict[str, Any]]:
    """The hosts with most sessions in these files of the delta table, by role."""
    if not files.by_run:
        return []
    totals = _summed(scan_files(files), ("host_ip", "role"))
    order = ["sessions_cnt", "host_ip", "role"]
    return totals.sort(order, descending=[True, False, False]).head(BUSIEST).collect().to_dicts()


def _totals(deltas: pl.LazyFrame, keys: Sequence[str]) -> list[dict[str, Any]]:
    hosts = deltas.group_by(keys).agg(pl.n_unique("host_ip").alias("hosts"), pl.len().alias("rows"))
    return hosts.join(_summed(deltas, keys), on=keys).sort(keys).collect().to_dicts()


def _summed(deltas: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
    """Sums of the columns that the spec's choice of measures left in; 128 bits, as slices add up."""
    known = deltas.collect_schema()
    sums = (pl.col(name).cast(pl.Int128).sum() for name in _SUMS if name in known)
    return deltas.group_by(keys).agg(sums)


def _quality(manifest: Manifest) -> dict[str, Any]:
    facts, report = manifest.facts, manifest.facts.report
    assert report is not None, "each run of a delta job has a report"
    return {
        "mini_batch_id": facts.mini_batch_id,
        "run_id": facts.run_id,
        "engine": facts.engine,
        "read": report.read,
        "kept": report.kept,
        **{f"rejected {rule}": count for rule, count in report.rejected.items() if count},
        **{f"repaired {rule}": count for rule, count in report.repaired.items() if count},
        **{f"unreadable {name}": problem for name, problem in report.unreadable_files.items()},
    }
