"""Records -> role views: the one shuffle on top of reading, from which every output is made.

A view is a kept record as one role sees it, with all that is measured already worked out: amounts to sum,
histogram buckets, and one bit per counter that counts it. All views of a host end up in one partition, so that
whatever is then grouped by host, or more finely, needs no further shuffle; the views of busy hosts (`skew.py`)
are spread over all partitions instead.
"""

from __future__ import annotations

from pyspark.sql import DataFrame

from ndr_adapters.spark.expr import literal, quoted, with_columns
from ndr_adapters.spark.quality import KEPT
from ndr_core.delta import DeltaPlan
from ndr_core.expr import Expr, col, lit, substitute
from ndr_core.measures import Additive
from ndr_core.quality import REPAIR_RULES

HOST = ("slice_start", "role_number", "host_ip")
_FLAGS_PER_NUMBER = 62


def counter_groups(plan: DeltaPlan) -> list[list[Additive]]:
    """The counters whose flags share an int64, in the order of their bits."""
    counters = [item for item in plan.stored_sums if not item.can_overflow]
    return [
        counters[first : first + _FLAGS_PER_NUMBER]
        for first in range(0, len(counters), _FLAGS_PER_NUMBER)
    ]


def amounts(plan: DeltaPlan) -> list[Additive]:
    """The sums that can leave int64."""
    return [item for item in plan.stored_sums if item.can_overflow]


def by_host(views: DataFrame) -> DataFrame:
    """Views shuffled so that those of a host share a partition."""
    return views.repartition(*HOST)


def over_all_tasks(views: DataFrame, plan: DeltaPlan, partitions: int) -> DataFrame:
    """Views shuffled by what they say, so that those of one host, or one pair, lie in all partitions."""
    said = ["peer_ip", "peer_port", "event_ts", *(f"amount:{item.name}" for item in amounts(plan))]
    return views.repartition(partitions, *map(quoted, said))


def make_views(flows: DataFrame, plan: DeltaPlan) -> DataFrame:
    """Role views of the records that are kept. `flows`: from `quality.repaired`.

    Columns: HOST, peer_ip, peer_port, event_ts (us), `amount:<sum>`, `flags:<group>`, `bucket:<distribution>`,
    repairs (one bit per rule).
    """
    wanted: dict[str, Expr] = {
        **{name: col(name) for name in ("host_ip", "peer_ip", "peer_port", "event_ts")},
        **{f"amount:{item.name}": item.contribution for item in amounts(plan)},
        **{f"flags:{n}": _flags(group) for n, group in enumerate(counter_groups(plan))},
        **{f"bucket:{item.name}": item.bucket for item in plan.distributions},
    }
    roles = [
        {name: substitute(value, role.view()) for name, value in wanted.items()}
        for role in plan.spec.roles
    ]
    # Values that several roles share are worked out once per record.
    distinct = {
        value: f"value{n}"
        for n, value in enumerate(dict.fromkeys(value for role in roles for value in role.values()))
    }
    records = with_columns(
        flows.where(KEPT),
        {name: value for value, name in distinct.items()} | {"start": plan.slice_start()},
    )
    # The slice comes with the role, lest Spark takes that of a bounded run for a constant, by which it
    # would not know views to be partitioned.
    keys = ", ".join(f"struct(start as slice_start, {n} as role_number)" for n in range(len(roles)))
    exploded = records.selectExpr(
        *distinct.values(),
        f"{_repairs()} as repairs",
        f"inline(array({keys}))",
    )
    return exploded.selectExpr(
        "slice_start",
        "role_number",
        *(
            f"{_by_role([distinct[role[name]] for role in roles])} as {quoted(name)}"
            for name in wanted
        ),
        "repairs",
    )


def role_name(plan: DeltaPlan) -> str:
    """Name of the role with the number `role_number`."""
    return f"case role_number {_cases([literal(role.name) for role in plan.spec.roles])} end"


def bit_is_set(flags: str, bit: int) -> str:
    """Whether a flag of a number is set."""
    return f"({quoted(flags)} & {1 << bit}L) != 0L"


def _flags(counters: list[Additive]) -> Expr:
    total: Expr = lit(0)
    for bit, counter in enumerate(counters):
        total = total + counter.contribution * (1 << bit)
    return total


def _repairs() -> str:
    flags = (f"{quoted(f'repair:{rule.name}')} * {1 << n}L" for n, rule in enumerate(REPAIR_RULES))
    return " + ".join(flags)


def _by_role(columns: list[str]) -> str:
    """Value of the role at hand."""
    return f"case role_number {_cases(columns)} end"


def _cases(values: list[str]) -> str:
    return " ".join(f"when {number} then {value}" for number, value in enumerate(values))
