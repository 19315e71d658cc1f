"""How the columns of a source become the fields of a flow record."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from attrs import field, frozen

from ndr_core.errors import nearest
from ndr_core.flow import FIELD_BY_NAME, FLOW_FIELDS, FieldKind, FlowField


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

    column: str | None = field(
        default=None, metadata={"doc": "source column; dots are part of its name"}
    )
    constant: str | None = field(
        default=None, metadata={"doc": "text given to every record, instead of a column"}
    )
    format: TimeFormat | None = field(
        default=None,
        metadata={
            "doc": "times only: iso8601, epoch_s|_ms|_us; for event_end also duration_s|_ms|_us"
        },
    )
    map: Mapping[str, str] = field(
        factory=dict, metadata={"doc": "source value -> canonical value; others stay as they are"}
    )
    optional: bool = field(
        default=False, metadata={"doc": "true: the column may be absent from a whole mini-batch"}
    )


@frozen
class InputMapping:
    """The source's columns, by canonical field. A field not named here is null in every record."""

    fields: Mapping[str, FieldSource] = field(
        metadata={"doc": "canonical field -> column name, or {column, format, map, optional}"}
    )
    null_values: tuple[str, ...] = field(default=(), metadata={"doc": "texts that mean: no value"})
    preset: str | None = field(
        default=None, metadata={"doc": "paloalto, zeek or vpcflow: the mapping to start from"}
    )

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

    def problems(self) -> list[tuple[str, str]]:
        """What is wrong, as (key below `input`, message); empty when all is well."""
        found = [
            (f"fields.{flow_field.name}", "is required: no delta can be built without it")
            for flow_field in FLOW_FIELDS
            if flow_field.required and flow_field.name not in self.fields
        ]
        for name, source in self.fields.items():
            key = f"fields.{name}"
            flow_field = FIELD_BY_NAME.get(name)
            if flow_field is None:
                found.append((key, f"unknown field, {nearest(name, FIELD_BY_NAME)}"))
                continue
            if (source.column is None) == (source.constant is None):
                found.append((key, "needs either a column or a constant"))
            if source.constant is not None and flow_field.kind is not FieldKind.TEXT:
                found.append((key, "a constant is for text fields only"))
            if source.map and flow_field.kind is not FieldKind.TEXT:
                found.append((f"{key}.map", "a value map is for text fields only"))
            if flow_field.kind is FieldKind.TIMESTAMP:
                if source.format is None:
                    found.append(
                        (f"{key}.format", "is required for a time, e.g. iso8601 or epoch_s")
                    )
                elif source.format.is_duration and name != "event_end":
                    found.append((f"{key}.format", "a duration can only stand for event_end"))
            elif source.format is not None:
                found.append((f"{key}.format", "is for times only"))
        return found


PALOALTO = InputMapping(
    preset="paloalto",
    fields={
        flow_field.name: FieldSource(
            column=flow_field.name,
            format=TimeFormat.ISO8601 if flow_field.kind is FieldKind.TIMESTAMP else None,
        )
        for flow_field in FLOW_FIELDS
    },
)
"""Palo Alto traffic logs, parsed: the canonical names, times as ISO-8601 text."""

ZEEK = InputMapping(
    preset="zeek",
    fields={
        "source_ip": FieldSource(column="id.orig_h"),
        "destination_ip": FieldSource(column="id.resp_h"),
        "source_port": FieldSource(column="id.orig_p"),
        "destination_port": FieldSource(column="id.resp_p"),
        "source_bytes": FieldSource(column="orig_bytes", optional=True),
        "destination_bytes": FieldSource(column="resp_bytes", optional=True),
        "event_start": FieldSource(column="ts", format=TimeFormat.EPOCH_S),
        "event_end": FieldSource(column="duration", format=TimeFormat.DURATION_S, optional=True),
        "event_action": FieldSource(
            column="conn_state",
            map={
                "S0": "drop",  # attempt seen, no reply: what a dropping filter looks like
                "REJ": "deny",
                "S1": "allow",
                "SF": "allow",
                "S2": "allow",
                "S3": "allow",
                "RSTO": "allow",
                "RSTR": "allow",
                "RSTOS0": "drop",
                "RSTRH": "deny",
                "SH": "drop",
                "SHR": "allow",
                "OTH": "allow",
            },
        ),
        "event_reason": FieldSource(
            column="conn_state",
            map={
                "S0": "aged-out",
                "REJ": "tcp-rst-from-server",
                "S1": "aged-out",
                "SF": "tcp-fin",
                "S2": "aged-out",
                "S3": "aged-out",
                "RSTO": "tcp-rst-from-client",
                "RSTR": "tcp-rst-from-server",
                "RSTOS0": "tcp-rst-from-client",
                "RSTRH": "tcp-rst-from-server",
                "SH": "aged-out",
                "SHR": "aged-out",
                "OTH": "aged-out",
            },
        ),
        "event_name": FieldSource(constant="TRAFFIC"),
        "network_transport": FieldSource(column="proto"),
    },
)
"""Zeek conn.log as JSON. conn_state: https://docs.zeek.org/en/master/scripts/base/protocols/conn/main.zeek.html"""

VPCFLOW = InputMapping(
    preset="vpcflow",
    null_values=("-",),
    fields={
        "source_ip": FieldSource(column="srcaddr"),
        "destination_ip": FieldSource(column="dstaddr"),
        "source_port": FieldSource(column="srcport"),
        "destination_port": FieldSource(column="dstport"),
        # A VPC flow record counts one direction; the answer is a record of its own.
        "source_bytes": FieldSource(column="bytes"),
        "event_start": FieldSource(column="start", format=TimeFormat.EPOCH_S),
        "event_end": FieldSource(column="end", format=TimeFormat.EPOCH_S),
        "event_action": FieldSource(column="action", map={"ACCEPT": "allow", "REJECT": "deny"}),
        "event_name": FieldSource(constant="TRAFFIC"),
        "network_transport": FieldSource(
            column="protocol", map={"1": "ICMP", "6": "TCP", "17": "UDP", "58": "ICMP"}
        ),
    },
)
"""AWS VPC Flow Logs v2-v5 as JSON lines, with the field names of their documentation."""

PRESETS: Mapping[str, InputMapping] = {
    "paloalto": PALOALTO,
    "zeek": ZEEK,
    "vpcflow": VPCFLOW,
}
