"""How each field is read from its leaves, for the two ways in which lines are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from ndr_adapters.spark.sql.expr import Sql, literal, quoted
from ndr_adapters.spark.sql.time_text import scaled_us
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.leaf import Leaf
from ndr_core.flows.mapping import FieldSource
from ndr_core.flows.outcome import READ, SKIPPED, key_column
from ndr_core.flows.record import FLOW_FIELDS, FieldKind, FlowField
from ndr_core.flows.time_format import Format, TimeFormat
from ndr_core.flows.transports import ICMP, OTHER_SPELLINGS, TCP, UDP
from ndr_core.flows.value_map import Default, ValueMap
from ndr_core.flows.vocabulary import WORDS, Words
from ndr_core.times import TIME_LIMIT_US

STRICT_JSON = (
    "'mode', 'PERMISSIVE', 'allowSingleQuotes', 'false', 'allowNonNumericNumbers', 'false'"
)
IP_FIELDS = [field.name for field in FLOW_FIELDS if field.kind is FieldKind.IP]
_SQL_TYPES = {
    FieldKind.IP: "string",
    FieldKind.TEXT: "string",
    FieldKind.INTEGER: "bigint",
    FieldKind.TIMESTAMP: "bigint",
}


@frozen
class Reading:
    """From which leaves one value is read, the first that has one, and as what."""

    name: str
    """Of its column: a field, a key, or what a map or a selection looks at."""
    kind: FieldKind
    leaves: tuple[Leaf, ...]
    null_values: tuple[str, ...]
    formats: tuple[Format, ...] = ()
    fault: str | None = None
    """What to name where it can't be read; None where that does not matter."""
    is_zoned: bool = False
    """Whether a time without an offset is none of UTC."""

    @property
    def is_number_of_time(self) -> bool:
        """Whether it is a time that is usually given as a number."""
        return bool(self.formats) and self.formats[0].is_number

    @property
    def is_plain(self) -> bool:
        """Whether it may be read from a plain line: as a time in its first format, which is a usual one."""
        return all(
            isinstance(one, TimeFormat)
            and (one.unit_us > 0 if one.is_number else not self.is_zoned)
            for one in self.formats[:1]
        )

    @property
    def _may_be_either(self) -> bool:
        """Whether its formats are of times and of durations."""
        return len({one.is_duration for one in self.formats}) > 1

    def held(self, value: Sql, place: int = 0) -> Sql:
        """The value, null for a time out of range. `place`: of the format that a time has.

        Where it may be a time or a duration: twice its us, and 1 more where it is a duration.
        """
        if self.kind is not FieldKind.TIMESTAMP:
            return value
        is_duration = self.formats[place].is_duration
        lowest = 1 - TIME_LIMIT_US if is_duration else 0
        ranged = f"if({value} >= {lowest}L and {value} < {TIME_LIMIT_US}L, {value}, null)"
        return Sql(f"({ranged} * 2L + {int(is_duration)}L)" if self._may_be_either else ranged)

    def us(self, held: str) -> str:
        """us of a time or a duration, as `held` gives it."""
        return f"shiftright({held}, 1)" if self._may_be_either else held

    def took(self, held: str) -> str:
        """Whether it is the time that a session took."""
        if self._may_be_either:
            return f"coalesce(({held} & 1L) = 1L, false)"
        return "true" if self.formats and self.formats[0].is_duration else "false"

    def scaled(self, number: Sql) -> Sql:
        """us of a number of time."""
        return scaled_us(number, self.formats[0])


def readings_of(plan: DeltaPlan) -> list[Reading]:
    """The readings of all fields, deduplication keys and conditions, in the order in which faults count."""
    nulls = tuple(plan.input.null_values)
    found = []
    for flow_field, source in plan.input.bound_fields():
        name = flow_field.name
        if len(source.inputs) == 1:
            leaves = source.inputs[0]
            zoned = plan.input.timezone is not None
            found.append(Reading(name, flow_field.kind, leaves, nulls, source.format, name, zoned))
            continue
        found += [
            Reading(_part(name, place), FieldKind.TEXT, leaves, nulls, fault=name)
            for place, leaves in enumerate(source.inputs)
        ]
    found += [
        Reading(key_column(name), FieldKind.TEXT, ((name,),), nulls, fault=name)
        for name in plan.key_columns
    ]
    found += [
        Reading(condition_column(place), FieldKind.TEXT, (condition.leaf,), nulls)
        for place, condition in enumerate(plan.input.only.conditions)
    ]
    return found


def _part(name: str, place: int) -> str:
    """Column of one of the values that the map of a field speaks of."""
    return f"{name}:{place}"


def condition_column(place: int) -> str:
    """Column of the value that a condition of the selection speaks of."""
    return f"only:{place}"


def selected(plan: DeltaPlan, texts: str = "", tokens: str = "") -> Sql:
    """READ, or SKIPPED for records that the mapping leaves out.

    `texts`, `tokens`: prefixes of the columns of values as text, and of values that may be of any kind.
    """
    conditions = ["true"]
    for place, condition in enumerate(plan.input.only.conditions):
        name = quoted(condition_column(place))
        if condition.present is not None:
            is_null = "is not null" if condition.present else "is null"
            conditions.append(f"{tokens}{name} {is_null}")
        else:
            values = ", ".join(map(literal, condition.values))
            conditions.append(f"coalesce({texts}{name} in ({values}), false)")
    return Sql(f"if({' and '.join(conditions)}, {READ}, {SKIPPED})")


def canonical(readings: Sequence[Reading], plan: DeltaPlan, values: str = "") -> list[str]:
    """Flow fields and deduplication keys as SQL, over columns (or members of `values`) named as readings."""
    by_name = {reading.name: reading for reading in readings}
    constants = plan.input.constants()
    fields = []
    for flow_field in FLOW_FIELDS:
        name = flow_field.name
        source = plan.input.fields.get(name)
        if name in constants:
            value = literal(constants[name])
        elif source is not None and source.inputs:
            value = _written(_mapped(values, name, source), flow_field)
            if flow_field.kind is FieldKind.TIMESTAMP:
                value = _resolved(by_name, values, plan.input.start_may_be_end)[name]
        else:
            value = Sql(f"cast(null as {_SQL_TYPES[flow_field.kind]})")
        fields.append(f"{value} as {quoted(name)}")
    keys = [quoted(key_column(name)) for name in plan.key_columns]
    return [*fields, *(f"{values}{name} as {name}" for name in keys)]


def _resolved(
    by_name: Mapping[str, Reading], values: str, start_may_be_end: bool = False
) -> dict[str, Sql]:
    """Start and end, times in place of durations; of fields that are read.

    `start_may_be_end`: whether a start with the end's value is that time, and no end is known then.
    """
    names = [name for name in ("event_start", "event_end") if name in by_name]
    us = dict.fromkeys(("event_start", "event_end"), "cast(null as bigint)")
    us |= {name: by_name[name].us(values + name) for name in names}
    took = dict.fromkeys(us, "false") | {name: by_name[name].took(values + name) for name in names}
    start, end = us["event_start"], us["event_end"]
    from_start = f"if({took['event_start']}, cast(null as bigint), {start} + {end})"
    end = f"if({took['event_end']}, {from_start}, {end})"
    begins = f"if({took['event_start']}, {end} - {start}, {start})"
    if start_may_be_end:
        is_end = f"coalesce({start} = {end}, false)"
        begins = f"if({is_end}, {end}, {begins})"
        end = f"if({is_end}, cast(null as bigint), {end})"
    return {"event_start": Sql(begins), "event_end": Sql(end)}


def bad_times(readings: Sequence[Reading], values: str = "") -> dict[str, Sql]:
    """Of ends and starts that may stand in place of durations: whether one is none that can be."""
    by_name = {reading.name: reading for reading in readings}
    resolved = _resolved(by_name, values)
    found = {}
    for name in ("event_end", "event_start"):
        took = by_name[name].took(f"{values}{name}") if name in by_name else "false"
        if took != "false":
            time = resolved[name]
            can_be = f"coalesce({time} >= 0 and {time} < {TIME_LIMIT_US}L, true)"
            found[name] = Sql(f"({took} and not {can_be})")
    return found


def _mapped(values: str, name: str, source: FieldSource) -> Sql:
    found = source.map
    if len(source.inputs) == 1:
        value = Sql(values + quoted(name))
        return value if found is None else _by_rows([value], found)
    assert found is not None
    return _by_rows(
        [Sql(values + quoted(_part(name, place))) for place in range(len(source.inputs))], found
    )


def _by_rows(texts: Sequence[Sql], found: ValueMap) -> Sql:
    """What the first row of a map that fits says of some texts."""
    nothing = " and ".join(f"{text} is null" for text in texts)
    cases = [f"when {nothing} then null"]
    for row in found.rows:
        fits = " and ".join(
            f"{text} = {literal(value)}"
            for text, value in zip(texts, row.values, strict=True)
            if not found.is_anything(value)
        )
        cases.append(f"when {fits or 'true'} then {literal(row.result)}")
    if found.default is not Default.KEEP:
        some_null = " or ".join(f"{text} is null" for text in texts)
        rest = f"when {some_null} then null else {literal(found.default)}"
    else:
        rest = f"else {texts[0] if len(texts) == 1 else 'null'}"
    return Sql(f"cast(case {' '.join(cases)} {rest} end as string)")


def _written(text: Sql, flow_field: FlowField) -> Sql:
    """A text in the way of records."""
    words = WORDS.get(flow_field.name)
    if words is None:
        return text
    old, new = map(literal, words.letters)
    written = Sql(f"translate({text}, {old}, {new})")
    if words is not Words.TRANSPORT:
        return written
    usual = ", ".join(map(literal, (TCP, UDP, ICMP)))
    names = ", ".join(f"{literal(one)}, {literal(name)}" for one, name in OTHER_SPELLINGS.items())
    named = f"coalesce(try_element_at(map({names}), {written}), {written})"
    return Sql(f"if({written} in ({usual}), {written}, {named})")
