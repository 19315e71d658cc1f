"""Quality rules, compiled for Spark SQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from ndr_adapters.spark.sql.careful import quarantined_text
from ndr_adapters.spark.sql.expr import Sql, compile_expr, literal, quoted
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.moment import MOMENT
from ndr_core.flows.outcome import BAD_VALUE as UNREADABLE
from ndr_core.flows.outcome import (
    BLANK,
    MALFORMED,
    SKIPPED,
    UNFIT,
)
from ndr_core.flows.record import FLOW_FIELDS
from ndr_core.flows.vocabulary import MOST_UNKNOWN, UNKNOWN, UNKNOWN_CHARACTERS
from ndr_core.quality.duplicates import ALSO_EQUAL, LONGEST
from ndr_core.quality.quarantine import EXAMPLE_CHARACTERS
from ndr_core.quality.repairs import MARKS, SETTLED_FIELDS, mark_column, repaired_fields
from ndr_core.quality.rules import BAD_VALUE, DUPLICATE, MALFORMED_RECORD, rule_label

KEPT: Final = f"(rule is null and outcome not in ({BLANK}, {SKIPPED}))"


def with_moment(flows: DataFrame, plan: DeltaPlan) -> DataFrame:
    """Adds the moment of each record as read."""
    return flows.selectExpr("*", f"{compile_expr(plan.moment.of_flow)} as {MOMENT}")


def judge(flows: DataFrame, plan: DeltaPlan) -> DataFrame:
    """Repairs records, and adds their marks and `rule`: the label of the first rule that rejects one as it was read.

    `rule` is null for others and for UNFIT lines. `line` is left only where something still needs it: it is most of
    what a batch weighs.
    """
    of_field = f"concat({literal(rule_label(BAD_VALUE, ''))}, fault)"
    cases = [f"when outcome in ({BLANK}, {UNFIT}, {SKIPPED}) then null"]
    cases.append(f"when outcome = {MALFORMED} then {literal(MALFORMED_RECORD)}")
    cases.append(f"when outcome = {UNREADABLE} then {of_field}")
    cases += [
        f"when {compile_expr(reject.condition)} then {literal(reject.label)}"
        for reject in plan.reject_rules
        if reject.condition is not None
    ]
    fixes = repaired_fields()
    fields = (
        f"{compile_expr(fixes[name])} as {quoted(name)}" if name in fixes else quoted(name)
        for name in flows.columns
    )
    marks = (
        f"{compile_expr(mark)} as {quoted(mark_column(name))}" for name, mark in plan.marks.items()
    )
    judged = flows.selectExpr(*fields, *marks, f"case {' '.join(cases)} end as rule")
    return judged if plan.deduplicate_on else _without_idle_lines(judged)


def _without_idle_lines(judged: DataFrame) -> DataFrame:
    needed = f"if(rule is not null or outcome = {UNFIT}, line, null) as line"
    return judged.selectExpr(
        *(needed if name == "line" else quoted(name) for name in judged.columns)
    )


def mark_duplicates(judged: DataFrame, plan: DeltaPlan) -> DataFrame:
    """`rule` of the records that have the key of a longer one becomes DUPLICATE."""
    keys = [quoted(name) for name in plan.duplicate_keys]
    candidate = " and ".join([KEPT, *(f"{key} is not null" for key in keys)])
    # Records that are no candidates need no comparing: the line keeps them from crowding into one task.
    longest = ", ".join(f"{name} desc nulls last" for name in LONGEST)
    window = (
        f"partition by candidate, {', '.join(keys)}, {ALSO_EQUAL}, if(candidate, null, line) "
        f"order by {longest}, line"
    )
    return _without_idle_lines(
        judged.selectExpr("*", f"({candidate}) as candidate")
        .selectExpr("*", f"row_number() over ({window}) as place")
        .selectExpr(
            *(quoted(column) for column in judged.columns if column != "rule"),
            f"if(candidate and place > 1, {literal(DUPLICATE)}, rule) as rule",
        )
    )


def dropped(flows: DataFrame) -> DataFrame:
    """What is not kept: outcome, rule, null for a blank line and for a skipped record, and raw."""
    raw = quarantined_text("line")
    return flows.where(f"not {KEPT}").selectExpr("outcome", "rule", f"{raw} as raw")


def quarantine(dropped: DataFrame, plan: DeltaPlan) -> DataFrame:
    """Rejected records: rule, detail, field, raw. `dropped`: from the function of that name."""
    names = _by_label({rule.label: rule.name for rule in plan.reject_rules})
    details = _by_label({rule.label: rule.detail for rule in plan.reject_rules})
    fields = _by_label({rule.label: rule.field for rule in plan.reject_rules})
    return dropped.where("rule is not null").selectExpr(
        f"{names} as rule",
        f"cast({details} as string) as detail",
        f"cast({fields} as string) as field",
        "raw",
    )


def _by_label(values: Mapping[str, str | None]) -> Sql:
    """What belongs to the rule of a record."""
    cases = (f"when {literal(label)} then {literal(value)}" for label, value in values.items())
    return Sql(f"case rule {' '.join(cases)} end")


def dropped_counts(dropped: DataFrame) -> DataFrame:
    """One row per outcome and rule: `records`, and an `example`. `dropped`: from the function of that name."""
    example = f"min(substring(raw, 1, {EXAMPLE_CHARACTERS})) as example"
    return dropped.groupBy("rule", "outcome").agg(F.expr("count(1) as records"), F.expr(example))


def counts(rows: DataFrame) -> DataFrame:
    """One row: the records that are `kept`, and a count per mark.

    `rows`: from `aggregate.host_rows`; each record is in one host row of the first role.
    """
    names = (quoted(mark_column(name)) for name in MARKS)
    marked = (f"sum({name}) as {name}" for name in names)
    return rows.where("role_number = 0").selectExpr("sum(records) as kept", *marked)


def unknown_values(flows: DataFrame) -> DataFrame:
    """Values of kept records that no measure knows: `field`, `value` and `records`."""
    # Records have few sets of texts, of which each is then looked at once.
    sets = flows.where(KEPT).groupBy(*UNKNOWN).agg(F.expr("count(1) as records"))
    values = ", ".join(
        f"if({compile_expr(is_unknown)}, named_struct('field', {literal(name)}, "
        f"'value', substring({name}, 1, {UNKNOWN_CHARACTERS})), null)"
        for name, is_unknown in UNKNOWN.items()
    )
    found = sets.selectExpr("records", f"explode(array({values})) as found")
    grouped = found.where("found is not null").groupBy("found.field", "found.value")
    return grouped.agg(F.expr("sum(records) as records"))


def most_unknown(unknown: DataFrame) -> DataFrame:
    """The most frequent values of each field. `unknown`: from `unknown_values`."""
    window = "partition by field order by records desc, value"
    placed = unknown.selectExpr("*", f"row_number() over ({window}) as place")
    return placed.where(f"place <= {MOST_UNKNOWN}").drop("place")


def settled(judged: DataFrame) -> DataFrame:
    """Kept records, as roles see them."""
    fields = (
        f"{compile_expr(SETTLED_FIELDS[f.name])} as {f.name}"
        if f.name in SETTLED_FIELDS
        else f.name
        for f in FLOW_FIELDS
    )
    marks = (quoted(mark_column(name)) for name in MARKS)
    return judged.where(KEPT).selectExpr(MOMENT, *fields, *marks)
