"""The plan of a run: all that an engine needs to know, compiled once from a JobSpec and the run's parameters."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from ndr_core.deltas.pairing import FlowPairs
from ndr_core.deltas.roles import Role
from ndr_core.deltas.spec import JobSpec
from ndr_core.deltas.tables import PAIR_SUMS, delta_table, pair_table
from ndr_core.expressions.expr import Expr
from ndr_core.flows.mapping import InputMapping
from ndr_core.flows.moment import Moment
from ndr_core.flows.outcome import key_column
from ndr_core.flows.record import FIELD_BY_NAME
from ndr_core.jobs.run import RuntimeParams
from ndr_core.measures.kinds import (
    Additive,
    CellAggregate,
    Distribution,
    Measure,
    MeasureT,
    PairKey,
    cell_aggregates,
    of_kind,
    row_formulas,
)
from ndr_core.quality.repairs import marks
from ndr_core.quality.rules import RejectRule, Span, reject_rules
from ndr_core.tables.columns import ColumnType
from ndr_core.tables.slices import SliceBounds, slice_end, slice_start
from ndr_core.tables.table import Table


@frozen
class DeltaPlan:
    """Everything an engine needs to know of one run."""

    input: InputMapping
    key_columns: tuple[str, ...]
    """Source columns that only deduplication reads, and what tells of lost data."""
    deduplicate_on: tuple[str, ...]
    """Canonical fields or source columns: records that are equal in all of them count once."""
    reject_rules: tuple[RejectRule, ...]
    roles: tuple[Role, ...]
    measures: tuple[Measure, ...]
    timing: bool
    """Whether the pair table has the columns of `deltas.timing`."""
    slice_minutes: int
    """The length of a slice: each record falls into the slice of its moment."""
    moment: Moment
    """Which time of a record is its moment."""
    bounds: SliceBounds | None
    """The span of slices that the run is for, if it is for one."""
    pairing: FlowPairs | None
    """How one-way records become flows; None where each record is one."""
    feature_spec_version: str
    mini_batch_id: str

    def of_kind(self, kind: type[MeasureT]) -> tuple[MeasureT, ...]:
        return of_kind(self.measures, kind)

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
        return cell_aggregates(self.measures)

    @property
    def row_formulas(self) -> tuple[tuple[str, Expr, ColumnType], ...]:
        """Columns that are formulas over a row of sums and cell aggregates: (name, value, type)."""
        return row_formulas(self.measures)

    @property
    def delta(self) -> Table:
        """The delta table of the chosen measures."""
        return delta_table(self.measures)

    @property
    def pair(self) -> Table:
        """The pair table, with its timing or without."""
        return pair_table(timing=self.timing)

    @property
    def timed_role(self) -> int | None:
        """The number of the role whose pairs have a timing; None where those of no role have one."""
        numbers = (number for number, role in enumerate(self.roles) if role.is_outbound)
        return next(numbers, None) if self.timing else None

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that the run makes."""
        return (self.delta, self.pair)

    @property
    def marks(self) -> Mapping[str, Expr]:
        """What is counted of kept records, as `quality.repairs.marks`."""
        return marks(self.bounds)

    @property
    def duplicate_keys(self) -> tuple[str, ...]:
        """The columns of read records, one for each key, in which duplicates are equal."""
        return tuple(
            name if name in FIELD_BY_NAME else key_column(name) for name in self.deduplicate_on
        )

    @property
    def slice_start(self) -> Expr:
        """Start of the slice of a flow, us, over its moment."""
        return slice_start(self.slice_minutes)

    @property
    def slice_end(self) -> Expr:
        """End of a slice, us, over `slice_start`."""
        return slice_end(self.slice_minutes)

    def constants(self) -> dict[str, str]:
        """Give the columns that are the same in every row of the run."""
        return {
            "mini_batch_id": self.mini_batch_id,
            "feature_spec_version": self.feature_spec_version,
        }


def compile_plan(spec: JobSpec, params: RuntimeParams) -> DeltaPlan:
    """Make the plan of one run. `spec` must be valid (as `parse_job_spec` gives it).

    Raises SpecError for bounds at which no slice of the spec begins.
    """
    quality, delta, bounds = spec.quality, spec.delta, params.bounds
    span = None
    if bounds is not None:
        bounds.refuse_off_grid(delta.slice_minutes)
        span = Span(bounds, delta.moment, quality.allowed_lateness, quality.allowed_earliness)
    key_columns = tuple(dict.fromkeys((*quality.key_columns, *spec.input.lost_columns)))
    return DeltaPlan(
        input=spec.input,
        key_columns=key_columns,
        deduplicate_on=quality.deduplicate_on,
        reject_rules=reject_rules(
            span,
            deduplicates=bool(quality.deduplicate_on),
            readable=(*(one.name for one, _ in spec.input.bound_fields()), *key_columns),
            lost=spec.input.lost,
        ),
        roles=spec.roles,
        measures=spec.chosen_measures(),
        timing=spec.pair.timing,
        slice_minutes=delta.slice_minutes,
        moment=delta.moment,
        bounds=bounds,
        pairing=None if spec.input.pairing is None else _pairs(spec),
        feature_spec_version=spec.feature_spec_version,
        mini_batch_id=params.mini_batch_id,
    )


def _pairs(spec: JobSpec) -> FlowPairs:
    ports = frozenset[int]().union(*spec.enrichment.port_sets.values())
    return FlowPairs(slice_start(spec.delta.slice_minutes), spec.delta.moment, ports)
