"""What an engine found, from what was counted of the judged records."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ndr_adapters.polars.quality import KEPT, mark_count
from ndr_core.deltas.engine import EngineResult
from ndr_core.flows.outcome import BLANK, SKIPPED
from ndr_core.quality.rules import MARKS


def no_counts() -> pl.DataFrame:
    """Give what `quality.counts` gives of no records."""
    names = [mark_count(name) for name in MARKS]
    columns = {"outcome": pl.Int64(), "rule": pl.String()}
    return pl.DataFrame(schema=columns | dict.fromkeys(("records", *names), pl.Int64()))


def engine_result(
    counts: pl.DataFrame, rows: Mapping[str, int], rejected_files: Mapping[str, int]
) -> EngineResult:
    """Give what an engine found. `counts`: as from `quality.counts`, of some parts of the records or of all at once."""
    kept = counts.filter(KEPT)
    rejected = counts.filter(pl.col("rule").is_not_null()).group_by("rule").agg(pl.sum("records"))
    return EngineResult(
        rows=rows,
        kept=int(kept["records"].sum()),
        rejected=dict(rejected.iter_rows()),
        marked={name: int(kept[mark_count(name)].sum()) for name in MARKS},
        blank_lines=int(counts.filter(outcome=BLANK)["records"].sum()),
        rejected_files=rejected_files,
        skipped=int(counts.filter(outcome=SKIPPED)["records"].sum()),
    )


def rejected_records(counts: pl.DataFrame) -> int:
    """Count the records that a rule rejected."""
    return int(counts.filter(pl.col("rule").is_not_null())["records"].sum())
