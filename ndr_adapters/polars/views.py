"""Records -> role views: what each role reads of the kept records, each value once per record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.addresses import Addresses
from ndr_adapters.polars.expr import compile_expr
from ndr_adapters.polars.texts import text_columns
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.deltas.tables import PAIR_SUMS
from ndr_core.deltas.timing import TIMING_HISTOGRAMS, TIMING_SUMS, PairHistogram
from ndr_core.expressions.expr import Constant, Expr, If, col, columns_of, substitute
from ndr_core.flows.record import FLOW_FIELDS, FieldKind
from ndr_core.flows.vocabulary import UNKNOWN
from ndr_core.measures.kinds import Additive
from ndr_core.quality.repairs import MARKS, SETTLED_FIELDS, mark_column
from ndr_core.times import MINUTE_US

HOST: Final = "host"
"""Key of a delta row, one integer: minute of its slice, role and address, in 27 + 4 + 32 bits."""

MINUTE: Final = "slice_minute"
"""Column of views: the minute at which the slice of a record starts."""

_ROLE_BITS: Final = 4
_ADDRESS_BITS: Final = 32


class Form(Enum):
    """How a value is held: as narrow as its meaning allows."""

    ADDRESS = "a number for an address"
    PORT = "port + 1, 0 where it is not known"
    TIME = "us since 1970-01-01 UTC"
    AMOUNT = "an int64"
    FLAG = "whether a record counts"
    BUCKET = "an integer from 0 to 2^31 - 1, null where it is no session"


@frozen
class RoleViews:
    """Rows, each seen by every role, and which column a role reads what from.

    A value that is the same for several roles is one column. Rows are records, or records of one pair summed up.
    """

    rows: pl.LazyFrame
    columns: Mapping[tuple[Form, Expr], str]
    """A value over what any role sees of a record -> the column that has it."""
    roles: Mapping[int, Mapping[str, Expr]]
    """Number of a role -> the columns that measures speak of, as what it sees of a record."""

    def column(self, role: int, form: Form, value: Expr) -> str:
        """Give the column that has, for a role, a value over the columns that measures speak of."""
        return self.columns[form, substitute(value, self.roles[role])]

    def addend(self, role: int, item: Additive) -> str:
        """Give the column that a sum adds up for a role."""
        return self.column(role, form_of(item), item.contribution)

    def address(self, role: int) -> str:
        """Give the column with the host of a role."""
        return self.column(role, Form.ADDRESS, col("host_ip"))

    def peer(self, role: int) -> str:
        """Give the column with the peer of a role."""
        return self.column(role, Form.ADDRESS, col("peer_ip"))

    def port(self, role: int) -> str:
        """Give the column with the service port of a role."""
        return self.column(role, Form.PORT, col("peer_port"))

    def end(self, role: int) -> str:
        """Give the column with the end of a session."""
        return self.column(role, Form.TIME, col("event_ts"))

    def number(self, role: int, histogram: PairHistogram) -> str:
        """Give the column with the number of a session's bucket."""
        return self.column(role, Form.BUCKET, histogram.session_number)

    def host(self, role: int) -> pl.Expr:
        """Give HOST of a role."""
        minute_and_role = pl.col(MINUTE).cast(pl.Int64) * (1 << _ROLE_BITS) + role
        address = pl.col(self.address(role)).cast(pl.Int64)
        return (minute_and_role * (1 << _ADDRESS_BITS) + address).alias(HOST)


def form_of(item: Additive) -> Form:
    """Tell whether a sum counts records or adds amounts."""
    return Form.AMOUNT if item.can_overflow else Form.FLAG


def numbered(flows: pl.LazyFrame, addresses: Addresses) -> pl.LazyFrame:
    """Put numbers in place of addresses."""
    fields = [one.name for one in FLOW_FIELDS if one.kind is FieldKind.IP]
    return flows.with_columns(addresses.number(pl.col(name)).alias(name) for name in fields)


def needed_columns(plan: DeltaPlan) -> list[str]:
    """Name the columns of judged records that are read once duplicates are found."""
    values = [value for role in plan.roles for value in role.view().values()]
    values += [plan.slice_start, *UNKNOWN.values(), *SETTLED_FIELDS.values()]
    if plan.pairing is not None:
        values += plan.pairing.values
    read = {name for value in values for name in columns_of(value)}
    read |= {"outcome", "rule", *text_columns(plan), *map(mark_column, MARKS), *SETTLED_FIELDS}
    read |= {one.name for one in FLOW_FIELDS if one.kind is FieldKind.IP}
    return sorted(read)


def role_views(flows: pl.LazyFrame, plan: DeltaPlan) -> RoleViews:
    """Give what the roles read of each kept record.

    `flows`: from `quality.settled`, with numbers in place of addresses.
    """
    views = [role.view() for role in plan.roles]
    seen = dict.fromkeys(value for view in views for value in view.values())
    names = {value: f"seen_{number}" for number, value in enumerate(seen)}
    roles = {
        number: {name: col(names[value]) for name, value in view.items()}
        for number, view in enumerate(views)
    }
    values = dict.fromkeys(
        (form, substitute(value, view))
        for number, view in roles.items()
        for form, value in _values(plan, number)
    )
    columns = {value: f"{value[0].name.lower()}_{number}" for number, value in enumerate(values)}
    start = compile_expr(plan.slice_start).cast(pl.Int64)
    rows = flows.select(
        (start // MINUTE_US).cast(pl.UInt32).alias(MINUTE),
        start.alias("slice_start"),
        *(compile_expr(value).alias(name) for value, name in names.items()),
    ).select(MINUTE, *(_held(form, value).alias(name) for (form, value), name in columns.items()))
    return RoleViews(rows, columns, roles)


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


def _values(plan: DeltaPlan, role: int) -> Iterator[tuple[Form, Expr]]:
    """All that is read of the view of a role."""
    yield Form.ADDRESS, col("host_ip")
    yield Form.ADDRESS, col("peer_ip")
    yield Form.PORT, col("peer_port")
    yield Form.TIME, col("event_ts")
    for item in (*PAIR_SUMS, *plan.stored_sums):
        yield form_of(item), item.contribution
    for distribution in plan.distributions:
        yield Form.BUCKET, distribution.bucket
    if role == plan.timed_role:
        for one in TIMING_SUMS:
            yield form_of(one), one.contribution
        for histogram in TIMING_HISTOGRAMS:
            yield Form.BUCKET, histogram.session_number


def _held(form: Form, value: Expr) -> pl.Expr:
    match form, value:
        case Form.FLAG, If(condition, Constant(1), Constant(0)):
            return compile_expr(condition).fill_null(False)
        case Form.FLAG, _:
            return compile_expr(value).cast(pl.Boolean)
        case Form.PORT, _:
            return (compile_expr(value) + 1).fill_null(0).cast(pl.UInt32)
        case Form.BUCKET, _:
            return compile_expr(value).cast(pl.UInt32)
    return compile_expr(value)
