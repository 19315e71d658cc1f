"""What an engine found, from what was counted of the judged records."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ndr_adapters.polars.quality import KEPT
from ndr_core.deltas.engine import EngineResult
from ndr_core.flows.outcome import BLANK, SKIPPED
from ndr_core.quality.repairs import MARKS, mark_column
from ndr_core.quality.unknown import most_frequent


def no_counts() -> pl.DataFrame:
    """Give what `quality.counts` gives of no records."""
    names = [mark_column(name) for name in MARKS]
    columns = {"outcome": pl.Int64(), "rule": pl.String(), "example": pl.String()}
    return pl.DataFrame(schema=columns | dict.fromkeys(("records", *names), pl.Int64()))


def no_unknown_values() -> pl.DataFrame:
    """Give what `quality.unknown_values` gives of no records."""
    return pl.DataFrame(schema={"field": pl.String, "value": pl.String, "records": pl.Int64})


def engine_result(
    counts: pl.DataFrame,
    unknown: pl.DataFrame,
    rows: Mapping[str, int],
    rejected_files: Mapping[str, int],
) -> EngineResult:
    """Give what an engine found.

    `counts`: as from `quality.counts`, of some parts of the records or of all at once; `unknown`: as from
    `quality.unknown_values`, each value in one row.
    """
    kept = counts.filter(KEPT)
    rejected = (
        counts.filter(pl.col("rule").is_not_null())
        .group_by("rule")
        .agg(pl.sum("records"), pl.min("example"))
    )
    return EngineResult(
        rows=rows,
        kept=int(kept["records"].sum()),
        rejected=dict(rejected.select("rule", "records").iter_rows()),
        marked={name: int(kept[mark_column(name)].sum()) for name in MARKS},
        blank_lines=int(counts.filter(outcome=BLANK)["records"].sum()),
        rejected_files=rejected_files,
        skipped=int(counts.filter(outcome=SKIPPED)["records"].sum()),
        examples=dict(rejected.select("rule", "example").iter_rows()),
        unknown=most_frequent(
            {
                str(name): dict(values.select("value", "records").iter_rows())
                for (name,), values in unknown.group_by("field")
            }
        ),
    )


def rejected_records(counts: pl.DataFrame) -> int:
    """Count the records that a rule rejected."""
    return int(counts.filter(pl.col("rule").is_not_null())["records"].sum())
