"""What the core says of the objects of records, as rows of Polars."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from ndr_adapters.polars.fields import FIELD_DTYPES, columns_of
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.object_reader import BadValue, Skipped
from ndr_core.flows.outcome import BAD_VALUE, MALFORMED, READ, SKIPPED, key_column
from ndr_core.flows.record import FlowRecord


def rows_of(
    found: Iterable[Skipped | BadValue | FlowRecord | None], plan: DeltaPlan
) -> pl.DataFrame:
    """What the core says of the objects of some records, in the columns of `columns_of`; None: there is no object."""
    rows = [row_of(one, plan.key_columns) for one in found]
    return pl.DataFrame(rows, schema=columns_of(plan), orient="row")


def row_of(
    found: Skipped | BadValue | FlowRecord | None, key_columns: Sequence[str]
) -> dict[str, Any]:
    """What the core says of one object, by column; `key_columns`: those that only deduplication reads."""
    match found:
        case None:
            return {"outcome": MALFORMED}
        case Skipped():
            return {"outcome": SKIPPED}
        case BadValue(fault):
            return {"outcome": BAD_VALUE, "fault": fault}
        case FlowRecord():
            keys = zip(map(key_column, key_columns), found.keys, strict=True)
            fields = {name: getattr(found, name) for name in FIELD_DTYPES}
            return {**fields, **dict(keys), "outcome": READ}
