"""Quality rules, compiled for Polars."""

from __future__ import annotations

from functools import reduce
from typing import Final

import polars as pl

from ndr_adapters.polars.careful import quarantined_text
from ndr_adapters.polars.expr import compile_expr, with_columns
from ndr_adapters.polars.texts import (
    object_order,
    quarantined_object,
    raw_text,
    text_columns,
)
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.moment import MOMENT
from ndr_core.flows.outcome import BAD_VALUE as UNREADABLE
from ndr_core.flows.outcome import BLANK, MALFORMED, SKIPPED
from ndr_core.flows.vocabulary import MOST_UNKNOWN, UNKNOWN, UNKNOWN_CHARACTERS
from ndr_core.quality.duplicates import ALSO_EQUAL, LONGEST
from ndr_core.quality.quarantine import EXAMPLE_CHARACTERS
from ndr_core.quality.repairs import MARKS, SETTLED_FIELDS, mark_column, repaired_fields
from ndr_core.quality.rules import BAD_VALUE, DUPLICATE, MALFORMED_RECORD, rule_label

KEPT: Final = pl.col("rule").is_null() & ~pl.col("outcome").is_in([BLANK, SKIPPED])


def with_moment(flows: pl.LazyFrame, plan: DeltaPlan) -> pl.LazyFrame:
    """Adds the moment of each record as read."""
    return with_columns(flows, {MOMENT: plan.moment.of_flow})


def judge(flows: pl.LazyFrame, plan: DeltaPlan) -> pl.LazyFrame:
    """Repairs records, and adds their marks and `rule`: the label of the first rule that rejects one as it was read.

    `rule` is null for a kept record. Blank lines stay in. `line` is left only where something still needs it: it is
    most of what a batch weighs.
    """
    structural = [
        pl.when(pl.col("outcome") == MALFORMED).then(pl.lit(MALFORMED_RECORD)),
        pl.when(pl.col("outcome") == UNREADABLE).then(
            pl.lit(rule_label(BAD_VALUE, "")) + pl.col("fault")
        ),
    ]
    by_condition = [
        pl.when(compile_expr(reject.condition)).then(pl.lit(reject.label))
        for reject in plan.reject_rules
        if reject.condition is not None
    ]
    is_record = ~pl.col("outcome").is_in([BLANK, SKIPPED])
    rule = pl.when(is_record).then(pl.coalesce(*structural, *by_condition))
    changed = repaired_fields() | {mark_column(name): mark for name, mark in plan.marks.items()}
    judged = flows.with_columns(
        rule.alias("rule"), *(compile_expr(value).alias(name) for name, value in changed.items())
    )
    return judged if plan.deduplicate_on else _without_idle_lines(judged, plan)


def _without_idle_lines(judged: pl.LazyFrame, plan: DeltaPlan) -> pl.LazyFrame:
    is_rejected = pl.col("rule").is_not_null()
    return judged.with_columns(
        pl.when(is_rejected).then(name).alias(name) for name in text_columns(plan)
    )


def may_be_duplicate(plan: DeltaPlan) -> pl.Expr:
    """Whether a judged record is one to compare: it is kept, and has all of its key."""
    return pl.all_horizontal(KEPT, *(pl.col(key).is_not_null() for key in plan.duplicate_keys))


def mark_duplicates(judged: pl.LazyFrame, plan: DeltaPlan) -> pl.LazyFrame:
    """`rule` of the records that have the key of a longer one becomes DUPLICATE.

    After sorting, a duplicate is a candidate whose predecessor is one with the same key.
    """
    keys = (*plan.duplicate_keys, ALSO_EQUAL)
    candidate = may_be_duplicate(plan)
    falling = {"candidate": False, **dict.fromkeys(keys, False), **dict.fromkeys(LONGEST, True)}
    # A field may be a key as well: then it is the same in all that are compared.
    falling |= dict.fromkeys((*keys, "text", "object"), False)
    ordered = judged.with_columns(
        candidate.alias("candidate"),
        raw_text(judged).alias("text"),
        object_order(plan).alias("object"),
    ).sort(list(falling), descending=list(falling.values()), nulls_last=True)
    same = reduce(
        lambda left, right: left & right,
        (pl.col(key).eq_missing(pl.col(key).shift(1)) for key in keys),
    )
    duplicate = pl.col("candidate") & pl.col("candidate").shift(1, fill_value=False) & same
    marked = ordered.with_columns(
        pl.when(duplicate).then(pl.lit(DUPLICATE)).otherwise("rule").alias("rule")
    )
    return _without_idle_lines(marked.drop("candidate", "text", "object"), plan)


def quarantine(judged: pl.LazyFrame, plan: DeltaPlan) -> pl.LazyFrame:
    """Rejected records: rule, detail, field, raw, object."""
    names = {rule.label: rule.name for rule in plan.reject_rules}
    details = {rule.label: rule.detail for rule in plan.reject_rules}
    fields = {rule.label: rule.field for rule in plan.reject_rules}
    label = pl.col("rule")
    return judged.filter(label.is_not_null()).select(
        label.replace_strict(names, return_dtype=pl.String),
        label.replace_strict(details, return_dtype=pl.String).alias("detail"),
        label.replace_strict(fields, return_dtype=pl.String).alias("field"),
        quarantined_text(plan).alias("raw"),
        quarantined_object(plan).alias("object"),
    )


def counts(judged: pl.LazyFrame) -> pl.LazyFrame:
    """One row per outcome and rule: `records`, an `example`, and for the kept ones a count per mark."""
    marked = ((KEPT & pl.col(mark_column(name))).alias(mark_column(name)) for name in MARKS)
    totals = (pl.len().alias("records"), *map(pl.sum, map(mark_column, MARKS)))
    example = pl.when(pl.col("rule").is_not_null()).then(
        raw_text(judged).str.slice(0, EXAMPLE_CHARACTERS)
    )
    return (
        judged.with_columns(example.alias("example"), *marked)
        .group_by("outcome", "rule")
        # Polars counts in 32 bits, where what many tasks counted would not add up.
        .agg(pl.min("example"), *(total.cast(pl.Int64) for total in totals))
    )


def added_counts(counts: pl.DataFrame) -> pl.DataFrame:
    """Add up the counts of several parts of the records. `counts`: from `counts`."""
    totals = pl.all().exclude("example").sum()
    return counts.group_by("outcome", "rule").agg(pl.min("example"), totals)


def unknown_values(judged: pl.LazyFrame) -> pl.DataFrame:
    """Values of kept records that no measure knows: `field`, `value` and `records`."""
    texts = [pl.col(name) for name in UNKNOWN]
    # Records have few sets of texts, of which each is then looked at once.
    sets = judged.filter(KEPT).group_by(texts).agg(pl.len().cast(pl.Int64).alias("records"))
    found = sets.collect(engine="streaming").lazy()
    return (
        pl.concat(
            found.filter(compile_expr(is_unknown)).select(
                pl.lit(name).alias("field"),
                pl.col(name).str.slice(0, UNKNOWN_CHARACTERS).alias("value"),
                "records",
            )
            for name, is_unknown in UNKNOWN.items()
        )
        .group_by("field", "value")
        .agg(pl.sum("records"))
        .collect()
    )


def most_unknown(unknown: pl.DataFrame) -> pl.DataFrame:
    """Add up several parts of the records, and give the most frequent values. `unknown`: from `unknown_values`."""
    return (
        unknown.group_by("field", "value")
        .agg(pl.sum("records"))
        .sort("records", "value", descending=[True, False])
        .group_by("field", maintain_order=True)
        .head(MOST_UNKNOWN)
    )


def settled(judged: pl.LazyFrame) -> pl.LazyFrame:
    """Kept records, as roles see them."""
    return with_columns(judged.filter(KEPT), SETTLED_FIELDS)
