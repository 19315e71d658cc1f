"""How each field is read from its source column, for the two ways in which lines are read."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from ndr_adapters.spark.sql.expr import Sql, literal, matches, quoted
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.errors import UsageError
from ndr_core.flows.mapping import FieldSource
from ndr_core.flows.outcome import key_column
from ndr_core.flows.record import (
    FLOW_FIELDS,
    FieldKind,
    FlowField,
)
from ndr_core.flows.time_format import ISO_PARTS, ISO_TIME, TimeFormat
from ndr_core.flows.transports import ICMP, OTHER_SPELLINGS, TCP, UDP
from ndr_core.flows.value_map import Default
from ndr_core.flows.vocabulary import WORDS, Words
from ndr_core.times import TIME_LIMIT_US

PLAIN_TIME = (
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])[T ]"
    r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"
    r"(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])?"
)
"""Times in ISO-8601 as Spark reads them by itself."""
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
    """From which column one field, or one column for deduplication, is read, and as what."""

    name: str
    kind: FieldKind
    source: FieldSource
    null_values: tuple[str, ...]

    @property
    def column(self) -> str:
        """The source column."""
        assert self.source.column is not None
        return self.source.column

    @property
    def is_number_of_time(self) -> bool:
        """Whether it is a time that is given as a number."""
        return self.kind is FieldKind.TIMESTAMP and self.source.format != (TimeFormat.ISO8601,)

    @property
    def is_duration(self) -> bool:
        """Whether it is the end of a session, given as the time that the session took."""
        return self.source.is_duration

    def in_range(self, value: Sql) -> Sql:
        """The value, null for a time out of range."""
        if self.kind is not FieldKind.TIMESTAMP:
            return value
        lowest = 1 - TIME_LIMIT_US if self.is_duration else 0
        return Sql(f"if({value} >= {lowest}L and {value} < {TIME_LIMIT_US}L, {value}, null)")

    def scaled(self, number: Sql) -> Sql:
        """us of a number of time."""
        (time_format,) = self.source.format
        assert isinstance(time_format, TimeFormat)
        us = f"({number} * {literal(float(time_format.unit_us))} + 0.5D)"
        limit = literal(float(TIME_LIMIT_US))
        return Sql(f"if(abs({us}) < {limit}, cast(floor({us}) as bigint), null)")


def refuse_nested(plan: DeltaPlan) -> None:
    """Raise UsageError for a mapping that this engine does not know."""
    mapping = plan.input
    if mapping.only.conditions or mapping.timezone is not None:
        raise UsageError("input: engine spark-sql knows no `only` and no `timezone`; take spark")
    for flow_field, source in mapping.bound_fields():
        is_known = source.column is not None and (
            source.map is None or source.map.default is Default.KEEP
        )
        is_known_time = len(source.format) < 2 and all(
            isinstance(one, TimeFormat) and not one.value.endswith("_ns") for one in source.format
        )
        if not (is_known and is_known_time) or (
            source.is_duration and flow_field.name == "event_start"
        ):
            raise UsageError(
                f"input.fields.{flow_field.name}: engine spark-sql knows single columns with one "
                "format only; take spark"
            )


def readings_of(plan: DeltaPlan) -> list[Reading]:
    """The readings of all fields and deduplication keys that come from a column."""
    null_values = tuple(plan.input.null_values)
    fields = [
        Reading(flow_field.name, flow_field.kind, source, null_values)
        for flow_field, source in plan.input.bound_fields()
    ]
    keys = [
        Reading(key_column(name), FieldKind.TEXT, FieldSource(column=name), null_values)
        for name in plan.key_columns
    ]
    return fields + keys


def canonical(readings: Sequence[Reading], plan: DeltaPlan, values: str = "") -> list[str]:
    """Flow fields and deduplication keys as SQL, over columns (or members of `values`) named as readings."""
    by_name = {reading.name: reading for reading in readings}
    constants = plan.input.constants()
    fields = []
    for flow_field in FLOW_FIELDS:
        name = quoted(flow_field.name)
        if flow_field.name in by_name:
            reading = by_name[flow_field.name]
            value = _written(_mapped(Sql(values + name), reading), flow_field)
            if reading.is_duration:
                value = Sql(f"({values}event_start + {value})")
        elif flow_field.name in constants:
            value = literal(constants[flow_field.name])
        else:
            value = Sql(f"cast(null as {_SQL_TYPES[flow_field.kind]})")
        fields.append(f"{value} as {name}")
    keys = [quoted(key_column(name)) for name in plan.key_columns]
    return [*fields, *(f"{values}{name} as {name}" for name in keys)]


def iso_us(text: Sql) -> Sql:
    """us of a time in ISO-8601, null for another text.

    The session's zone is UTC. A zone in the text is looked up by a regular expression that Spark compiles
    again for each value, which took longer than all of JSON.
    """
    without_z = f"substring_index({text}, 'Z', 1)"
    moment = f"unix_micros(try_cast({without_z} as timestamp))"
    return Sql(f"if({matches(text, PLAIN_TIME)}, {moment}, null)")


def any_iso_us(text: Sql) -> Sql:
    """us of a time in ISO-8601, however it is spelt, null for another text."""
    day = f"unix_micros(try_cast(substring({text}, 1, 10) as timestamp)) div 1000000"
    clock = " + ".join(
        f"cast(substring({text}, {place}, 2) as bigint) * {seconds}"
        for place, seconds in ((12, 3600), (15, 60), (18, 1))
    )
    fraction = f"substring(rpad({_iso_part(text, 'f')}, 6, '0'), 1, 6)"
    micros = f"coalesce(cast({fraction} as bigint), 0)"
    zone = f"replace(trim({_iso_part(text, 'z')}), ':', '')"
    east = (
        f"(cast(substring({zone}, 2, 2) as bigint) * 3600 "
        f"+ coalesce(try_cast(substring({zone}, 4, 2) as bigint), 0) * 60)"
    )
    offset = f"case when {zone} like '+%' then {east} when {zone} like '-%' then -{east} else 0 end"
    moment = f"(({day} + {clock} - {offset}) * 1000000 + {micros})"
    return Sql(f"if({matches(text, ISO_TIME)}, {moment}, null)")


def _iso_part(text: Sql, letter: str) -> Sql:
    """Text of a part of a time; nothing where it lacks that."""
    group = ISO_PARTS.index(letter) + 1
    return Sql(f"regexp_extract({text}, {literal(f'^{ISO_TIME}$')}, {group})")


def _mapped(value: Sql, reading: Reading) -> Sql:
    if reading.source.map is None:
        return value
    cases = " ".join(
        f"when {literal(row.values[0])} then {literal(row.result)}"
        for row in reading.source.map.rows
    )
    return Sql(f"case {value} {cases} else {value} end")


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
