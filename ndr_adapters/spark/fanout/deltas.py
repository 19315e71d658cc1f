"""The delta builder as a chain of kernels: one exchange, one more with deduplication, one more with pairing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.full_disk import full_disk_named
from ndr_adapters.polars import aggregate, pairing, quality
from ndr_adapters.polars.addresses import Addresses
from ndr_adapters.polars.overflow import overflows
from ndr_adapters.polars.partial import (
    SUMS,
    host_keys,
    numbered_columns,
    overflowing_sums,
    pair_keys,
    partial_results,
    whole_hosts,
    whole_pairs,
    whole_rows,
)
from ndr_adapters.polars.views import numbered
from ndr_adapters.polars.write import StagingRoot, write_quarantine
from ndr_adapters.spark.fanout.chain import Chain, Frames, Kernel, Step, Task
from ndr_adapters.spark.fanout.reading import LINES, Read, Unpack
from ndr_adapters.spark.fanout.shares import Shares
from ndr_adapters.spark.fanout.staged import files_frame, written
from ndr_core.deltas.pairing import FlowPairs
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.formats import FileFormat
from ndr_core.flows.source import InputBatch
from ndr_core.quality.quarantine import QUARANTINE

REJECTED_FILES: Final = "rejected files"
"""Result: `name` of a staged file of rejected records, and its `rows`."""
OVERFLOW: Final = "overflow"
"""Result: as `overflows`, of each share."""
COUNTS: Final = "counts"
"""Result: as `quality.counts`, of each share."""
UNKNOWN: Final = "unknown"
"""Result: as `quality.unknown_values`, of each share the most frequent ones; each value is in one share."""

FLOWS: Final = "flows"
"""Result: `flows` and those of them that are `unpaired`, of each share."""

_REJECTED: Final = "rejected"
_CANDIDATES: Final = "candidates"
"""Judged records that may be duplicates of each other."""
_OTHERS: Final = "others"
_GATHERED: Final = "gathered"
"""What was gathered of the records of each flow."""
_HELD_RECORDS: Final = 400_000
"""Kept by a task before it makes results of them: of more records at once, results are fewer, memory is more."""


def delta_chain(plan: DeltaPlan, batch: InputBatch, staging: StagingRoot, shares: Shares) -> Chain:
    """Make the chain that builds the deltas of a batch, and stages its tables and its rejected records."""
    if plan.input.format is FileFormat.PARQUET:
        shares = shares.without_lines()
    read = Read(plan, batch.key_orders, batch.reader)
    steps = []
    if shares.large:
        steps.append(
            Step((Kernel("unpack", Unpack(plan.input, batch.reader), shares=0),), shares.large)
        )
    lines: dict[str, tuple[str, ...]] = {LINES: ()} if shares.large else {}
    spread = shares.lines if shares.large else 0
    if plan.deduplicate_on:
        by_key = {_CANDIDATES: plan.duplicate_keys, _OTHERS: ()}
        steps.append(Step((Kernel("read", _Judge(read), lines, spread),), shares.files))
        steps.append(Step((Kernel("compare", _Compare(plan), by_key, shares.built),)))
    else:
        steps.append(Step((Kernel("read", _AddUp(read), lines, spread),), shares.files))
    judged: dict[str, tuple[str, ...]] = {COUNTS: (), _REJECTED: (), UNKNOWN: ("field", "value")}
    if plan.pairing is not None:
        ends = {_GATHERED: pairing.PAIR_KEYS}
        pair = Kernel("pair", _Pair(plan, plan.pairing), ends, shares.built)
        steps.append(Step((pair, Kernel("pass on", _pass_on, judged, shares.built))))
        judged[FLOWS] = ()
    last = Step(
        (
            Kernel("pairs", _Pairs(plan, staging), pair_keys(plan), shares.built),
            Kernel("hosts", _Hosts(plan, staging), host_keys(plan), shares.hosts),
            Kernel("judged", _Judged(staging), judged, shares.built),
        )
    )
    return Chain((*steps, last), numbered_columns(plan).union(pairing.PAIR_KEYS))


@frozen
class _AddUp:
    """Reads records, and makes results of them."""

    read: Read

    def __call__(self, task: Task) -> Frames:
        return _results(self.read.judged(task), self.read.plan, task.addresses)


@frozen
class _Judge:
    """Reads records, for those with one key to meet."""

    read: Read

    def __call__(self, task: Task) -> Frames:
        for judged in self.read.judged(task):
            candidate = judged.select(quality.may_be_duplicate(self.read.plan)).to_series()
            yield _CANDIDATES, judged.filter(candidate)
            yield _OTHERS, judged.filter(~candidate)


@frozen
class _Compare:
    """Finds duplicates among records with one key, and makes results of all."""

    plan: DeltaPlan

    def __call__(self, task: Task) -> Frames:
        frames = task.gathered()
        if frames:
            judged = pl.concat(frames.values()).lazy()
            marked = quality.mark_duplicates(judged, self.plan).collect()
            yield from _results([marked], self.plan, task.addresses)


def _results(parts: Iterable[pl.DataFrame], plan: DeltaPlan, addresses: Addresses) -> Frames:
    """Results of judged records, and what is set aside of them."""
    held: list[pl.DataFrame] = []
    for judged in parts:
        yield COUNTS, quality.counts(judged.lazy()).collect()
        yield UNKNOWN, quality.unknown_values(judged.lazy())
        yield _REJECTED, quality.quarantine(judged.lazy(), plan).collect()
        held.append(quality.settled(numbered(judged.lazy(), addresses)).collect())
        if sum(part.height for part in held) >= _HELD_RECORDS:
            yield from _made_of(pl.concat(held), plan, addresses)
            held = []
    if held:
        yield from _made_of(pl.concat(held), plan, addresses)


def _made_of(records: pl.DataFrame, plan: DeltaPlan, addresses: Addresses) -> Frames:
    """What is made of some kept records: results, or parts of flows where one-way records are to be paired first."""
    if plan.pairing is None:
        yield from partial_results(records, plan)
    else:
        yield _GATHERED, pairing.gather(records.lazy(), plan.pairing, addresses).collect()


@frozen
class _Pair:
    """Makes flows of what was gathered of them, and results of the flows."""

    plan: DeltaPlan
    pairs: FlowPairs

    def __call__(self, task: Task) -> Frames:
        frames = task.gathered()
        if frames:
            whole = pairing.gather_again(frames[_GATHERED].lazy(), self.pairs).collect()
            paired = pairing.paired(whole, self.pairs)
            counts = {"flows": [paired.flows.height], "unpaired": [paired.unpaired]}
            yield FLOWS, pl.DataFrame(counts)
            yield SUMS, overflowing_sums(paired.overflowing, self.plan)
            yield from partial_results(paired.flows, self.plan)


def _pass_on(task: Task) -> Frames:
    """Give a later step what it needs of an earlier one."""
    return task.inputs


@frozen
class _Pairs:
    """Puts the pairs of its share together, and writes them."""

    plan: DeltaPlan
    staging: StagingRoot

    def __call__(self, task: Task) -> Frames:
        frames = task.gathered()
        if frames:
            for pairs in whole_pairs(frames, self.plan):
                for role in pairs.roles:
                    rows = aggregate.pair_rows(pairs, role, self.plan, task.addresses)
                    yield written(
                        rows.collect().rechunk(), self.plan.pair, self.staging, task.token
                    )


@frozen
class _Hosts:
    """Puts the delta rows of its share together, and writes them."""

    plan: DeltaPlan
    staging: StagingRoot

    def __call__(self, task: Task) -> Frames:
        frames = task.gathered()
        if not frames:
            return
        hosts = whole_hosts(frames.pop(SUMS), self.plan, task.addresses)
        overflowing = overflows(hosts, self.plan)
        if not overflowing.is_empty():
            yield OVERFLOW, overflowing
            return
        rows = whole_rows(frames, hosts, self.plan)
        yield written(rows, self.plan.delta, self.staging, task.token)


@frozen
class _Judged:
    """Counts what became of records, and writes those that are rejected."""

    staging: StagingRoot

    def __call__(self, task: Task) -> Frames:
        frames = task.gathered()
        if COUNTS in frames:
            yield COUNTS, quality.added_counts(frames[COUNTS])
        if UNKNOWN in frames:
            yield UNKNOWN, quality.most_unknown(frames[UNKNOWN])
        if FLOWS in frames:
            yield FLOWS, frames[FLOWS].sum()
        if _REJECTED in frames:
            name = f"{QUARANTINE}/rejected-{task.token}.json.gz"
            with full_disk_named(self.staging.address):
                write_quarantine(frames[_REJECTED].lazy(), self.staging, name).collect()
            yield REJECTED_FILES, files_frame({name: frames[_REJECTED].height})
