"""Delta semantics, compiled for Spark SQL: from role views to the outputs.

Where the views of a host share a partition, no function here shuffles.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from ndr_adapters.spark.sql.expr import compile_expr, literal, quoted, with_columns
from ndr_adapters.spark.sql.flags import amounts, bit_is_set, counter_groups, is_session
from ndr_adapters.spark.sql.views import HOST, role_name
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.deltas.tables import PAIR_SUMS
from ndr_core.deltas.timing import TIMING_COLUMNS, TIMING_HISTOGRAMS, TIMING_SUMS
from ndr_core.expressions.expr import Expr, col, substitute
from ndr_core.measures.kinds import (
    Distribution,
    LargestCount,
    PairKey,
    Quantile,
    Untold,
)
from ndr_core.quality.repairs import MARKS, mark_column
from ndr_core.tables.columns import ColumnType
from ndr_core.tables.slices import TIME_LEVELS
from ndr_core.tables.table import Table

_PAIR: Final = (*HOST, "peer_ip", "peer_port")

_MOST_BUCKETS: Final = 1 << 24
"""More than any histogram has: 3,712 log-linear buckets, or the minutes of 31 years."""


_SQL_TYPES: Final = {
    ColumnType.INT64: "bigint",
    ColumnType.HISTOGRAM: "array<struct<bucket: bigint, count: bigint>>",
}
"""Those of the columns that a pair may lack."""


def pair_table(views: DataFrame, plan: DeltaPlan) -> DataFrame:
    """Sessions, bytes and, of the role that has one, the timing per host, peer and port."""
    sums = {
        item.name: quoted(f"amount:{item.name}") if item.can_overflow else "1L"
        for item in PAIR_SUMS
    }
    sessions = views.where(is_session())
    if plan.timed_role is not None:
        return _timed_pairs(sessions, sums, plan.timed_role)
    return sessions.groupBy(*_PAIR).agg(
        *(F.expr(f"try_sum({value}) as {name}") for name, value in sums.items()),
        F.expr("timestamp_micros(max(event_ts)) as event_ts"),
    )


def _timed_pairs(sessions: DataFrame, sums: Mapping[str, str], role: int) -> DataFrame:
    """The pair table with its timing: sessions by bucket first, then these cells by pair.

    `sums`: what a session adds; `role`: the number of the role that has a timing. A session is a row for each
    histogram (its kind), and adds to sums with the first kind only. A sum that leaves int64 is not told here: that of
    the host does so, too.
    """
    sums = {**sums, **{item.name: quoted(f"timing:{item.name}") for item in TIMING_SUMS}}
    numbers = [quoted(f"timing:{item.name}") for item in TIMING_HISTOGRAMS]
    kinds = [
        f"named_struct('kind', {kind}, 'number', {number})" for kind, number in enumerate(numbers)
    ]
    alone = "named_struct('kind', 0, 'number', cast(null as bigint))"
    cells = (
        sessions.selectExpr(
            *_PAIR,
            "event_ts",
            *(f"{value} as {quoted(name)}" for name, value in sums.items()),
            f"inline(if(role_number = {role}, array({', '.join(kinds)}), array({alone})))",
        )
        .groupBy(*_PAIR, "kind", "number")
        .agg(
            F.expr("count(1) as count"),
            F.expr("max(event_ts) as event_ts"),
            *(F.expr(f"try_sum(if(kind = 0, {name}, null)) as {name}") for name in sums),
        )
    )
    buckets = " ".join(
        f"when {kind} then {compile_expr(item.of_number)}"
        for kind, item in enumerate(TIMING_HISTOGRAMS)
    )
    histograms = (
        f"if(role_number = {role}, sort_array(collect_list(if(kind = {kind}, "
        f"struct(bucket, count), null))), null) as {item.name}"
        for kind, item in enumerate(TIMING_HISTOGRAMS)
    )
    return (
        cells.selectExpr("*", f"case kind {buckets} end as bucket")
        .groupBy(*_PAIR)
        .agg(
            *(F.expr(f"try_sum({name}) as {name}") for name in sums),
            F.expr("timestamp_micros(max(event_ts)) as event_ts"),
            *map(F.expr, histograms),
        )
    )


def host_rows(
    views: DataFrame, pairs: DataFrame, plan: DeltaPlan, *, spread: bool = False
) -> DataFrame:
    """Per host: sums, histograms and aggregates over peers and ports. A sum that leaves int64 is null.

    `pairs`: as from `pair_table`; `spread`: whether the views are those of few hosts, in all partitions.
    """
    parts = [host_sums(views, plan)]
    if plan.distributions:
        parts.append((_spread_histograms if spread else _histograms)(views, plan))
    if plan.cell_aggregates:
        parts.append(peer_cells(pairs, plan))
    rows = reduce(lambda rows, part: rows.join(part, on=list(HOST), how="left"), parts)
    # A host of threats alone has no histograms and no pairs.
    empty = {item.histogram: "array()" for item in plan.distributions}
    empty |= {item.name: "0L" for items in plan.cell_aggregates.values() for item in items}
    return rows.selectExpr(
        *(
            f"coalesce({quoted(name)}, {empty[name]}) as {quoted(name)}"
            if name in empty
            else quoted(name)
            for name in rows.columns
        )
    )


def host_sums(views: DataFrame, plan: DeltaPlan) -> DataFrame:
    """Additive measures per host, its `records`, and a count per mark."""
    sums = ["count(1) as records"]
    sums += [f"try_sum({quoted(f'amount:{item.name}')}) as {item.name}" for item in amounts(plan)]
    for group, counters in enumerate(counter_groups(plan)):
        sums += [
            f"count_if({bit_is_set(f'flags:{group}', bit)}) as {counter.name}"
            for bit, counter in enumerate(counters)
        ]
    sums += [
        f"count_if({bit_is_set('marks', bit)}) as {quoted(mark_column(name))}"
        for bit, name in enumerate(MARKS)
    ]
    return views.groupBy(*HOST).agg(*map(F.expr, sums))


def _histograms(views: DataFrame, plan: DeltaPlan) -> DataFrame:
    """Counts by bucket, as stored.

    `histogram_numeric` merges bins only when there are more than it may keep; allowed more than there
    can be distinct buckets, it counts each exactly, without a row per record and bucket. A host's views are
    made neighbours first: its bins then stay in the processor's cache.
    """
    buckets = [quoted(f"bucket:{item.name}") for item in plan.distributions]
    sorted_views = views.select(*HOST, *buckets).sortWithinPartitions(F.xxhash64(*HOST))
    bins = sorted_views.groupBy(*HOST).agg(
        *(
            F.expr(f"histogram_numeric({bucket}, {_MOST_BUCKETS}) as {item.histogram}")
            for bucket, item in zip(buckets, plan.distributions, strict=True)
        )
    )
    return bins.selectExpr(
        *HOST, *(f"{_exact(item.histogram)} as {item.histogram}" for item in plan.distributions)
    )


def _spread_histograms(views: DataFrame, plan: DeltaPlan) -> DataFrame:
    """The same for few hosts: what each task has counted of them is merged by bucket."""
    buckets = (
        f"named_struct('kind', {kind}, 'bucket', {quoted(f'bucket:{item.name}')})"
        for kind, item in enumerate(plan.distributions)
    )
    cells = (
        views.selectExpr(*HOST, f"inline(array({', '.join(buckets)}))")
        .where("bucket is not null")
        .groupBy(*HOST, "kind", "bucket")
        .count()
    )
    return cells.groupBy(*HOST).agg(
        *(
            F.expr(
                f"sort_array(collect_list(if(kind = {kind}, struct(bucket, count), null)))"
                f" as {item.histogram}"
            )
            for kind, item in enumerate(plan.distributions)
        )
    )


def _exact(bins: str) -> str:
    """Bins (x, y) as (bucket, count); those of one bucket, left by merged parts, added up."""
    merged = (
        f"transform(array_distinct({bins}.x), b -> named_struct('bucket', b, 'count', "
        f"aggregate(filter({bins}, c -> c.x = b), 0L, (a, c) -> a + cast(c.y as bigint))))"
    )
    as_is = f"cast({bins} as array<struct<bucket: bigint, count: bigint>>)"
    return f"if(size(array_distinct({bins}.x)) = size({bins}), {as_is}, {merged})"


def peer_cells(pairs: DataFrame, plan: DeltaPlan) -> DataFrame:
    """Aggregates over the distinct peers (kind 0) and ports (kind 1) of each host."""
    kinds: dict[PairKey, int] = {"peer_ip": 0, "peer_port": 1}
    cells = (
        pairs.selectExpr(*HOST, "peer_ip", "peer_port", "sessions_cnt", "bytes_sent_sum")
        .selectExpr("*", "explode(array(0, 1)) as kind")
        .where("kind = 0 or peer_port is not null")
        .selectExpr(
            *HOST,
            "kind",
            "if(kind = 0, peer_ip, null) as peer_ip",
            "if(kind = 1, peer_port, null) as peer_port",
            "sessions_cnt",
            "bytes_sent_sum",
        )
        .groupBy(*HOST, "kind", "peer_ip", "peer_port")
        .agg(F.expr("sum(sessions_cnt) as sessions"), F.expr("try_sum(bytes_sent_sum) as bytes"))
    )
    values: dict[Expr, str] = {}
    aggregates = []
    for key, items in plan.cell_aggregates.items():
        for item in items:
            value = quoted(values.setdefault(item.value, f"cell:{len(values)}"))
            chosen = f"{item.how}(if(kind = {kinds[key]}, {value}, null))"
            # A host whose pairs all lack a port has no cell of that kind: what counts them is 0.
            aggregates.append(f"coalesce({chosen}, 0L) as {quoted(item.name)}")
    valued = with_columns(cells, {name: value for value, name in values.items()})
    return valued.groupBy(*HOST).agg(*map(F.expr, aggregates))


def pair_rows(pairs: DataFrame, plan: DeltaPlan) -> DataFrame:
    """The pair table in its output form."""
    has_none = plan.timing and plan.timed_role is None
    nulls = {
        column.name: f"cast(null as {_SQL_TYPES[column.type]})"
        for column in (TIMING_COLUMNS if has_none else ())
    }
    return _output_form(pairs, plan, plan.pair, nulls)


def delta_rows(rows: DataFrame, plan: DeltaPlan) -> DataFrame:
    """The delta table in its output form."""
    readouts = [(item, readout) for item in plan.distributions for readout in item.readouts]
    percents = {percent for item in plan.distributions for percent in _percents(item)}
    # Columns of their own: what a lambda holds is interpreted for each bucket.
    ranked = rows.selectExpr(
        "*",
        *(f"({p}L * sessions_cnt + 99L) div 100L as {_rank(p)}" for p in sorted(percents)),
    )
    found = ranked.selectExpr(
        "*",
        *(
            f"{_buckets_of_ranks(item)} as {quoted(f'ranks:{item.name}')}"
            for item in plan.distributions
            if _percents(item)
        ),
        *(
            f"coalesce(array_max({item.histogram}.`count`), 0L) as {readout.name}"
            for item, readout in readouts
            if isinstance(readout, LargestCount)
        ),
    ).selectExpr(
        "*",
        *(
            f"{quoted(f'ranks:{item.name}')}.p{readout.percent} as {quoted(f'rank:{readout.name}')}"
            for item, readout in readouts
            if isinstance(readout, Quantile)
        ),
    )
    values = {
        readout.name: substitute(readout.value, {"bucket": col(f"rank:{readout.name}")})
        for _, readout in readouts
        if isinstance(readout, Quantile)
    }
    values |= {name: value for name, value, _ in plan.row_formulas}
    rows = with_columns(found, values)
    untold = {item.name: "cast(null as bigint)" for item in plan.of_kind(Untold)}
    return _output_form(rows, plan, plan.delta, untold)


def _percents(item: Distribution) -> list[int]:
    return [readout.percent for readout in item.readouts if isinstance(readout, Quantile)]


def _rank(percent: int) -> str:
    """Column with the nearest rank of a percentile."""
    return quoted(f"rank:{percent}")


def _buckets_of_ranks(item: Distribution) -> str:
    """A struct with the bucket of each percentile's nearest rank, in one walk over the histogram.

    That bucket is the first one up to which so many are seen: each before it is passed over in turn.
    """
    percents = _percents(item)
    nothing = "".join(f", 'p{percent}', cast(null as bigint)" for percent in percents)
    found = "".join(
        f", 'p{percent}', if(a.seen < {_rank(percent)}, c.bucket, a.p{percent})"
        for percent in percents
    )
    return (
        f"aggregate({quoted(item.histogram)}, named_struct('seen', 0L{nothing}), "
        f"(a, c) -> named_struct('seen', a.seen + c.count{found}))"
    )


def _output_form(
    rows: DataFrame, plan: DeltaPlan, table: Table, untold: Mapping[str, str] | None = None
) -> DataFrame:
    """Rows with `slice_start` (us) in the columns of an output table, levels of its folders included.

    `untold`: columns that the rows lack, and their values.
    """
    start = "timestamp_micros(slice_start)"
    derived = {
        "role": role_name(plan),
        "slice_start_ts": start,
        "slice_end_ts": f"timestamp_micros({compile_expr(plan.slice_end)})",
        **{
            level: f"date_format({start}, {literal(_date_format(pattern))})"
            for level, pattern in TIME_LEVELS.items()
        },
        **{name: literal(value) for name, value in plan.constants().items()},
        **(untold or {}),
    }
    return rows.selectExpr(
        *(
            f"{derived.get(column.name, quoted(column.name))} as {quoted(column.name)}"
            for column in table.columns
        )
    )


def _date_format(pattern: str) -> str:
    """A pattern of `strftime` as Spark's `date_format` spells it."""
    for ours, theirs in {"%Y": "yyyy", "%m": "MM", "%d": "dd", "%H": "HH", "%M": "mm"}.items():
        pattern = pattern.replace(ours, theirs)
    return pattern
