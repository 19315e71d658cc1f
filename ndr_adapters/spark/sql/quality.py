"""Quality rules, compiled for Spark SQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pyspark.sql import DataFrame

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
    key_column,
)
from ndr_core.flows.record import FIELD_BY_NAME, FLOW_FIELDS
from ndr_core.quality.rules import (
    BAD_VALUE,
    DUPLICATE,
    MALFORMED_RECORD,
    MARKS,
    repaired_fields,
)

KEPT: Final = f"(rule is null and outcome not in ({BLANK}, {SKIPPED}))"


def with_moment(flows: DataFrame, plan: DeltaPlan) -> DataFrame:
    """Adds the moment of each record as read."""
    return flows.selectExpr("*", f"{compile_expr(plan.moment.of_flow)} as {MOMENT}")


def judge(flows: DataFrame, plan: DeltaPlan) -> DataFrame:
    """Adds `rule`: the label of the first rule that rejects the record, null for others and for UNFIT lines.

    `line` is left only where something still needs it: it is most of what a batch weighs.
    """
    cases = [f"when outcome in ({BLANK}, {UNFIT}, {SKIPPED}) then null"]
    cases.append(f"when outcome = {MALFORMED} then {literal(MALFORMED_RECORD)}")
    cases.append(f"when outcome = {UNREADABLE} then {literal(BAD_VALUE)}")
    cases += [
        f"when {compile_expr(reject.condition)} then {literal(reject.label)}"
        for reject in plan.reject_rules
        if reject.condition is not None
    ]
    judged = flows.selectExpr("*", f"case {' '.join(cases)} end as rule")
    return judged if plan.deduplicate_on else _without_idle_lines(judged)


def _without_idle_lines(judged: DataFrame) -> DataFrame:
    needed = f"if(rule is not null or outcome = {UNFIT}, line, null) as line"
    return judged.selectExpr(
        *(needed if name == "line" else quoted(name) for name in judged.columns)
    )


def mark_duplicates(judged: DataFrame, plan: DeltaPlan) -> DataFrame:
    """`rule` of the records that have the key of an earlier one becomes DUPLICATE."""
    keys = [
        quoted(name if name in FIELD_BY_NAME else key_column(name)) for name in plan.deduplicate_on
    ]
    candidate = " and ".join([KEPT, *(f"{key} is not null" for key in keys)])
    # Records that are no candidates need no comparing: the line keeps them from crowding into one task.
    window = (
        f"partition by candidate, {', '.join(keys)}, if(candidate, null, line) "
        "order by event_start, line"
    )
    return _without_idle_lines(
        judged.selectExpr("*", f"({candidate}) as candidate")
        .selectExpr("*", f"row_number() over ({window}) as place")
        .selectExpr(
            *(column for column in judged.columns if column != "rule" and ":" not in column),
            f"if(candidate and place > 1, {literal(DUPLICATE)}, rule) as rule",
        )
    )


def dropped(flows: DataFrame) -> DataFrame:
    """What is not kept: outcome, rule, null for a blank line and for a skipped record, field and raw."""
    raw = quarantined_text("line")
    return flows.where(f"not {KEPT}").selectExpr(
        "outcome", "rule", "fault as field", f"{raw} as raw"
    )


def quarantine(dropped: DataFrame, plan: DeltaPlan) -> DataFrame:
    """Rejected records: rule, detail, field, raw. `dropped`: from the function of that name."""
    names = _by_label({rule.label: rule.name for rule in plan.reject_rules})
    details = _by_label({rule.label: rule.detail for rule in plan.reject_rules})
    return dropped.where("rule is not null").selectExpr(
        f"{names} as rule", f"cast({details} as string) as detail", "field", "raw"
    )


def _by_label(values: Mapping[str, str | None]) -> Sql:
    """What belongs to the rule of a record."""
    cases = (f"when {literal(label)} then {literal(value)}" for label, value in values.items())
    return Sql(f"case rule {' '.join(cases)} end")


def mark_count(name: str) -> str:
    """Column that counts the kept records which have a mark of the plan."""
    return f"mark:{name}"


def counts(rows: DataFrame) -> DataFrame:
    """One row: the records that are `kept`, and a count per mark.

    `rows`: from `aggregate.host_rows`; each record is in one host row of the first role.
    """
    names = (quoted(mark_count(name)) for name in MARKS)
    marked = (f"sum({name}) as {name}" for name in names)
    return rows.where("role_number = 0").selectExpr("sum(sessions_cnt) as kept", *marked)


def repaired(judged: DataFrame, plan: DeltaPlan) -> DataFrame:
    """The moment and the flow fields after repair, with a 0/1 column `mark_count` per mark."""
    fixes = repaired_fields()
    fields = (
        f"{compile_expr(fixes[f.name])} as {f.name}" if f.name in fixes else f.name
        for f in FLOW_FIELDS
    )
    flags = (
        f"if({compile_expr(condition)}, 1L, 0L) as {quoted(mark_count(name))}"
        for name, condition in plan.marks.items()
    )
    return judged.selectExpr("line", "outcome", "fault", "rule", MOMENT, *fields, *flags)
