"""Quality rules, compiled for Polars."""

from __future__ import annotations

from functools import reduce

import polars as pl

from ndr_adapters.polars.expr import to_polars
from ndr_adapters.polars.parse import BLANK, MALFORMED, key_column, quarantined_text
from ndr_core.delta import DeltaPlan
from ndr_core.flow import FIELD_BY_NAME
from ndr_core.json_line import BLANKS, BYTE_ORDER_MARK
from ndr_core.quality import DUPLICATE, MALFORMED_JSON, REPAIR_RULES, repaired_fields


def judge(flows: pl.LazyFrame, plan: DeltaPlan) -> pl.LazyFrame:
    """Adds `rule`: the first rule that rejects the record, null for a kept one. Blank lines stay in.

    `line` is left only where a rule rejects it: it is most of what a batch weighs.
    """
    malformed = pl.when(pl.col("outcome") == MALFORMED).then(pl.lit(MALFORMED_JSON))
    by_condition = [
        pl.when(to_polars(reject.condition)).then(pl.lit(reject.name))
        for reject in plan.reject_rules
        if reject.condition is not None
    ]
    rule = pl.when(pl.col("outcome") != BLANK).then(pl.coalesce(malformed, *by_condition))
    judged = flows.with_columns(rule.alias("rule"))
    if plan.spec.quality.deduplicate_on:
        judged = _mark_duplicates(judged, plan)
    return judged.with_columns(pl.when(pl.col("rule").is_not_null()).then("line").alias("line"))


def _mark_duplicates(judged: pl.LazyFrame, plan: DeltaPlan) -> pl.LazyFrame:
    """After sorting, a duplicate is a candidate whose predecessor is one with the same key."""
    keys = [
        name if name in FIELD_BY_NAME else key_column(name)
        for name in plan.spec.quality.deduplicate_on
    ]
    candidate = pl.all_horizontal(
        pl.col("rule").is_null(),
        pl.col("outcome") != BLANK,
        *(pl.col(key).is_not_null() for key in keys),
    )
    text = pl.col("line").str.strip_chars_start(BYTE_ORDER_MARK).str.strip_chars(BLANKS)
    ordered = judged.with_columns(candidate.alias("candidate"), text.alias("text")).sort(
        "candidate", *keys, "event_start", "text"
    )
    same = reduce(
        lambda left, right: left & right, (pl.col(key) == pl.col(key).shift(1) for key in keys)
    )
    duplicate = pl.col("candidate") & pl.col("candidate").shift(1, fill_value=False) & same
    return ordered.with_columns(
        pl.when(duplicate).then(pl.lit(DUPLICATE)).otherwise("rule").alias("rule")
    ).drop("candidate", "text")


def quarantine(judged: pl.LazyFrame) -> pl.LazyFrame:
    """Rejected records: rule, field, raw."""
    return judged.filter(pl.col("rule").is_not_null()).select(
        "rule", pl.col("fault").alias("field"), quarantined_text(pl.col("line")).alias("raw")
    )


def counts(judged: pl.LazyFrame) -> pl.LazyFrame:
    """One row per outcome and rule: `records`, and for the kept ones how many each repair changed."""
    kept = (pl.col("rule").is_null()) & (pl.col("outcome") != BLANK)
    return (
        judged.with_columns(
            (kept & to_polars(repair.condition).fill_null(False)).alias(f"repair:{repair.name}")
            for repair in REPAIR_RULES
        )
        .group_by("outcome", "rule")
        .agg(
            pl.len().alias("records"), *(pl.sum(f"repair:{repair.name}") for repair in REPAIR_RULES)
        )
    )


def repaired(judged: pl.LazyFrame) -> pl.LazyFrame:
    """Kept records, repaired."""
    kept = judged.filter(pl.col("rule").is_null() & (pl.col("outcome") != BLANK))
    return kept.with_columns(to_polars(fix).alias(name) for name, fix in repaired_fields().items())
