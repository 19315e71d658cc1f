"""Delta semantics, compiled for Polars: from role views to the outputs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import polars as pl
from attrs import evolve

from ndr_adapters.polars import derive, pair_timing
from ndr_adapters.polars.addresses import Addresses
from ndr_adapters.polars.expr import compile_expr
from ndr_adapters.polars.keys import grouped, order_by
from ndr_adapters.polars.views import HOST, MINUTE, RoleViews, host_columns, role_views
from ndr_adapters.polars.write import schema_of
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.deltas.tables import PAIR_SUMS
from ndr_core.deltas.timing import TIMING_COLUMNS, TIMING_HISTOGRAMS, TIMING_SUMS
from ndr_core.expressions.expr import Expr, columns_of, operands
from ndr_core.measures.kinds import (
    Additive,
    CellAggregate,
    PairKey,
)
from ndr_core.tables.slices import TIME_LEVELS
from ndr_core.tables.table import Table
from ndr_core.times import MINUTE_US

_SESSIONS, _SENT, _ = PAIR_SUMS


def host_sums(views: RoleViews, plan: DeltaPlan) -> pl.LazyFrame:
    """Additive measures per HOST: null where a sum leaves int64."""
    return pl.concat(
        views.rows.group_by(views.host(role)).agg(
            _exact_sum(item, views.addend(role, item)).alias(item.name) for item in plan.stored_sums
        )
        for role in views.roles
    )


def added_sums(sums: pl.DataFrame, plan: DeltaPlan) -> pl.DataFrame:
    """Add up the sums of each HOST; what is null in one row stays null. `sums`: from `host_sums` of several parts."""
    whole = (
        pl.when(pl.col(item.name).is_not_null().all())
        .then(pl.col(item.name).cast(pl.Int128).sum())
        .cast(pl.Int64, strict=False)
        .alias(item.name)
        for item in plan.stored_sums
    )
    return sums.group_by(HOST).agg(*whole)


def name_hosts(sums: pl.DataFrame, plan: DeltaPlan, addresses: Addresses) -> pl.DataFrame:
    """Add what HOST stands for, and sort by it: the order in which histograms are finished."""
    return sums.sort(HOST).with_columns(host_columns(plan, addresses))


def pair_table(views: RoleViews, plan: DeltaPlan) -> list[RoleViews]:
    """Sum up the sessions of each pair and port, in parts: roles share one that see the same pairs from either end.

    The part of the role that has a timing has its histograms, too, by their names.
    """
    sessions = _of_sessions(views)
    return [
        _counted(sessions, roles, (MINUTE, *keys), plan)
        for keys, roles in pair_parts(views).items()
    ]


def _counted(
    sessions: RoleViews, roles: Sequence[int], keys: Sequence[str], plan: DeltaPlan
) -> RoleViews:
    """A part of the pair table."""
    role = plan.timed_role
    if role is None or role not in roles:
        return _summed(sessions, roles, keys)
    sums = {sessions.addend(role, item): item for item in TIMING_SUMS}
    pairs = _summed(sessions, roles, keys, _exact_sums(sums), in_order=True)
    numbers = {item.name: sessions.number(role, item) for item in TIMING_HISTOGRAMS}
    histograms = pair_timing.counted(sessions.rows, keys, numbers)
    rows = pairs.rows.collect(engine="streaming").hstack(list(histograms))
    return evolve(pairs, rows=rows.lazy())


def _of_sessions(views: RoleViews) -> RoleViews:
    """The views of sessions, without those of threats. What a role counts as a session, each does."""
    is_session = pl.col(views.addend(0, _SESSIONS))
    # Most batches have no threats: the rows are in memory, and need not be copied then.
    if views.rows.select(is_session.all()).collect().item():
        return views
    return evolve(views, rows=views.rows.filter(is_session))


def pair_parts(views: RoleViews) -> dict[tuple[str, ...], list[int]]:
    """Give the parts of the pair table: columns of both ends (one where they are the same) and of the port -> roles."""
    roles_of: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for role in views.roles:
        ends = sorted({views.address(role), views.peer(role)})
        roles_of[*ends, views.port(role)].append(role)
    return roles_of


def added_pairs(rows: Mapping[int, pl.LazyFrame], plan: DeltaPlan) -> list[RoleViews]:
    """Add up the pairs of each part.

    `rows`: by the place of a part among those that `pair_table` gave, its rows of several sets of records.
    """
    views = role_views(pl.LazyFrame(), plan)
    return [
        _added(evolve(views, rows=rows[place]), roles, (MINUTE, *keys), plan)
        for place, (keys, roles) in enumerate(pair_parts(views).items())
        if place in rows
    ]


def _added(
    parts: RoleViews, roles: Sequence[int], keys: Sequence[str], plan: DeltaPlan
) -> RoleViews:
    """A part of the pair table, of several sets of records."""
    role = plan.timed_role
    if role is None or role not in roles:
        return _summed(parts, roles, keys)
    sums = {parts.addend(role, item): item for item in TIMING_SUMS}
    names = [item.name for item in TIMING_HISTOGRAMS]
    lists = (pair_timing.gathered(name) for name in names)
    aggregates = (*_exact_sums(sums), *lists, pl.len().alias(pair_timing.ROWS))
    pairs = _summed(parts, roles, keys, aggregates)
    return evolve(pairs, rows=pair_timing.added(pairs.rows.collect(), names).lazy())


def joined(parts: Sequence[RoleViews]) -> RoleViews:
    """Put the same part of the pair table of several shares together."""
    return evolve(parts[0], rows=pl.concat(part.rows for part in parts))


def _summed(
    views: RoleViews,
    roles: Sequence[int],
    keys: Sequence[str],
    others: Iterable[pl.Expr] = (),
    *,
    in_order: bool = False,
) -> RoleViews:
    """The views of some roles, as sums per key, beside other aggregates."""
    sums = {views.addend(role, item): item for role in roles for item in PAIR_SUMS}
    ends = {views.end(role) for role in roles}
    aggregates = (*_exact_sums(sums), *(pl.max(name) for name in ends), *others)
    rows = grouped(views.rows, keys, aggregates, in_order=in_order)
    return evolve(views, rows=rows, roles={role: views.roles[role] for role in roles})


def peer_cells(pairs: RoleViews, key: PairKey, plan: DeltaPlan) -> pl.DataFrame:
    """Aggregates over the distinct peers or ports of each host. `pairs`: from `pair_table`."""
    return pl.concat(
        summarized(cells.collect(engine="streaming"), plan.cell_aggregates[key])
        for cells in cells_of(pairs, key)
    )


def cells_of(pairs: RoleViews, key: PairKey) -> Iterator[pl.LazyFrame]:
    """Give, role by role, what each host has with each distinct peer or port: HOST, `key`, `sessions` and `bytes`."""
    if key == "peer_ip":
        # Without the port, the pairs of all roles are still the same.
        some = next(iter(pairs.roles))
        ends = (MINUTE, *sorted({pairs.address(some), pairs.peer(some)}))
        summed = _summed(pairs, tuple(pairs.roles), ends)
        pairs = evolve(summed, rows=summed.rows.collect(engine="streaming").lazy())
    for role in pairs.roles:
        rows = pairs.rows
        sessions, sent = pairs.addend(role, _SESSIONS), pairs.addend(role, _SENT)
        other = pairs.peer(role) if key == "peer_ip" else pairs.port(role)
        if key == "peer_port":
            known = rows.filter(pl.col(other) > 0)
            rows = grouped(known, (MINUTE, pairs.address(role), other), [pl.sum(sessions, sent)])
        yield rows.select(
            pairs.host(role),
            pl.col(other).alias(key),
            pl.col(sessions).alias("sessions"),
            pl.col(sent).alias("bytes"),
        )


def merge_cells(parts: Sequence[pl.DataFrame], key: PairKey, plan: DeltaPlan) -> pl.DataFrame:
    """Cell aggregates of several shares of the pairs, none of which has a cell of another."""
    return pl.concat(parts).group_by(HOST).agg(_summaries(plan.cell_aggregates[key]))


def summarized(cells: pl.DataFrame, aggregates: Sequence[CellAggregate]) -> pl.DataFrame:
    """Aggregates over the cells of each host. A formula over sessions is worked out once for each number of them."""
    formulas = [item for item in aggregates if _is_formula_over_sessions(item.value)]
    others = [item for item in aggregates if item not in formulas]
    numbers = cells.lazy().select("sessions").unique()
    values = cells.lazy().join(numbers.with_columns(_values(formulas)), on="sessions")
    return (
        values.with_columns(_values(others))
        .group_by(HOST)
        .agg(_summaries(aggregates))
        .collect(engine="streaming")
    )


def _values(aggregates: Iterable[CellAggregate]) -> list[pl.Expr]:
    return [compile_expr(item.value).alias(item.name) for item in aggregates]


def _summaries(aggregates: Iterable[CellAggregate]) -> list[pl.Expr]:
    return [
        pl.col(item.name).sum() if item.how == "sum" else pl.col(item.name).max()
        for item in aggregates
    ]


def _is_formula_over_sessions(value: Expr) -> bool:
    return bool(operands(value)) and columns_of(value) == {"sessions"}


def _exact_sums(items: Mapping[str, Additive]) -> Iterator[pl.Expr]:
    """The sums of some columns. `items`: column -> what it is an addend of."""
    return (_exact_sum(item, name) for name, item in items.items())


def _exact_sum(item: Additive, name: str) -> pl.Expr:
    """The sum of a column, null where it leaves int64."""
    if not item.can_overflow:
        return pl.col(name).sum().cast(pl.Int64)
    # 128 bits can't overflow on the way, so that the result does not depend on the order.
    return pl.col(name).cast(pl.Int128).sum().cast(pl.Int64, strict=False)


def delta_rows(
    hosts: pl.DataFrame,
    histograms: Sequence[pl.Series],
    cells: Sequence[pl.DataFrame],
    plan: DeltaPlan,
) -> pl.DataFrame:
    """Whole delta rows of the hosts, in the columns of the plan, sorted by their keys."""
    rows = derive.derived_rows(hosts, cells, plan.measures)
    # Histograms weigh most: they are moved once.
    ordered = rows.with_columns(histograms).sort("slice_start", "role", "host_ip")
    return _output_form(ordered.lazy(), plan, plan.delta).collect()


def pair_rows(pairs: RoleViews, role: int, plan: DeltaPlan, addresses: Addresses) -> pl.LazyFrame:
    """Whole pair rows of a role, in the columns of the plan, sorted by their keys. `pairs`: from `pair_table`."""
    # Lists in one piece are put into order 40 times faster.
    found = pairs.rows.collect(engine="streaming").rechunk()
    ends = (found.get_column(name) for name in (pairs.address(role), pairs.peer(role)))
    keys = (
        found.get_column(MINUTE),
        *map(addresses.ranks, ends),
        found.get_column(pairs.port(role)),
    )
    order = order_by(pl.DataFrame([key.alias(str(place)) for place, key in enumerate(keys)]))
    # What is still narrow is put into order, before numbers become texts.
    ordered = found.select(pl.all().gather(order)).lazy()
    port = pl.col(pairs.port(role)).cast(pl.Int64)
    rows = ordered.select(
        (pl.col(MINUTE).cast(pl.Int64) * MINUTE_US).alias("slice_start"),
        pl.lit(plan.roles[role].name).alias("role"),
        addresses.text(pl.col(pairs.address(role))).alias("host_ip"),
        addresses.text(pl.col(pairs.peer(role))).alias("peer_ip"),
        pl.when(port > 0).then(port - 1).alias("peer_port"),
        *(pl.col(pairs.addend(role, item)).alias(item.name) for item in PAIR_SUMS),
        pl.from_epoch(pairs.end(role), time_unit="us")
        .dt.replace_time_zone("UTC")
        .alias("event_ts"),
        *(_timing(pairs, role, plan) if plan.timing else ()),
    )
    return _output_form(rows, plan, plan.pair)


def _timing(pairs: RoleViews, role: int, plan: DeltaPlan) -> Iterator[pl.Expr]:
    """The columns of a pair's timing: null for a role that has none."""
    if role == plan.timed_role:
        yield from (pl.col(one.name) for one in TIMING_HISTOGRAMS)
        yield from (pl.col(pairs.addend(role, item)).alias(item.name) for item in TIMING_SUMS)
    else:
        nulls = schema_of(TIMING_COLUMNS).items()
        yield from (pl.lit(None, dtype=dtype).alias(name) for name, dtype in nulls)


def _output_form(rows: pl.LazyFrame, plan: DeltaPlan, table: Table) -> pl.LazyFrame:
    """Rows with `slice_start` (us) in the columns of an output table, levels of its folders included."""
    start = pl.from_epoch("slice_start", time_unit="us").dt.replace_time_zone("UTC")
    end = compile_expr(plan.slice_end).cast(pl.Int64)
    return rows.with_columns(
        start.alias("slice_start_ts"),
        pl.from_epoch(end, time_unit="us").dt.replace_time_zone("UTC").alias("slice_end_ts"),
        *(start.dt.strftime(pattern).alias(level) for level, pattern in TIME_LEVELS.items()),
        *(pl.lit(value).alias(name) for name, value in plan.constants().items()),
    ).select(column.name for column in table.columns)
