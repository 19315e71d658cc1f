"""Busy hosts: those with so many records that one task for all of them would keep the others waiting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pyspark.sql import DataFrame

from ndr_adapters.spark.sql.expr import Sql, compile_expr, literal
from ndr_core.deltas.plan import DeltaPlan

BusyHosts = Mapping[int, list[str]]
"""Role number -> addresses."""

_SAMPLED_RECORDS: Final = 100_000
_SEED: Final = 1


def busy_hosts(flows: DataFrame, plan: DeltaPlan, tasks: int, records: int) -> BusyHosts:
    """Find the hosts whose estimated count of views exceeds half of an average task's, by a sample of the records.

    `flows`: from `quality.settled`; `tasks`: partitions of the views; `records`: about how many there are.
    Which hosts are found decides where rows are built, never what is in them.
    """
    if tasks == 1:
        return {}
    hosts = [compile_expr(role.view()["host_ip"]) for role in plan.roles]
    fraction = min(1.0, _SAMPLED_RECORDS / max(records, 1))
    kept = flows.sample(fraction, seed=_SEED)
    by_host = (
        kept.selectExpr(f"posexplode(array({', '.join(hosts)})) as (role_number, host_ip)")
        .groupBy("role_number", "host_ip")
        .count()
    )
    counted = by_host.selectExpr("*", "sum(count) over () as views")
    busy = counted.where(f"count * {2 * tasks}L > views").collect()
    found: dict[int, list[str]] = {}
    for row in sorted(busy):
        found.setdefault(row["role_number"], []).append(row["host_ip"])
    return found


def has_busy(hosts: BusyHosts, plan: DeltaPlan) -> Sql:
    """Whether a record has one of these hosts in its role."""
    addresses = (
        f"{compile_expr(role.view()['host_ip'])} in ({', '.join(map(literal, hosts[number]))})"
        for number, role in enumerate(plan.roles)
        if number in hosts
    )
    return Sql(f"({' or '.join(addresses)})")


def is_busy(hosts: BusyHosts) -> Sql:
    """Whether a view is one of these hosts'."""
    cases = (
        f"when {role} then host_ip in ({', '.join(map(literal, addresses))})"
        for role, addresses in hosts.items()
    )
    return Sql(f"case role_number {' '.join(cases)} else false end")
