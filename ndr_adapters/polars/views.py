"""Records -> role views: a kept record as each role sees it."""

from __future__ import annotations

from typing import Final

import polars as pl

from ndr_adapters.polars.addresses import Addresses
from ndr_adapters.polars.expr import compile_expr
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.record import FLOW_FIELDS, FieldKind
from ndr_core.times import MINUTE_US

HOST: Final = "host"
"""Key of a delta row, one integer: minute of its slice, role and address, in 27 + 4 + 32 bits."""

_ROLE_BITS: Final = 4
_ADDRESS_BITS: Final = 32


def numbered(flows: pl.LazyFrame, addresses: Addresses) -> pl.LazyFrame:
    """Put numbers in place of addresses."""
    fields = [one.name for one in FLOW_FIELDS if one.kind is FieldKind.IP]
    return flows.with_columns(addresses.number(pl.col(name)).alias(name) for name in fields)


def role_views(flows: pl.LazyFrame, plan: DeltaPlan) -> pl.LazyFrame:
    """Each kept record once per role, in the columns of which measures are made, and HOST.

    `flows`: from `quality.repaired`, with numbers in place of addresses.
    """
    minute = compile_expr(plan.slice_start).cast(pl.Int64) // MINUTE_US
    return pl.concat(
        flows.select(
            _host(minute, number, pl.col(role.host)).alias(HOST),
            *(compile_expr(value).alias(name) for name, value in role.view().items()),
        )
        for number, role in enumerate(plan.roles)
    )


def host_columns(plan: DeltaPlan, addresses: Addresses) -> list[pl.Expr]:
    """What HOST stands for: `slice_start` (us), `role`, `host_ip`."""
    minute_and_role = pl.col(HOST) // (1 << _ADDRESS_BITS)
    role = minute_and_role % (1 << _ROLE_BITS)
    names = {number: role.name for number, role in enumerate(plan.roles)}
    return [
        (minute_and_role // (1 << _ROLE_BITS) * MINUTE_US).alias("slice_start"),
        role.replace_strict(names, return_dtype=pl.String).alias("role"),
        addresses.text(pl.col(HOST) % (1 << _ADDRESS_BITS)).alias("host_ip"),
    ]


def _host(minute: pl.Expr, role: int, address: pl.Expr) -> pl.Expr:
    return (minute * (1 << _ROLE_BITS) + role) * (1 << _ADDRESS_BITS) + address.cast(pl.Int64)
