"""Palo Alto traffic logs, parsed: the canonical names, times as ISO-8601 text."""

from __future__ import annotations

from typing import Final

from ndr_core.flows.mapping import FieldSource, InputMapping, Preset
from ndr_core.flows.record import FLOW_FIELDS, FieldKind
from ndr_core.flows.time_format import TimeFormat

_NOT_TOLD: Final = frozenset(
    {
        "source_packets",
        "destination_packets",
        "source_ip_bytes",
        "destination_ip_bytes",
        "missed_bytes",
        "tcp_flags",
    }
)
"""Canonical fields that have no column."""

PALOALTO: Final = Preset(
    about="Palo Alto traffic logs, parsed: the canonical column names, times as ISO-8601 text.",
    mapping=InputMapping(
        preset="paloalto",
        fields={
            flow_field.name: FieldSource(
                column=flow_field.name,
                format=TimeFormat.ISO8601 if flow_field.kind is FieldKind.TIMESTAMP else None,
            )
            for flow_field in FLOW_FIELDS
            if flow_field.name not in _NOT_TOLD
        },
    ),
)
