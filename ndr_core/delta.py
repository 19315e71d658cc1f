"""The output tables: keys, columns, slices and partitions; and the plan that engines carry out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

from attrs import frozen

from ndr_core.expr import Expr, col, lit
from ndr_core.flow import MINUTE_US
from ndr_core.job_spec import JobSpec, RuntimeParams
from ndr_core.measures import (
    CELL_AGGREGATES,
    Additive,
    CellAggregate,
    ColumnType,
    Derived,
    Distribution,
    Measure,
    Merge,
    OutputColumn,
    PairDerived,
    PairKey,
    count,
    measures_for,
    select_measures,
    sum_of,
)
from ndr_core.quality import RejectRule, reject_rules
from ndr_core.times import iso_text, to_datetime

SLICE_US: Final = 15 * MINUTE_US
PARTITION_KEYS: Final = ("feature_spec_version", "dt", "hh", "mm", "role")
"""Directory levels of both tables, outermost first; they are not stored in the files."""

DELTA_KEYS: Final = ("slice_start_ts", "role", "host_ip")
PAIR_KEYS: Final = (*DELTA_KEYS, "peer_ip", "peer_port")
DELTA_TABLE: Final = "delta"
PAIR_TABLE: Final = "pair"
QUARANTINE: Final = "quarantine"


def _key(name: str, column_type: ColumnType, meaning: str) -> OutputColumn:
    return OutputColumn(name, column_type, Merge.KEY, meaning)


_HOST = _key("host_ip", ColumnType.STRING, "the host")
_SLICE = (
    _key("slice_start_ts", ColumnType.TIMESTAMP, "start of the slice, inclusive"),
    _key("slice_end_ts", ColumnType.TIMESTAMP, "end of the slice, exclusive"),
    _key("mini_batch_id", ColumnType.STRING, "the mini-batch that the row was built from"),
)
_PARTITION = (
    _key("feature_spec_version", ColumnType.STRING, "version of the features"),
    _key("dt", ColumnType.STRING, "UTC date of slice_start_ts, YYYY-MM-DD"),
    _key("hh", ColumnType.STRING, "UTC hour of slice_start_ts, 00..23"),
    _key("mm", ColumnType.STRING, "UTC minute of slice_start_ts, 00..59"),
    _key("role", ColumnType.STRING, "the side from which the host is seen"),
)

PAIR_SUMS: Final = (
    count("sessions_cnt", "sessions of the pair"),
    sum_of("bytes_sent_sum", col("bytes_sent"), "bytes the host sent to the peer"),
    sum_of("bytes_recv_sum", col("bytes_recv"), "bytes the host received from the peer"),
)
PAIR_COLUMNS: Final[tuple[OutputColumn, ...]] = (
    _HOST,
    _key("peer_ip", ColumnType.STRING, "the peer"),
    _key("peer_port", ColumnType.INT64, "the service port, null where unknown"),
    *_SLICE,
    *(measure.columns()[0] for measure in PAIR_SUMS),
    OutputColumn("event_ts", ColumnType.TIMESTAMP, Merge.DERIVED, "latest end of a session"),
    *_PARTITION,
)

MeasureT = TypeVar("MeasureT", bound=Measure)


@frozen
class DeltaPlan:
    """Everything an engine needs to know, compiled once from a JobSpec and the parameters of a run."""

    spec: JobSpec
    params: RuntimeParams
    measures: tuple[Measure, ...]
    reject_rules: tuple[RejectRule, ...]

    def of_kind(self, kind: type[MeasureT]) -> tuple[MeasureT, ...]:
        return tuple(measure for measure in self.measures if isinstance(measure, kind))

    @property
    def sums(self) -> tuple[Additive, ...]:
        return self.of_kind(Additive)

    @property
    def stored_sums(self) -> tuple[Additive, ...]:
        """Sums to make per host, those of the pair table first: their overflow must be found in any case."""
        return tuple({sum_.name: sum_ for sum_ in (*PAIR_SUMS, *self.sums)}.values())

    @property
    def distributions(self) -> tuple[Distribution, ...]:
        return self.of_kind(Distribution)

    @property
    def cell_aggregates(self) -> Mapping[PairKey, tuple[CellAggregate, ...]]:
        """Aggregates over distinct peers and ports that the chosen measures need."""
        keys = {measure.key for measure in self.of_kind(PairDerived)}
        return {key: aggregates for key, aggregates in CELL_AGGREGATES.items() if key in keys}

    @property
    def row_formulas(self) -> tuple[tuple[str, Expr, ColumnType], ...]:
        """Columns that are formulas over a row of sums and cell aggregates: (name, value, type)."""
        return tuple(
            (measure.name, measure.value, measure.columns()[0].type)
            for measure in self.measures
            if isinstance(measure, PairDerived | Derived)
        )

    @property
    def delta_columns(self) -> tuple[OutputColumn, ...]:
        """Schema of the delta table, in order; the partition keys come last."""
        measured = (column for measure in self.measures for column in measure.columns())
        return (_HOST, *_SLICE, *measured, *_PARTITION)

    def slice_start(self) -> Expr:
        """Start of the slice of a flow, us, over `event_start`."""
        if self.params.slice_start is not None:
            return lit(self.params.slice_start)
        return col("event_start") // SLICE_US * SLICE_US

    def slice_end(self) -> Expr:
        """End of a slice, us, over `slice_start`."""
        if self.params.slice_end is not None:
            return lit(self.params.slice_end)
        return col("slice_start") + SLICE_US

    @property
    def shared_path(self) -> str:
        """Directory below a table that all rows of the run share: with bounds the slice's, else the table's."""
        if self.params.slice_start is None:
            return ""
        return slice_path(self.spec.feature_spec_version, self.params.slice_start)

    @property
    def varying_keys(self) -> tuple[str, ...]:
        """Partition keys below `shared_path`: what still has to be told row by row."""
        return PARTITION_KEYS if self.params.slice_start is None else ("role",)

    def due_folders(self) -> list[tuple[str, tuple[OutputColumn, ...]]]:
        """Folders that a run must leave even without rows, and the columns of their files.

        A bounded slice has one per table and role, so that readers find the tables; other runs have none.
        """
        if self.params.slice_start is None:
            return []
        return [
            (
                f"{table}/{self.shared_path}/role={role.name}",
                tuple(column for column in columns if column.name not in PARTITION_KEYS),
            )
            for table, columns in ((DELTA_TABLE, self.delta_columns), (PAIR_TABLE, PAIR_COLUMNS))
            for role in self.spec.roles
        ]

    def constants(self) -> dict[str, str]:
        """Columns that are the same in every row of the run."""
        return {
            "mini_batch_id": self.params.mini_batch_id,
            "feature_spec_version": self.spec.feature_spec_version,
        }


def compile_plan(spec: JobSpec, params: RuntimeParams) -> DeltaPlan:
    """The plan of one run. `spec` must be valid (as `parse_job_spec` gives it)."""
    measures, _ = select_measures(measures_for(spec), spec.delta.measures)
    return DeltaPlan(spec, params, measures, reject_rules(params, spec.quality))


def partition_of(slice_start_us: int) -> dict[str, str]:
    """The time partition keys dt, hh, mm of a slice."""
    moment = to_datetime(slice_start_us)
    return {"dt": f"{moment:%Y-%m-%d}", "hh": f"{moment:%H}", "mm": f"{moment:%M}"}


def slice_path(feature_spec_version: str, slice_start_us: int) -> str:
    """Directory of a slice below its table: `feature_spec_version=../dt=../hh=../mm=..`."""
    levels = {"feature_spec_version": feature_spec_version, **partition_of(slice_start_us)}
    return "/".join(f"{key}={value}" for key, value in levels.items())


def overflow_place(slice_start_us: int, role: str, host_ip: str) -> str:
    """Names a delta row in the message of an overflow."""
    return f"host {host_ip} ({role}, slice from {iso_text(slice_start_us)})"


@frozen
class Quarantined:
    """A rejected record: its rule, the canonical field at fault if one is, and the line's text."""

    rule: str
    field: str | None
    raw: str
