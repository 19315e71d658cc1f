"""How the columns of a source become the fields of a flow record."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from attrs import field, frozen

from ndr_core.errors import Problem, nearest
from ndr_core.flows.formats import FileFormat, HeaderPlace, Layout, format_problems, layout_of
from ndr_core.flows.record import FIELD_BY_NAME, FLOW_FIELDS, FieldKind, FlowField


class TimeFormat(Enum):
    """How a time is written in the source."""

    ISO8601 = "iso8601"
    EPOCH_S = "epoch_s"
    EPOCH_MS = "epoch_ms"
    EPOCH_US = "epoch_us"
    DURATION_S = "duration_s"
    DURATION_MS = "duration_ms"
    DURATION_US = "duration_us"

    @property
    def is_duration(self) -> bool:
        return self.value.startswith("duration")

    @property
    def unit_us(self) -> int:
        """Microseconds per unit of a number in this format; 0 for ISO-8601 text."""
        return {"s": 1_000_000, "ms": 1_000, "us": 1}.get(self.value.rpartition("_")[2], 0)


@frozen
class FieldSource:
    """Where one canonical field comes from: a source column, or a constant for all records."""

    column: str | None = None
    """Source column; dots are part of its name."""
    constant: str | None = None
    """Text given to every record, instead of a column."""
    format: TimeFormat | None = None
    """Times only: iso8601, epoch_s|_ms|_us; for event_end also duration_s|_ms|_us."""
    map: Mapping[str, str] = field(factory=dict)
    """Source value -> canonical value; others stay as they are."""
    optional: bool = False
    """True: the column may be absent from a whole mini-batch."""


@frozen
class InputMapping:
    """The source's columns, by canonical field. A field not named here is null in every record."""

    fields: Mapping[str, FieldSource]
    """Canonical field -> column name, or {column, format, map, optional}."""
    null_values: tuple[str, ...] = ()
    """Texts that mean: no value."""
    preset: str | None = None
    """Paloalto, zeek or vpcflow: the mapping to start from."""
    format: FileFormat = FileFormat.JSON
    """What the files are: json, delimited or parquet."""
    separator: str | None = None
    """Delimited only: between two parts of a line; a tab for Zeek, else a comma, if absent."""
    header: HeaderPlace | None = None
    """Delimited only: zeek, first_line, or a list of the columns' names."""

    @property
    def layout(self) -> Layout:
        """How delimited lines are laid out."""
        assert self.header is not None, "checked by `problems`"
        return layout_of(self.separator, self.header)

    def bound_fields(self) -> list[tuple[FlowField, FieldSource]]:
        """Canonical fields that come from a column, in canonical order."""
        return [
            (flow_field, self.fields[flow_field.name])
            for flow_field in FLOW_FIELDS
            if flow_field.name in self.fields and self.fields[flow_field.name].column is not None
        ]

    def constants(self) -> dict[str, str]:
        """Canonical fields with one value for all records."""
        return {
            name: source.constant
            for name, source in self.fields.items()
            if source.constant is not None
        }

    def problems(self) -> list[Problem]:
        """List what is wrong, by key; nothing when all is well."""
        found = [
            Problem(f"fields.{flow_field.name}", "is required: no delta can be built without it")
            for flow_field in FLOW_FIELDS
            if flow_field.required and flow_field.name not in self.fields
        ]
        for name, source in self.fields.items():
            key = f"fields.{name}"
            flow_field = FIELD_BY_NAME.get(name)
            if flow_field is None:
                found.append(Problem(key, f"unknown field, {nearest(name, FIELD_BY_NAME)}"))
                continue
            if (source.column is None) == (source.constant is None):
                found.append(Problem(key, "needs either a column or a constant"))
            if source.constant is not None and flow_field.kind is not FieldKind.TEXT:
                found.append(Problem(key, "a constant is for text fields only"))
            if source.map and flow_field.kind is not FieldKind.TEXT:
                found.append(Problem(f"{key}.map", "a value map is for text fields only"))
            if flow_field.kind is FieldKind.TIMESTAMP:
                if source.format is None:
                    found.append(
                        Problem(f"{key}.format", "is required for a time, e.g. iso8601 or epoch_s")
                    )
                elif source.format.is_duration and name != "event_end":
                    found.append(
                        Problem(f"{key}.format", "a duration can only stand for event_end")
                    )
            elif source.format is not None:
                found.append(Problem(f"{key}.format", "is for times only"))
        return found + format_problems(self.format, self.separator, self.header)


@frozen
class Preset:
    """The mapping of a known source, to start a JobSpec from."""

    about: str
    """What the source is, in one line."""
    mapping: InputMapping
