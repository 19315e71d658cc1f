"""How the columns of a source become the fields of a flow record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Final

from attrs import field, frozen

from ndr_core.errors import Problem, nearest
from ndr_core.flows.formats import FileFormat, HeaderPlace, Layout, format_problems, layout_of
from ndr_core.flows.leaf import MAX_LEAF_NAMES, Leaf
from ndr_core.flows.record import FIELD_BY_NAME, FLOW_FIELDS, FieldKind, FlowField
from ndr_core.flows.selection import Selection
from ndr_core.flows.time_format import Format, TimePattern
from ndr_core.flows.time_zone import zone_names
from ndr_core.flows.value_map import ValueMap, value_map
from ndr_core.flows.vocabulary import canonical_text

COLUMN_TO_CHOOSE: Final = "?"
"""What a JobSpec to complete has in the place of a column."""


def _formats(given: Format | Sequence[Format] | None) -> tuple[Format, ...]:
    if given is None:
        return ()
    return tuple(given) if isinstance(given, Sequence) else (given,)


@frozen
class FieldSource:
    """Where one canonical field comes from: a value of the source's records, or a constant for all records."""

    column: str | None = None
    """Source column; dots are part of its name."""
    constant: str | None = None
    """Text given to every record, instead of a column."""
    format: tuple[Format, ...] = field(default=(), converter=_formats)
    """Times only: iso8601, epoch_s|_ms|_us|_ns, a pattern, or a list of which the first that fits is taken; for the
    start or the end also duration_s|_ms|_us|_ns."""
    map: ValueMap | None = field(default=None, converter=value_map)
    """Source values -> canonical value; others stay as they are where the map has no default."""
    optional: bool = False
    """True: the column may be absent from a whole mini-batch."""
    path: Leaf | None = field(default=None, kw_only=True)
    """The names on the way to a value inside objects, instead of a column."""
    any_of: tuple[Leaf, ...] = field(default=(), kw_only=True)
    """Columns and paths, of which the first with a value is taken, instead of a column."""

    @property
    def value_leaves(self) -> tuple[Leaf, ...]:
        """Where its one value may lie, the first choice first; nothing of constants and of maps of several columns."""
        if self.column is not None:
            return ((self.column,),)
        return (self.path,) if self.path is not None else self.any_of

    @property
    def inputs(self) -> tuple[tuple[Leaf, ...], ...]:
        """Where each of its values may lie: one value, or those that its map speaks of."""
        if self.value_leaves:
            return (self.value_leaves,)
        return tuple((leaf,) for leaf in self.map.columns) if self.map is not None else ()

    @property
    def is_duration(self) -> bool:
        """Whether it may be the time that a session took."""
        return any(one.is_duration for one in self.format)

    @property
    def is_time(self) -> bool:
        """Whether it may be a time of the calendar."""
        return not self.format or not all(one.is_duration for one in self.format)

    def problems(self, flow_field: FlowField) -> Iterator[Problem]:
        """List what is wrong with it as the source of a field, by key."""
        yield from self._place_problems()
        is_text = flow_field.kind is FieldKind.TEXT
        if self.constant is not None and not is_text:
            yield Problem("", "a constant is for text fields only")
        if self.map is not None and not is_text:
            yield Problem("map", "a value map is for text fields only")
        if flow_field.kind is FieldKind.TIMESTAMP:
            yield from self._format_problems()
        elif self.format:
            yield Problem("format", "is for times only")

    def _place_problems(self) -> Iterator[Problem]:
        columns = self.map.columns if self.map is not None else ()
        given = [self.column, self.constant, self.path, self.any_of or None, columns or None]
        if sum(one is not None for one in given) != 1:
            yield Problem(
                "", "needs one of column, path, any_of, constant, or a map that names its columns"
            )
        for leaf in (*self.value_leaves, *columns):
            if not 1 <= len(leaf) <= MAX_LEAF_NAMES:
                yield Problem("", f"a path has 1 to {MAX_LEAF_NAMES} names, one has {len(leaf)}")
            if COLUMN_TO_CHOOSE in leaf:
                yield Problem("", f"replace {COLUMN_TO_CHOOSE!r} by the name of a column")

    def _format_problems(self) -> Iterator[Problem]:
        if not self.format:
            yield Problem("format", "is required for a time, e.g. iso8601 or epoch_s")
        for one in self.format:
            if isinstance(one, TimePattern) and (problem := one.problem()) is not None:
                yield Problem("format", f"{one.text!r} {problem}")


class Pairing(Enum):
    """How records of one direction become flows."""

    BIFLOW = "biflow"
    """The records of both directions between two ends (address and port) are one flow."""


@frozen
class Lost:
    """What tells that the source has lost data: a column, and the text that it has then."""

    column: str
    value: str
    also: tuple[str, ...] = ()
    """Other names that the column may have."""


@frozen
class InputMapping:
    """The source's columns, by canonical field. A field not named here is null in every record."""

    fields: Mapping[str, FieldSource]
    """Canonical field -> column name, or {column, path, any_of, constant, format, map, optional}."""
    null_values: tuple[str, ...] = ()
    """Texts that mean: no value."""
    preset: str | None = None
    """Paloalto, zeek or vpcflow: the mapping to start from."""
    only: Selection = field(factory=Selection)
    """Column -> what it must be: a list of values, or {present: true}. Other records are skipped, and counted."""
    files: tuple[str, ...] = ()
    """Patterns such as conn*: only files of such names are read. None given: all are."""
    timezone: str | None = None
    """Of times without an offset, such as Europe/Berlin; UTC where it is not given."""
    pairing: Pairing | None = None
    """Biflow: each record counts one direction, and those of both directions become one flow."""
    format: FileFormat = FileFormat.JSON
    """What the files are: json, delimited or parquet."""
    separator: str | None = None
    """Delimited only: between two parts of a line; a tab for Zeek, else a comma, if absent."""
    header: HeaderPlace | None = None
    """Delimited only: zeek, first_line, or a list of the columns' names."""
    lost: Lost | None = None
    """Where the source tells that it has lost data: records without traffic that say so are counted apart."""

    @property
    def beyond_sql(self) -> str | None:
        """What the engine spark-sql can't do, as a key with its value; None where it can do all."""
        if self.format is not FileFormat.JSON:
            return f"input.format: {self.format.value}"
        return None if self.pairing is None else f"input.pairing: {self.pairing.value}"

    @property
    def lost_columns(self) -> tuple[str, ...]:
        """The names of the column that tells of lost data, if there is one."""
        return () if self.lost is None else (self.lost.column, *self.lost.also)

    @property
    def start_may_be_end(self) -> bool:
        """Whether a record without a duration has its end for a start: `any_of` of the start names the end's place."""
        start, end = self.fields.get("event_start"), self.fields.get("event_end")
        if start is None or end is None or not start.is_duration or end.is_duration:
            return False
        return not set(start.value_leaves).isdisjoint(end.value_leaves)

    @property
    def layout(self) -> Layout:
        """How delimited lines are laid out."""
        assert self.header is not None, "checked by `problems`"
        return layout_of(self.separator, self.header)

    def bound_fields(self) -> list[tuple[FlowField, FieldSource]]:
        """Canonical fields that come from the source's records, in canonical order."""
        return [
            (flow_field, self.fields[flow_field.name])
            for flow_field in FLOW_FIELDS
            if flow_field.name in self.fields and self.fields[flow_field.name].inputs
        ]

    def constants(self) -> dict[str, str]:
        """Canonical fields with one value for all records, in the way of records."""
        return {
            name: canonical_text(name, source.constant)
            for name, source in self.fields.items()
            if source.constant is not None
        }

    def leaves(self) -> tuple[Leaf, ...]:
        """Give all places of a record that are looked at, each once."""
        of_fields = [
            leaf for _, source in self.bound_fields() for leaves in source.inputs for leaf in leaves
        ]
        of_selection = [condition.leaf for condition in self.only.conditions]
        return tuple(dict.fromkeys((*of_selection, *of_fields)))

    def problems(self) -> list[Problem]:
        """List what is wrong, by key; nothing when all is well."""
        found = [
            Problem(f"fields.{flow_field.name}", "is required: no delta can be built without it")
            for flow_field in FLOW_FIELDS
            if flow_field.required and flow_field.name not in self.fields
        ]
        for name, source in self.fields.items():
            flow_field = FIELD_BY_NAME.get(name)
            if flow_field is None:
                found.append(
                    Problem(f"fields.{name}", f"unknown field, {nearest(name, FIELD_BY_NAME)}")
                )
            else:
                found += [one.below(f"fields.{name}") for one in source.problems(flow_field)]
        found += self._duration_problems()
        if self.timezone is not None and self.timezone not in zone_names():
            hint = nearest(self.timezone, zone_names())
            found.append(Problem("timezone", f"unknown time zone {self.timezone!r}, {hint}"))
        return found + format_problems(self.format, self.separator, self.header)

    def _duration_problems(self) -> Iterator[Problem]:
        for name, other in (("event_start", "event_end"), ("event_end", "event_start")):
            if name not in self.fields or not self.fields[name].is_duration:
                continue
            if other not in self.fields or not self.fields[other].is_time:
                yield Problem(
                    f"fields.{name}.format", f"a duration needs {other} as a time, to count from"
                )
