"""Counters of a view as bits: one number says for up to 62 counters whether they count the record."""

from __future__ import annotations

from typing import Final

from ndr_adapters.spark.sql.expr import Sql, quoted
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.expressions.expr import Expr, lit
from ndr_core.measures.kinds import Additive

_FLAGS_PER_NUMBER: Final = 62


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


def flags(counters: list[Additive]) -> Expr:
    """The number of the counters of one group."""
    total: Expr = lit(0)
    for bit, counter in enumerate(counters):
        total = total + counter.contribution * (1 << bit)
    return total


def is_session() -> Sql:
    """Whether a view is one of a session: the first counter of a plan is that of sessions."""
    return bit_is_set("flags:0", 0)


def bit_is_set(number: str, bit: int) -> Sql:
    """Whether a bit is set in the column `number`."""
    return Sql(f"({quoted(number)} & {1 << bit}L) != 0L")
