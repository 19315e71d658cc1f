"""Quality rules, compiled for Polars."""

from __future__ import annotations

from functools import reduce
from typing import Final

import polars as pl

from ndr_adapters.polars.careful import quarantined_text
from ndr_adapters.polars.expr import compile_expr, with_columns
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.json_text import BLANKS, BYTE_ORDER_MARK
from ndr_core.flows.moment import MOMENT
from ndr_core.flows.outcome import BAD_VALUE as UNREADABLE
from ndr_core.flows.outcome import BLANK, MALFORMED, SKIPPED, key_column
from ndr_core.flows.record import FIELD_BY_NAME
from ndr_core.quality.rules import (
    BAD_VALUE,
    DUPLICATE,
    MALFORMED_RECORD,
    MARKS,
    repaired_fields,
)

KEPT: Final = pl.col("rule").is_null() & ~pl.col("outcome").is_in([BLANK, SKIPPED])


def with_moment(flows: pl.LazyFrame, plan: DeltaPlan) -> pl.LazyFrame:
    """Adds the moment of each record as read."""
    return with_columns(flows, {MOMENT: plan.moment.of_flow})


def judge(flows: pl.LazyFrame, plan: DeltaPlan) -> pl.LazyFrame:
    """Adds `rule`: the label of the first rule that rejects the record, null for a kept one. Blank lines and
    skipped records stay in.

    `line` is left only where something still needs it: it is most of what a batch weighs.
    """
    structural = [
        pl.when(pl.col("outcome") == outcome).then(pl.lit(rule))
        for outcome, rule in ((MALFORMED, MALFORMED_RECORD), (UNREADABLE, BAD_VALUE))
    ]
    by_condition = [
        pl.when(compile_expr(reject.condition)).then(pl.lit(reject.label))
        for reject in plan.reject_rules
        if reject.condition is not None
    ]
    is_record = ~pl.col("outcome").is_in([BLANK, SKIPPED])
    rule = pl.when(is_record).then(pl.coalesce(*structural, *by_condition))
    judged = flows.with_columns(rule.alias("rule"))
    return judged if plan.deduplicate_on else _without_idle_lines(judged)


def _without_idle_lines(judged: pl.LazyFrame) -> pl.LazyFrame:
    return judged.with_columns(pl.when(pl.col("rule").is_not_null()).then("line").alias("line"))


def duplicate_keys(plan: DeltaPlan) -> list[str]:
    """Name the columns in which duplicates are equal."""
    return [name if name in FIELD_BY_NAME else key_column(name) for name in plan.deduplicate_on]


def may_be_duplicate(plan: DeltaPlan) -> pl.Expr:
    """Whether a judged record is one to compare: it is kept, and has all of its key."""
    return pl.all_horizontal(KEPT, *(pl.col(key).is_not_null() for key in duplicate_keys(plan)))


def mark_duplicates(judged: pl.LazyFrame, plan: DeltaPlan) -> pl.LazyFrame:
    """`rule` of the records that have the key of an earlier one becomes DUPLICATE.

    After sorting, a duplicate is a candidate whose predecessor is one with the same key.
    """
    keys = duplicate_keys(plan)
    candidate = may_be_duplicate(plan)
    text = pl.col("line").str.strip_chars_start(BYTE_ORDER_MARK).str.strip_chars(BLANKS)
    ordered = judged.with_columns(candidate.alias("candidate"), text.alias("text")).sort(
        "candidate", *keys, "event_start", "text"
    )
    same = reduce(
        lambda left, right: left & right, (pl.col(key) == pl.col(key).shift(1) for key in keys)
    )
    duplicate = pl.col("candidate") & pl.col("candidate").shift(1, fill_value=False) & same
    marked = ordered.with_columns(
        pl.when(duplicate).then(pl.lit(DUPLICATE)).otherwise("rule").alias("rule")
    )
    return _without_idle_lines(marked.drop("candidate", "text"))


def quarantine(judged: pl.LazyFrame, plan: DeltaPlan) -> pl.LazyFrame:
    """Rejected records: rule, detail, field, raw."""
    names = {rule.label: rule.name for rule in plan.reject_rules}
    details = {rule.label: rule.detail for rule in plan.reject_rules}
    label = pl.col("rule")
    return judged.filter(label.is_not_null()).select(
        label.replace_strict(names, return_dtype=pl.String),
        label.replace_strict(details, return_dtype=pl.String).alias("detail"),
        pl.col("fault").alias("field"),
        quarantined_text(pl.col("line")).alias("raw"),
    )


def mark_count(name: str) -> str:
    """Column that counts the kept records which have a mark of the plan."""
    return f"mark:{name}"


def counts(judged: pl.LazyFrame, plan: DeltaPlan) -> pl.LazyFrame:
    """One row per outcome and rule: `records`, and for the kept ones a count per mark."""
    marked = (
        (KEPT & compile_expr(condition).fill_null(False)).alias(mark_count(name))
        for name, condition in plan.marks.items()
    )
    by_outcome = judged.with_columns(marked).group_by("outcome", "rule")
    totals = (pl.len().alias("records"), *map(pl.sum, map(mark_count, MARKS)))
    # Polars counts in 32 bits, where what many tasks counted would not add up.
    return by_outcome.agg(total.cast(pl.Int64) for total in totals)


def repaired(judged: pl.LazyFrame) -> pl.LazyFrame:
    """Kept records, repaired."""
    return with_columns(judged.filter(KEPT), repaired_fields())
