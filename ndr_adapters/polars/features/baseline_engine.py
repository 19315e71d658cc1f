"""The Polars engine of baselines: published summaries, and the baselines of the date before -> staged tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Final

import polars as pl
from attrs import field, frozen

from ndr_adapters.full_disk import full_disk_named
from ndr_adapters.interruptible import interruptible
from ndr_adapters.polars.features.baseline_files import BaselineFiles
from ndr_adapters.polars.features.baseline_frames import SEGMENT, BaselineFrames, HorizonDates
from ndr_adapters.polars.features.baseline_kernel import BaselineShare
from ndr_adapters.polars.features.baseline_scopes import Used, scope_tables
from ndr_adapters.polars.features.networks import segments
from ndr_adapters.polars.features.unreadable import unreadable_named
from ndr_adapters.polars.write import HISTOGRAMS, StagingRoot, write_named
from ndr_core.baselines import tables
from ndr_core.baselines.engine import BaselineInputs
from ndr_core.baselines.plan import BaselinePlan
from ndr_core.baselines.tables import BASELINE, BASELINE_ROWS
from ndr_core.tables.table import Table

BYTES_AT_ONCE: Final = 64 << 20
"""Bytes of files of histograms of which a share of the hosts is made: it takes some twenty times as much memory."""


@frozen
class PolarsBaselineEngine:
    """Makes baselines on one machine, a share of the hosts at a time: a `BaselineEngine`.

    `storage_options`: how Polars reaches S3, where the output lies there.
    """

    name: ClassVar[str] = "polars"
    storage_options: dict[str, Any] = field(factory=dict)
    bytes_at_once: int = BYTES_AT_ONCE

    def build(
        self, plan: BaselinePlan, inputs: BaselineInputs, staging_root: str
    ) -> Mapping[str, int]:
        staging = StagingRoot(staging_root, self.storage_options)
        files = BaselineFiles.of(plan, inputs)
        dates = HorizonDates.of(inputs.horizons)
        shares = max(1, -(-files.bytes // self.bytes_at_once))
        outputs = [inputs.summaries, *(one.former for one in inputs.horizons)]
        with full_disk_named(staging_root), unreadable_named(*outputs):
            built = _Build(files.frames(), plan, dates, staging)
            return interruptible(partial(built.staged, shares))


@frozen
class _Build:
    """One build: files are staged as they are made."""

    frames: BaselineFrames
    plan: BaselinePlan
    dates: Sequence[HorizonDates]
    staging: StagingRoot

    def staged(self, shares: int) -> Mapping[str, int]:
        """Build one share of the hosts after the other. Gives the staged files with their rows."""
        files: dict[str, int] = {}
        waiting = Used.of([], [], self.plan)
        of_network = waiting
        for number, share in enumerate(self._shares(shares)):
            used = self._build(share.hosts, number, waiting, files)
            is_whole = pl.col(SEGMENT).is_in(share.segments)
            whole, waiting = used.where(is_whole), used.where(~is_whole)
            self._write_scope(whole, tables.SEGMENT, f"segments-{number:05}", files)
            of_segments = whole.network(self.plan)
            of_network = Used.of(
                [of_network.rows, of_segments.rows],
                [of_network.changes, of_segments.changes],
                self.plan,
            )
        self._write_scope(of_network, tables.NETWORK, "network", files)
        return files

    def _shares(self, count: int) -> Iterator[_Share]:
        """Cut the hosts, in the order of their addresses, into shares of some rows each."""
        rows = [frame.select("host_ip") for frame in (self.frames.rows, self.frames.former_rows)]
        hosts = pl.concat(rows).group_by("host_ip").len("rows").collect(engine="streaming")
        ordered = hosts.sort("host_ip").with_columns(pl.col("rows").cast(pl.Int64))
        before = pl.col("rows").cum_sum() - pl.col("rows")
        of_segment = segments(ordered.get_column("host_ip"), self.plan.networks)
        placed = ordered.select(
            "host_ip",
            (before * count // pl.col("rows").sum()).alias("share"),
            of_segment.alias(SEGMENT),
        )
        last = placed.group_by(SEGMENT).agg(pl.max("share"))
        for part in placed.partition_by("share", maintain_order=True):
            first = part.get_column("host_ip")
            whole = last.filter(pl.col("share") == part.item(0, "share"))
            yield _Share(first[0], first[-1], tuple(whole.get_column(SEGMENT)))

    def _build(self, hosts: pl.Expr, number: int, waiting: Used, files: dict[str, int]) -> Used:
        """Stage the tables of a share of the hosts. Gives what they use, and what others do that wait for it."""
        frames = self.frames.where(hosts)
        share = BaselineShare.of(frames, self.plan, self.dates)
        name = f"part-{number:05}"
        files |= write_named(share.rows(), BASELINE_ROWS, self.staging, name)
        changes = [waiting.changes]
        for of_folder in frames.cells:
            found, used = share.baselines(of_folder)
            files |= write_named(found, BASELINE, self.staging, name, HISTOGRAMS)
            changes.append(used)
        return Used.of([waiting.rows, share.used_rows()], changes, self.plan)

    def _write_scope(self, used: Used, scope: str, name: str, files: dict[str, int]) -> None:
        """Stage the tables of segments, or of the network."""
        of_tables: tuple[Table, Table] = (BASELINE, BASELINE_ROWS)
        made = scope_tables(used, scope, self.plan, self.frames.former_scopes)
        for table, rows in zip(of_tables, made, strict=True):
            files |= write_named(rows, table, self.staging, name, HISTOGRAMS)


@frozen
class _Share:
    """A share of the hosts."""

    first: str
    last: str
    segments: tuple[str, ...]
    """Those whose last host is in it."""

    @property
    def hosts(self) -> pl.Expr:
        """Whether a host is in it, over `host_ip`."""
        return pl.col("host_ip").is_between(pl.lit(self.first), pl.lit(self.last))
