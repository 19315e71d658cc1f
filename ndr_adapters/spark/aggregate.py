"""Delta semantics, compiled for Spark SQL.

One shuffle turns records into *cells*, from which both tables, the quarantine and the report are made.
A cell is a count of records under one key; its `facet` says of which role it is and of what kind:

* kind 0 .. n-1: one bucket of the n-th distribution (the first also carries the additive measures);
* the last kind: one row of the pair table;
* facet -1: lines that were not kept, by rule, field at fault and text.
"""

from __future__ import annotations

from pyspark.sql import DataFrame

from ndr_core.delta import PAIR_COLUMNS, PAIR_SUMS, DeltaPlan
from ndr_core.expr import Expr
from ndr_core.measures import (
    Additive,
    Distribution,
    LargestCount,
    OutputColumn,
    PairKey,
    Quantile,
)
from ndr_core.quality import REPAIR_RULES

from ndr_adapters.spark.expr import bound, literal, quoted, to_sql
from ndr_adapters.spark.parse import quarantined_text
from ndr_adapters.spark.quality import KEPT

HOST = ("slice_start", "role_number", "host_ip")
NOT_KEPT = -1
_CELL_KEYS = ("slice_start", "facet", "host_ip", "peer_ip", "number", "fault")
_REPAIRS = tuple(f"repair:{rule.name}" for rule in REPAIR_RULES)


class CellLayout:
    """Which facet is what, for one plan."""

    def __init__(self, plan: DeltaPlan) -> None:
        self.plan = plan
        self.distributions = plan.distributions
        self.pair_kind = max(len(self.distributions), 1)
        self.kinds = self.pair_kind + 1
        self.facets = self.kinds * len(plan.spec.roles)
        self.sums = plan.stored_sums

    @property
    def kind(self) -> str:
        return f"(facet % {self.kinds})"

    @property
    def role_number(self) -> str:
        return f"(facet div {self.kinds})"

    @property
    def role_name(self) -> str:
        cases = (
            f"when {number} then {literal(role.name)}"
            for number, role in enumerate(self.plan.spec.roles)
        )
        return f"case role_number {' '.join(cases)} end"

    def by_role(self, name: str) -> str:
        """A column of the role view, for the role of the facet."""
        values = [to_sql(role.view()[name]) for role in self.plan.spec.roles]
        if len(set(values)) == 1:
            return values[0]
        cases = (f"when {number} then {value}" for number, value in enumerate(values))
        return f"case {self.role_number} {' '.join(cases)} end"


def make_cells(flows: DataFrame, layout: CellLayout) -> DataFrame:
    """Cells of all records: the one shuffle on top of reading. `flows`: from `quality.repaired`."""
    plan = layout.plan
    all_facets = ", ".join(str(facet) for facet in range(layout.facets))
    exploded = flows.selectExpr(
        "*", f"explode(if({KEPT}, array({all_facets}), array({NOT_KEPT}))) as facet"
    )
    view_names = plan.spec.roles[0].view()
    views = exploded.selectExpr(
        "facet",
        "line",
        "rule",
        "fault",
        f"if(facet >= 0, {to_sql(plan.slice_start())}, null) as slice_start",
        *(f"{layout.by_role(name)} as {name}" for name in view_names),
        *(quoted(name) for name in _REPAIRS),
    )
    keyed = views.selectExpr(
        "slice_start",
        "facet",
        "if(facet >= 0, host_ip, rule) as host_ip",
        f"case when facet = {NOT_KEPT} then {quarantined_text('line')} "
        f"when {layout.kind} = {layout.pair_kind} then peer_ip end as peer_ip",
        f"{_number(layout)} as number",
        "fault",
        "event_ts",
        *(f"{_base_only(layout, to_sql(item.contribution), item)} as {quoted(item.name)}"
          for item in layout.sums),
        *(f"if(facet = 0, {quoted(name)}, 0L) as {quoted(name)}" for name in _REPAIRS),
    )
    return keyed.groupBy(*_CELL_KEYS).agg(
        *_expressions(
            "count(1) as cell_count",
            "max(event_ts) as event_ts",
            *(f"{_sum(item)} as {quoted(item.name)}" for item in layout.sums),
            *(f"sum({quoted(name)}) as {quoted(name)}" for name in _REPAIRS),
        )
    )


def _expressions(*texts: str):  # type: ignore[no-untyped-def]
    from pyspark.sql import functions as F

    return [F.expr(text) for text in texts]


def _number(layout: CellLayout) -> str:
    cases = [
        f"when {number} then {to_sql(distribution.bucket)}"
        for number, distribution in enumerate(layout.distributions)
    ]
    cases.append(f"when {layout.pair_kind} then peer_port")
    return f"if(facet >= 0, case {layout.kind} {' '.join(cases)} end, null)"


def _base_only(layout: CellLayout, contribution: str, item: Additive) -> str:
    """Contribution of a record to the cells that carry it: the first kind, and for pair sums the pairs."""
    kinds = ["0"]
    if item.name in {pair_sum.name for pair_sum in PAIR_SUMS}:
        kinds.append(str(layout.pair_kind))
    return f"if({layout.kind} in ({', '.join(kinds)}) and facet >= 0, {contribution}, 0L)"


def _sum(item: Additive, column: str | None = None) -> str:
    """Exact sum, null where it leaves int64."""
    return f"{'try_sum' if item.can_overflow else 'sum'}({column or quoted(item.name)})"


def pair_rows(cells: DataFrame, layout: CellLayout) -> DataFrame:
    """The pair table in its output form."""
    pairs = cells.where(f"{layout.kind} = {layout.pair_kind} and facet >= 0").selectExpr(
        "slice_start",
        f"{layout.role_number} as role_number",
        "host_ip",
        "peer_ip",
        "number as peer_port",
        "timestamp_micros(event_ts) as event_ts",
        *(quoted(item.name) for item in PAIR_SUMS),
    )
    return _output_form(pairs, layout, PAIR_COLUMNS)


def quarantine_rows(cells: DataFrame) -> DataFrame:
    """Rejected records: rule, field, raw; equal ones as often as they came."""
    rejected = cells.where(f"facet = {NOT_KEPT} and host_ip is not null")
    return rejected.selectExpr(
        "host_ip as rule",
        "fault as field",
        "peer_ip as raw",
        "explode(array_repeat(0, cast(cell_count as int))) as repetition",
    ).drop("repetition")


def counts(cells: DataFrame, layout: CellLayout) -> DataFrame:
    """One row of kept records (facet 0, with the repairs), one per reject rule and one of blank lines."""
    return (
        cells.where(f"facet in (0, {NOT_KEPT})")
        .selectExpr(
            "facet",
            f"if(facet = {NOT_KEPT}, host_ip, null) as rule",
            "cell_count",
            *(quoted(name) for name in _REPAIRS),
        )
        .groupBy("facet", "rule")
        .agg(
            *_expressions(
                "sum(cell_count) as records",
                *(f"sum({quoted(name)}) as {quoted(name)}" for name in _REPAIRS),
            )
        )
    )


def host_rows(cells: DataFrame, layout: CellLayout) -> DataFrame:
    """Per host: sums, histograms and cell aggregates; the second shuffle, of cells, by host.

    A sum that leaves int64 is null.
    """
    ip_kind, port_kind = layout.kinds, layout.kinds + 1
    by_host = (
        cells.where("facet >= 0")
        .selectExpr("*", f"{layout.role_number} as role_number", f"{layout.kind} as kind")
        .repartition(*HOST)
    )
    spread = by_host.selectExpr(
        *HOST,
        f"explode(if(kind = {layout.pair_kind}, array({ip_kind}, {port_kind}), array(kind))) as kind",
        "peer_ip",
        "number",
        "cell_count",
        *(quoted(item.name) for item in layout.sums),
    )
    # Sums of the first kind and sessions and bytes of peers and ports, each under its own key.
    distinct = (
        spread.selectExpr(
            *HOST,
            "kind",
            f"if(kind = {ip_kind}, peer_ip, null) as peer_ip",
            f"if(kind = {ip_kind}, null, number) as number",
            "cell_count",
            *(quoted(item.name) for item in layout.sums),
        )
        .groupBy(*HOST, "kind", "peer_ip", "number")
        .agg(
            *_expressions(
                "sum(cell_count) as cell_count",
                *(f"{_sum(item)} as {quoted(item.name)}" for item in layout.sums),
            )
        )
    )
    aggregates = [
        *(
            f"{_sum(item, f'if(kind = 0, {quoted(item.name)}, 0L)')} as {quoted(item.name)}"
            for item in layout.sums
        ),
        *(
            f"array_sort(collect_list(if(kind = {number}, named_struct('bucket', number, "
            f"'count', cell_count), null))) as {quoted(item.histogram)}"
            for number, item in enumerate(layout.distributions)
        ),
    ]
    kinds: dict[PairKey, int] = {"peer_ip": ip_kind, "peer_port": port_kind}
    for key, cell_aggregates in layout.plan.cell_aggregates.items():
        has_key = "peer_ip" if key == "peer_ip" else "number"
        for item in cell_aggregates:
            value = f"if(kind = {kinds[key]} and {has_key} is not null, {_over_cell(item.value)}, null)"
            aggregates.append(f"coalesce({item.how}({value}), 0L) as {quoted(item.name)}")
    nullable = [item.name for item in layout.sums if item.can_overflow]
    return distinct.groupBy(*HOST).agg(*_expressions(*aggregates)).selectExpr("*") if nullable else (
        distinct.groupBy(*HOST).agg(*_expressions(*aggregates))
    )


def _over_cell(value: Expr) -> str:
    return to_sql(value).replace("`sessions`", "`cell_count`").replace("`bytes`", "`bytes_sent_sum`")


def delta_rows(rows: DataFrame, layout: CellLayout) -> DataFrame:
    """The delta table in its output form."""
    finals = [
        f"{_read_off(item, final)} as {quoted(final.name)}"
        for item in layout.distributions
        for final in item.finals
    ]
    formulas = [
        f"{to_sql(value)} as {quoted(name)}" for name, value, _ in layout.plan.row_formulas
    ]
    return _output_form(
        rows.selectExpr("*", *finals, *formulas), layout, layout.plan.delta_columns
    )


def _read_off(item: Distribution, final: Quantile | LargestCount) -> str:
    histogram = quoted(item.histogram)
    if isinstance(final, LargestCount):
        return f"array_max(transform({histogram}, c -> c.count))"
    rank = f"(({final.percent}L * sessions_cnt + 99L) div 100L)"
    start = "named_struct('seen', 0L, 'bucket', cast(null as bigint))"
    step = (
        "(a, c) -> named_struct('seen', a.seen + c.count, 'bucket', "
        f"if(a.bucket is null and a.seen + c.count >= {rank}, c.bucket, a.bucket))"
    )
    bucket = f"aggregate({histogram}, {start}, {step}).bucket"
    return bound("bucket", bucket, to_sql(final.value))


def _output_form(
    rows: DataFrame, layout: CellLayout, columns: tuple[OutputColumn, ...]
) -> DataFrame:
    plan = layout.plan
    start = "timestamp_micros(slice_start)"
    derived = {
        "role": layout.role_name,
        "slice_start_ts": start,
        "slice_end_ts": f"timestamp_micros({to_sql(plan.slice_end())})",
        "dt": f"date_format({start}, 'yyyy-MM-dd')",
        "hh": f"date_format({start}, 'HH')",
        "mm": f"date_format({start}, 'mm')",
        **{name: literal(value) for name, value in plan.constants().items()},
    }
    return rows.selectExpr(
        *(
            f"{derived.get(column.name, quoted(column.name))} as {quoted(column.name)}"
            for column in columns
        )
    )
