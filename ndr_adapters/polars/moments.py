"""The greatest moment of the records of a mini-batch, before it is built."""

from __future__ import annotations

import polars as pl

from ndr_adapters.interruptible import interruptible
from ndr_adapters.polars.engine import failures_named, flows_of, record_feed
from ndr_adapters.polars.quality import KEPT
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.moment import MOMENT
from ndr_core.flows.source import InputBatch


def greatest_moment(plan: DeltaPlan, batch: InputBatch) -> int | None:
    """Give the greatest moment, us, of the records of a batch that a plan keeps; None where it keeps none.

    All records are read for it. `plan`: without bounds, by which records could be rejected. Raises EngineReadError or
    UnreadableFileError where a file can't be read.
    """
    feed = record_feed(batch, plan)
    kept = flows_of(feed.frames(), plan, batch.key_orders).filter(KEPT)
    query = kept.select(pl.col(MOMENT).max())
    with failures_named(feed):
        found = interruptible(lambda: query.collect(engine="streaming"))
    greatest = found.item()
    return None if greatest is None else int(greatest)
