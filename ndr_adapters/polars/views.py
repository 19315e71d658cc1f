"""Records -> role views: a kept record as each role sees it."""

from __future__ import annotations

from typing import Final

import polars as pl

from ndr_adapters.polars.expr import compile_expr
from ndr_core.deltas.plan import DeltaPlan

HOST: Final = ("slice_start", "role", "host_ip")


def role_views(flows: pl.LazyFrame, plan: DeltaPlan) -> pl.LazyFrame:
    """Each kept record once per role, in the columns of which measures are made. `flows`: from `quality.repaired`."""
    start = compile_expr(plan.slice_start).cast(pl.Int64).alias("slice_start")
    return pl.concat(
        flows.select(
            start,
            pl.lit(role.name).alias("role"),
            *(compile_expr(value).alias(name) for name, value in role.view().items()),
        )
        for role in plan.roles
    )
