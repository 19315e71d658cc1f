"""Records -> role views: the one shuffle on top of reading, from which every output is made.

A view is a kept record as one role sees it, with the value of each measure in a column: amounts to sum,
histogram buckets, and one bit per counter that counts it. All views of a host end up in one partition, so that
whatever is then grouped by host, or more finely, needs no further shuffle; the views of busy hosts (`skew.py`)
are spread over all partitions instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pyspark.sql import DataFrame

from ndr_adapters.spark.sql.expr import Sql, literal, quoted, with_columns
from ndr_adapters.spark.sql.flags import amounts, counter_groups, flags
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.deltas.timing import TIMING_HISTOGRAMS, TIMING_SUMS
from ndr_core.expressions.expr import Expr, col, lit, substitute
from ndr_core.quality.repairs import MARKS, mark_column

HOST: Final = ("slice_start", "role_number", "host_ip")


def role_views(flows: DataFrame, plan: DeltaPlan) -> DataFrame:
    """Role views of records. `flows`: from `quality.settled`.

    Columns: HOST, peer_ip, peer_port, event_ts (us), `amount:<sum>`, `flags:<group>`, `bucket:<distribution>`,
    marks (one bit per mark); `timing:<column>` with numbers of buckets and amounts, null for roles without a timing.
    """
    wanted: dict[str, Expr] = {
        **{name: col(name) for name in ("host_ip", "peer_ip", "peer_port", "event_ts")},
        **{f"amount:{item.name}": item.contribution for item in amounts(plan)},
        **{f"flags:{n}": flags(group) for n, group in enumerate(counter_groups(plan))},
        **{f"bucket:{item.name}": item.bucket for item in plan.distributions},
    }
    roles = [
        {
            name: substitute(value, {**role.view(), "slice_start": plan.slice_start})
            for name, value in (wanted | _timing(number, plan)).items()
        }
        for number, role in enumerate(plan.roles)
    ]
    # Values that several roles share are worked out once per record.
    distinct = {
        value: f"value{n}"
        for n, value in enumerate(dict.fromkeys(value for role in roles for value in role.values()))
    }
    records = with_columns(
        flows,
        {name: value for value, name in distinct.items()} | {"start": plan.slice_start},
    )
    keys = ", ".join(f"struct(start as slice_start, {n} as role_number)" for n in range(len(roles)))
    exploded = records.selectExpr(
        *distinct.values(),
        f"{_marks()} as marks",
        f"inline(array({keys}))",
    )
    return exploded.selectExpr(
        "slice_start",
        "role_number",
        *(
            f"{_by_role([distinct[role[name]] for role in roles])} as {quoted(name)}"
            for name in roles[0]
        ),
        "marks",
    )


def _timing(role: int, plan: DeltaPlan) -> dict[str, Expr]:
    """What the timing of a pair is made of: null for a role that has none."""
    if plan.timed_role is None:
        return {}
    values = {one.name: one.session_number for one in TIMING_HISTOGRAMS}
    values |= {one.name: one.contribution for one in TIMING_SUMS}
    is_timed = role == plan.timed_role
    return {f"timing:{name}": value if is_timed else lit(None) for name, value in values.items()}


def role_name(plan: DeltaPlan) -> Sql:
    """Name of the role with the number `role_number`."""
    names = [literal(role.name) for role in plan.roles]
    return Sql(f"case role_number {_cases(names)} end")


def _marks() -> Sql:
    """One bit per mark that the record has."""
    bits = (f"if({quoted(mark_column(name))}, {1 << n}L, 0L)" for n, name in enumerate(MARKS))
    return Sql(" + ".join(bits))


def _by_role(columns: list[str]) -> Sql:
    """Value of the role that the view is made for."""
    return Sql(f"case role_number {_cases(columns)} end")


def _cases(values: Sequence[str]) -> str:
    return " ".join(f"when {number} then {value}" for number, value in enumerate(values))
