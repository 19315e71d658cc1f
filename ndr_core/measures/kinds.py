"""The kinds of measures, as values: each names its columns, how it is built and how it merges.

Adapters know these five, never a single measure:

* `Additive`: an int64 sum over records;
* `Distribution`: counts of records by an integer bucket, with columns derived from the counts;
* `PairDerived`: from the sessions and bytes per distinct peer or port;
* `Derived`: a formula over stored columns of the same row;
* `Untold`: a sum of which the source tells nothing.

A threat record is no session: it counts in what `records_where` makes, and in nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeVar

from attrs import frozen

from ndr_core.expressions.expr import Expr, col, columns_of, lit, when
from ndr_core.expressions.portable import bucket_middle, bucket_of, n_log2_n_fixed_point
from ndr_core.tables.columns import ColumnType, Merge, OutputColumn
from ndr_core.tables.origin import Origin
from ndr_core.tables.units import BITS, BYTES, COUNT, COUNTS

PERCENTILES: Final = (25, 50, 75, 95, 99)


BY_BUCKET: Final = "number of records by {}"
"""How a histogram of records comes about."""

IS_SESSION: Final = col("is_session")
"""Whether a view is one of a session."""


def of_records(unit: str, value: Expr, form: str, null: str = "") -> Origin:
    """Say how a column is made of values of records: of what a role sees of them."""
    return Origin(
        unit, value, tuple(f"record.{name}" for name in sorted(columns_of(value))), null, form=form
    )


@frozen
class Additive:
    """Sum over records of a non-negative int64 contribution."""

    name: str
    contribution: Expr
    meaning: str
    can_overflow: bool = True
    """False where a record contributes 0 or 1."""
    unit: str = COUNT
    null: str = ""
    """Where it is null; nothing: nowhere."""

    def columns(self) -> tuple[OutputColumn, ...]:
        form = "sum over the records of {}"
        origin = of_records(self.unit, self.contribution, form, self.null)
        return (OutputColumn(self.name, ColumnType.INT64, Merge.SUM, self.meaning, origin),)


def count(name: str, meaning: str) -> Additive:
    """Number of sessions."""
    return records_where(name, IS_SESSION, meaning)


def count_where(name: str, condition: Expr, meaning: str) -> Additive:
    """Number of sessions for which the condition is true."""
    return records_where(name, IS_SESSION & condition, meaning)


def records_where(name: str, condition: Expr, meaning: str) -> Additive:
    """Number of records, sessions or not, for which the condition is true."""
    return Additive(name, when(condition, 1, 0), meaning, can_overflow=False)


def sum_of(name: str, value: Expr, meaning: str, unit: str = BYTES) -> Additive:
    """Sum of a non-negative int64 over sessions; null counts 0."""
    return Additive(name, of_sessions(value).or_else(0), meaning, unit=unit)


def of_sessions(value: Expr) -> Expr:
    """The value of a session, null for another record."""
    return when(IS_SESSION, value, None)


@frozen
class Untold:
    """A sum that no record adds to, as the source tells nothing of it: null in every row."""

    name: str
    meaning: str
    unit: str = COUNT

    def columns(self) -> tuple[OutputColumn, ...]:
        origin = Origin(self.unit, "nothing tells of it", null="in every row")
        return (OutputColumn(self.name, ColumnType.INT64, Merge.SUM, self.meaning, origin),)


@frozen
class Quantile:
    """A readout of a distribution: the value at a nearest-rank percentile."""

    name: str
    percent: int
    value: Expr
    """Over the column `bucket`."""
    type: ColumnType
    unit: str = COUNT

    def origin(self, histogram: str) -> Origin:
        """Say how it is read off a histogram, the column of that name."""
        return Origin(
            self.unit,
            self.value,
            (histogram,),
            null="without a session of which the value is known",
            form=f"{{}}, bucket: that of {histogram} with rank ceil({self.percent} / 100 n) of n sessions",
        )


@frozen
class LargestCount:
    """A readout of a distribution: the count of its fullest bucket."""

    name: str

    def origin(self, histogram: str) -> Origin:
        """Say how it is read off a histogram, the column of that name."""
        return Origin(
            COUNT, f"largest count of a bucket of {histogram}; 0 without any", (histogram,)
        )


@frozen
class Distribution:
    """Counts of sessions by bucket, stored as a histogram; its readouts are derived from the counts."""

    name: str
    histogram: str
    """The stored column: (bucket, count) in ascending order of bucket."""
    bucket: Expr
    """An integer from 0 to 2^31 - 1 for each session, null for another record."""
    readouts: tuple[Quantile | LargestCount, ...]
    meaning: str
    readout_meaning: str

    def columns(self) -> tuple[OutputColumn, ...]:
        stored = OutputColumn(
            self.histogram,
            ColumnType.HISTOGRAM,
            Merge.HISTOGRAM,
            self.meaning,
            of_records(COUNTS, self.bucket, BY_BUCKET),
        )
        derived = (
            OutputColumn(
                readout.name,
                readout.type if isinstance(readout, Quantile) else ColumnType.INT64,
                Merge.DERIVED,
                self.readout_meaning,
                readout.origin(self.histogram),
            )
            for readout in self.readouts
        )
        return (stored, *derived)


PairKey = Literal["peer_ip", "peer_port"]


@frozen
class CellAggregate:
    """One number over the cells of a host: a cell is one distinct peer or port, with `sessions` and `bytes`."""

    name: str
    how: Literal["sum", "max"]
    value: Expr
    meaning: str
    unit: str = COUNT

    def origin(self, key: PairKey) -> Origin:
        """Say how it is made of the pair table, in which the cells are the values of `key`."""
        verb = "sum" if self.how == "sum" else "largest"
        form = f"{verb} over the distinct {key} of {{}}"
        return Origin(self.unit, self.value, (f"pair.{key}", *_CELL_INPUTS), form=form)


_CELL_INPUTS: Final = ("pair.sessions_cnt", "pair.bytes_sent_sum")


def _cell_aggregates(key: PairKey) -> tuple[CellAggregate, ...]:
    sessions, sent = col("sessions"), col("bytes")
    what = {"peer_ip": "peers", "peer_port": "known ports"}[key]
    return (
        CellAggregate(f"{key}:cells", "sum", lit(1), f"distinct {what}"),
        CellAggregate(f"{key}:sessions", "sum", sessions, f"sessions of {what}"),
        CellAggregate(
            f"{key}:sessions_top", "max", sessions, f"most sessions of one of the {what}"
        ),
        CellAggregate(
            f"{key}:sessions_log",
            "sum",
            n_log2_n_fixed_point(sessions),
            f"sum over {what} of n log2(n), n the sessions of one, in 2^-16 bits",
            BITS,
        ),
        CellAggregate(f"{key}:bytes", "sum", sent, f"bytes the host sent to {what}", BYTES),
        CellAggregate(
            f"{key}:bytes_top", "max", sent, f"most bytes sent to one of the {what}", BYTES
        ),
    )


CELL_AGGREGATES: Final[dict[PairKey, tuple[CellAggregate, ...]]] = {
    "peer_ip": _cell_aggregates("peer_ip"),
    "peer_port": _cell_aggregates("peer_port"),
}


@frozen
class PairDerived:
    """From the pair table of the host: `value` is over the cell aggregates of `key` (null key: no cell)."""

    name: str
    key: PairKey
    value: Expr
    type: ColumnType
    meaning: str
    unit: str = COUNT

    def columns(self) -> tuple[OutputColumn, ...]:
        origin = Origin(self.unit, self.value)
        return (OutputColumn(self.name, self.type, Merge.PAIRS, self.meaning, origin),)


@frozen
class Derived:
    """A float over stored columns of the same row."""

    name: str
    value: Expr
    needs: tuple[str, ...]
    """Measures whose columns `value` reads."""
    meaning: str
    unit: str = COUNT

    def columns(self) -> tuple[OutputColumn, ...]:
        origin = Origin(self.unit, self.value)
        return (OutputColumn(self.name, ColumnType.FLOAT64, Merge.DERIVED, self.meaning, origin),)


Measure = Additive | Untold | Distribution | PairDerived | Derived
MeasureT = TypeVar("MeasureT", bound=Measure)


def of_kind(measures: Sequence[Measure], kind: type[MeasureT]) -> tuple[MeasureT, ...]:
    """Give the measures of one kind, in their order."""
    return tuple(measure for measure in measures if isinstance(measure, kind))


def cell_aggregates(measures: Sequence[Measure]) -> Mapping[PairKey, tuple[CellAggregate, ...]]:
    """Give the aggregates over distinct peers and ports that measures need."""
    keys = {measure.key for measure in of_kind(measures, PairDerived)}
    return {key: aggregates for key, aggregates in CELL_AGGREGATES.items() if key in keys}


def row_formulas(measures: Sequence[Measure]) -> tuple[tuple[str, Expr, ColumnType], ...]:
    """Give the columns that are formulas over a row of sums and cell aggregates: (name, value, type)."""
    return tuple(
        (
            measure.name,
            lit(None) if isinstance(measure, Untold) else measure.value,
            measure.columns()[0].type,
        )
        for measure in measures
        if isinstance(measure, PairDerived | Derived | Untold)
    )


def quantiles(name: str, value: Expr, scale: int, unit: str) -> Distribution:
    """Percentiles of a non-negative int64 from its log-linear histogram, relative error below 1 %.

    `scale`: the stored integers per unit of the percentile columns; 1 keeps them int64.
    """
    middle = bucket_middle(col("bucket"))
    readout_value = middle if scale == 1 else middle.to_float() / float(scale)
    readout_type = ColumnType.INT64 if scale == 1 else ColumnType.FLOAT64
    return Distribution(
        name=f"{name}_quantiles",
        histogram=f"{name}_hist",
        bucket=of_sessions(bucket_of(value)),
        readouts=tuple(
            Quantile(
                f"{name}_p{percent}",
                percent,
                readout_value,
                readout_type,
                unit,
            )
            for percent in PERCENTILES
        ),
        meaning=f"sessions by log-linear bucket of {name} ({'us' if scale > 1 else unit})",
        readout_meaning=f"nearest-rank percentile of {name}, {unit}, within 1 %",
    )
