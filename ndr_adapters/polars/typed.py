"""Columns of values -> flow records as read, where Polars provably reads them as the core does.

A column is one leaf of the records' objects: strings (of delimited lines), or whatever type Parquet has for it. What
a text, an address or the minute of a time means, the core is asked once for each distinct value; numbers are read by
Polars' own means as far as these are exact. A record with anything else is UNFIT: the core reads it by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import polars as pl
from attrs import define, field

from ndr_adapters.polars.clock import Clock, clock_of, minute_text, time_by
from ndr_adapters.polars.durations import Took, can_be_resolved, pick, resolved_durations
from ndr_adapters.polars.fields import columns_of, first_that_fits, without
from ndr_adapters.polars.instants import instant_us
from ndr_adapters.polars.lookup import KNOWN, VALUE, can_be_looked_up, looked_up
from ndr_adapters.polars.time_text import can_be
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.leaf import Leaf
from ndr_core.flows.mapping import FieldSource
from ndr_core.flows.object_reader import field_reader
from ndr_core.flows.outcome import READ, SKIPPED, UNFIT, key_column
from ndr_core.flows.record import FieldKind, FlowField
from ndr_core.flows.selection import Condition
from ndr_core.flows.time_format import Format, TimeFormat
from ndr_core.flows.time_zone import ZoneOffsets, zone_offsets
from ndr_core.flows.values import MAX_INTEGRAL_DOUBLE, NUMBER, text_of
from ndr_core.times import TIME_LIMIT_US

_NS_PER_US: Final = 1000
_NS_FORMATS: Final = (TimeFormat.EPOCH_NS, TimeFormat.DURATION_NS)
_NEVER: Final = pl.lit(False)
_NUMBER: Final = f"^(?:{NUMBER})$"


@define
class _Recipe:
    """What to compute of the columns of some records, in two steps."""

    lookups: dict[str, pl.Expr] = field(factory=dict)
    """First: column -> what the core is asked of distinct values, and what several values are made of."""
    values: dict[str, pl.Expr] = field(factory=dict)
    """Second: flow fields and keys."""
    took: dict[str, Took] = field(factory=dict)
    """With them: which times are durations."""
    fits: list[pl.Expr] = field(factory=list)
    """With them: a record of which all hold is read by the values."""
    selected: list[pl.Expr] = field(factory=list)
    """With them: a record of which one does not hold is skipped."""

    def ask(
        self, columns: Sequence[pl.Expr], ask: Callable[[list[Any]], Any], dtype: pl.DataType
    ) -> tuple[pl.Expr, pl.Expr]:
        """Note what to ask of some columns; gives the answer and whether there is one."""
        name = f"lookup {len(self.lookups)}"
        self.lookups[name] = looked_up(columns, ask, dtype)
        return pl.col(name).struct.field(VALUE), pl.col(name).struct.field(KNOWN)


class TypedReader:
    """Reads columns of values under one plan."""

    def __init__(self, plan: DeltaPlan) -> None:
        mapping = plan.input
        self._plan = plan
        self._null_values = mapping.null_values
        self._zone = None if mapping.timezone is None else zone_offsets(mapping.timezone)
        self.leaves: tuple[Leaf, ...] = tuple(
            dict.fromkeys((*mapping.leaves(), *((name,) for name in plan.key_columns)))
        )
        """The leaves of which columns are needed."""

    def read(self, columns: Mapping[Leaf, pl.Series], height: int) -> pl.DataFrame:
        """Give flow fields, keys, `outcome` and `fault`; what the fields of an UNFIT record hold means nothing.

        `columns`: those of `leaves` that the records have; null where a record has no value.
        """
        names = {leaf: f"leaf {number}" for number, leaf in enumerate(columns)}
        frame = pl.DataFrame([columns[leaf].alias(name) for leaf, name in names.items()])
        if not names:
            frame = pl.DataFrame({"": pl.repeat(None, height, eager=True)})
        frame = frame.with_columns(
            _without_no_values(name, dtype, self._null_values)
            for name, dtype in frame.schema.items()
        )
        recipe = _Recipe()
        fields = _Fields(self._plan, frame, names, self._zone, recipe)
        for condition in self._plan.input.only.conditions:
            fields.select(condition)
        for flow_field, source in self._plan.input.bound_fields():
            fields.add(flow_field, source)
        fields.resolve_duration()
        for name in self._plan.key_columns:
            fields.add_key(name)
        return self._read(frame.with_columns(**recipe.lookups), recipe)

    def _read(self, frame: pl.DataFrame, recipe: _Recipe) -> pl.DataFrame:
        constants = {name: pl.lit(value) for name, value in self._plan.input.constants().items()}
        known = {**constants, **recipe.values}
        each = (
            pl.int_range(pl.len()) >= 0
        )  # so that there is a row for each record, whatever is mapped
        fits = pl.all_horizontal(each, *recipe.fits).fill_null(False)
        selected = pl.all_horizontal(pl.lit(True), *recipe.selected).fill_null(False)
        outcome = pl.when(~selected).then(SKIPPED).when(fits).then(READ).otherwise(UNFIT)
        known["outcome"] = outcome
        return frame.select(
            known.get(name, pl.lit(None)).cast(dtype).alias(name)
            for name, dtype in columns_of(self._plan).items()
        )


def _without_no_values(name: str, dtype: pl.DataType, null_values: Sequence[str]) -> pl.Expr:
    """A column, null where its value stands for none."""
    if dtype.is_float():
        return pl.when(pl.col(name).is_finite()).then(name).alias(name)
    column = pl.col(name)
    return without(column, null_values).alias(name) if dtype == pl.String() else column


@define
class _Fields:
    """Adds fields to a recipe, by the types of the columns that there are."""

    plan: DeltaPlan
    frame: pl.DataFrame
    names: Mapping[Leaf, str]
    zone: ZoneOffsets | None
    recipe: _Recipe

    def select(self, condition: Condition) -> None:
        """Have the records that a condition does not fit skipped."""
        name = self.names.get(condition.leaf)
        if name is None:
            self.recipe.selected.append(pl.lit(condition.fits({}, ())))
            return
        if not can_be_looked_up(self.frame.schema[name]):
            self._refuse(pl.col(name).is_null())
            fits = pl.col(name).is_not_null() | pl.lit(condition.fits({}, ()))
        else:
            fits, _ = self.recipe.ask(
                [pl.col(name)],
                lambda values: condition.fits(_object(condition.leaf, values[0]), ()),
                pl.Boolean(),
            )
        self.recipe.selected.append(fits)

    def add(self, flow_field: FlowField, source: FieldSource) -> None:
        """Read a field."""
        if flow_field.kind is FieldKind.TEXT and len(source.inputs) == 1:
            there = [self.names[leaf] for leaf in source.inputs[0] if leaf in self.names]
            dtypes = {self.frame.schema[name] for name in there}
            if len(dtypes) > 1 and all(map(can_be_looked_up, dtypes)):
                self._add_first(flow_field, source, there)
                return
        inputs = [self._input(leaves) for leaves in source.inputs]
        if len(inputs) > 1:
            self._add_of_several(flow_field, source, inputs)
            return
        name = inputs[0]
        if name is None:
            self.recipe.values[flow_field.name] = pl.lit(None)
            return
        dtype = self.frame.schema[name]
        match flow_field.kind:
            case FieldKind.INTEGER:
                self._add_integer(flow_field, name, dtype)
            case FieldKind.TIMESTAMP:
                self._add_time(flow_field, source, name, dtype)
            case FieldKind.IP if dtype != pl.String():
                self._add_nulls(flow_field, name)
            case _ if can_be_looked_up(dtype):
                read = field_reader(flow_field, source, self.zone)
                self._add_asked(
                    flow_field,
                    [name],
                    lambda values: None if values[0] is None else read(values[0]),
                )
            case _:
                self._add_nulls(flow_field, name)

    def add_key(self, column: str) -> None:
        """Read a key for deduplication."""
        name = self.names.get((column,))
        if name is None:
            return
        dtype = self.frame.schema[name]
        key = key_column(column)
        if dtype == pl.String() or dtype.is_integer():
            self.recipe.values[key] = pl.col(name).cast(pl.String)
        elif can_be_looked_up(dtype):
            value, known = self.recipe.ask(
                [pl.col(name)],
                lambda values: None if values[0] is None else text_of(values[0]),
                pl.String(),
            )
            self.recipe.values[key] = value
            self._refuse(known)
        else:
            self._refuse(pl.col(name).is_null())

    def resolve_duration(self) -> None:
        """Put times in place of durations."""
        may_be_end = self.plan.input.start_may_be_end
        resolved = resolved_durations(self.recipe.values, self.recipe.took, may_be_end)
        self.recipe.values |= resolved
        self.recipe.fits += can_be_resolved(resolved)

    def _input(self, leaves: Sequence[Leaf]) -> str | None:
        """The column with the first value of several leaves; None where the records have none of them."""
        there = [self.names[leaf] for leaf in leaves if leaf in self.names]
        if len(there) < 2:
            return there[0] if there else None
        name = " or ".join(there)
        if name not in self.frame.columns:
            if len({self.frame.schema[one] for one in there}) > 1:
                # Each record has its value in a column of its own type: the core tells what comes of that.
                self._refuse(pl.all_horizontal(pl.col(one).is_null() for one in there))
                return None
            self.frame.insert_column(
                0, self.frame.select(pl.coalesce(there).alias(name)).to_series()
            )
        return name

    def _refuse(self, unless: pl.Expr) -> None:
        """Have the core read the records for which something does not hold."""
        self.recipe.fits.append(unless)

    def _add_nulls(self, flow_field: FlowField, name: str) -> None:
        """A field of a column that only the core can read."""
        self.recipe.values[flow_field.name] = pl.lit(None)
        self._refuse(pl.col(name).is_null())

    def _add_asked(
        self, flow_field: FlowField, names: Sequence[str], ask: Callable[[list[Any]], Any]
    ) -> None:
        value, known = self.recipe.ask(list(map(pl.col, names)), ask, pl.String())
        self.recipe.values[flow_field.name] = value
        self._refuse(known)

    def _add_first(self, flow_field: FlowField, source: FieldSource, names: Sequence[str]) -> None:
        """A text, by the first value of columns of several types."""
        read = field_reader(flow_field, source, self.zone)

        def ask(values: list[Any]) -> Any:
            first = next((value for value in values if value is not None), None)
            return None if first is None else read(first)

        self._add_asked(flow_field, names, ask)

    def _add_of_several(
        self, flow_field: FlowField, source: FieldSource, inputs: Sequence[str | None]
    ) -> None:
        """A field by a map of several columns."""
        there = [name for name in inputs if name is not None]
        if not all(can_be_looked_up(self.frame.schema[name]) for name in there):
            self.recipe.values[flow_field.name] = pl.lit(None)
            self._refuse(_NEVER)
            return
        read = field_reader(flow_field, source, self.zone)

        def ask(values: list[Any]) -> Any:
            found = iter(values)
            given = [None if name is None else next(found) for name in inputs]
            return read([None if value is None else text_of(value) for value in given])

        if there:
            self._add_asked(flow_field, there, ask)
        else:
            self.recipe.values[flow_field.name] = pl.lit(ask([]))

    def _add_integer(self, flow_field: FlowField, name: str, dtype: pl.DataType) -> None:
        value = _integer(pl.col(name), dtype)
        if value is None:
            self._add_nulls(flow_field, name)
            return
        self.recipe.values[flow_field.name] = value
        self._refuse(value.is_not_null() | pl.col(name).is_null())

    def _add_time(
        self, flow_field: FlowField, source: FieldSource, name: str, dtype: pl.DataType
    ) -> None:
        found = self._time(source, name, dtype)
        if found is None:
            self._add_nulls(flow_field, name)
            return
        value, took = found
        in_range = pick(took, can_be(value, True), can_be(value, False))
        self.recipe.values[flow_field.name] = value
        self.recipe.took[flow_field.name] = took
        self._refuse(in_range.fill_null(False) | pl.col(name).is_null())

    def _time(
        self, source: FieldSource, name: str, dtype: pl.DataType
    ) -> tuple[pl.Expr, Took] | None:
        """us of a time, and whether it is a duration; None where only the core can tell."""
        numbers = [one for one in source.format if isinstance(one, TimeFormat) and one.is_number]
        texts = [one for one in source.format if not one.is_number]
        column = pl.col(name)
        if dtype.is_integer() or dtype.is_float():
            return _first_of([_scaled(column, dtype, one) for one in numbers], numbers)
        if texts not in ([], [TimeFormat.ISO8601]):
            return None
        if dtype == pl.String():
            return self._time_of_text(source, name, numbers)
        if isinstance(dtype, pl.Datetime) and texts and (dtype.time_zone or self.zone is None):
            return instant_us(column, dtype), False
        return None

    def _time_of_text(
        self, source: FieldSource, name: str, numbers: Sequence[TimeFormat]
    ) -> tuple[pl.Expr, Took] | None:
        """The same of texts in ISO-8601, or of numbers. No text is both."""
        if any(one in _NS_FORMATS for one in numbers[:-1]):
            return None  # what only the core reads in nanoseconds is not for the next format
        column = pl.col(name)
        times = [self._scaled_text(name, one) for one in numbers]
        clock = self._clock(source, name) if TimeFormat.ISO8601 in source.format else None
        if clock is None:
            return _first_of(times, numbers)
        minute, _ = self.recipe.ask([minute_text(column)], clock.minute, pl.Int64())
        time = time_by(clock, column, minute)
        return _first_of([*times, time], [*numbers, TimeFormat.ISO8601])

    def _scaled_text(self, name: str, time_format: TimeFormat) -> pl.Expr | None:
        """As `_scaled`, of a text that is a number; null for another one."""
        if time_format in _NS_FORMATS:
            whole = _integer(pl.col(name), pl.String())
            return None if whole is None else _scaled(whole, pl.Int64(), time_format)
        # The number is read once, whatever the units that it may have.
        number = f"number {name}"
        is_number = pl.col(name).str.contains(_NUMBER)
        self.recipe.lookups[number] = pl.when(is_number).then(name).cast(pl.Float64)
        return _scaled(pl.col(number), pl.Float64(), time_format)

    def _clock(self, source: FieldSource, name: str) -> Clock | None:
        (flow_field,) = (one for one, bound in self.plan.input.bound_fields() if bound is source)
        return clock_of(self.frame.get_column(name), field_reader(flow_field, source, self.zone))


def _first_of(
    times: Sequence[pl.Expr | None], formats: Sequence[Format]
) -> tuple[pl.Expr, Took] | None:
    """The first of some times that can be, each by a format; None where only the core can tell one of them."""
    known = [time for time in times if time is not None]
    return first_that_fits(known, formats) if known and len(known) == len(times) else None


def _object(leaf: Leaf, value: Any) -> dict[str, Any]:
    """An object that has a value at a leaf."""
    for name in reversed(leaf):
        value = {name: value}
    found: dict[str, Any] = value
    return found


def _integer(column: pl.Expr, dtype: pl.DataType) -> pl.Expr | None:
    """An integer as the core reads it, null where only the core can tell; None for a type of which it never is one.

    Of a text Polars takes a sign and zeros before a number too: it must begin with another digit, or be 0.
    """
    if dtype == pl.String():
        number = column.cast(pl.Int64, strict=False)
        return pl.when((column >= "1") | (column == "0")).then(number)
    if dtype.is_integer():
        return column.cast(pl.Int64, strict=False)
    if dtype.is_float():
        is_whole = (column.abs() <= MAX_INTEGRAL_DOUBLE) & (column == column.floor())
        return pl.when(is_whole).then(column).cast(pl.Int64)
    return None


def _scaled(column: pl.Expr, dtype: pl.DataType, time_format: TimeFormat) -> pl.Expr | None:
    """us of a number in the unit of a format, null where that is far out of range."""
    if time_format in _NS_FORMATS:
        if not dtype.is_integer():
            return None
        return (column.cast(pl.Int64, strict=False) + _NS_PER_US // 2) // _NS_PER_US
    scaled = column.cast(pl.Float64) * float(time_format.unit_us) + 0.5
    return pl.when(scaled.abs() < float(TIME_LIMIT_US)).then(scaled.floor()).cast(pl.Int64)
