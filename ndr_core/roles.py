"""Roles: each kept record is seen once per role, from the side of one of its two hosts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from attrs import field, frozen

from ndr_core.errors import shown
from ndr_core.expr import Expr, col
from ndr_core.flow import FIELD_BY_NAME, FieldKind

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


@frozen
class Role:
    """One side of a flow, by the canonical fields that play each part."""

    name: str = field(metadata={"doc": "value of the `role` key and partition"})
    host: str = field(metadata={"doc": "field that is the host"})
    peer: str = field(metadata={"doc": "field that is the peer"})
    sent: str = field(metadata={"doc": "bytes that the host sent"})
    received: str = field(metadata={"doc": "bytes that the host received"})
    peer_port: str = field(
        default="destination_port", metadata={"doc": "port that tells the service"}
    )

    def problems(self) -> list[tuple[str, str]]:
        """What is wrong, as (key, message)."""
        found = []
        if not _NAME.fullmatch(self.name):
            found.append(("name", "may hold lower-case letters, digits and '_' only"))
        for key, kind, suffix in (
            ("host", FieldKind.IP, "_ip"),
            ("peer", FieldKind.IP, "_ip"),
            ("sent", FieldKind.INTEGER, "_bytes"),
            ("received", FieldKind.INTEGER, "_bytes"),
            ("peer_port", FieldKind.INTEGER, "_port"),
        ):
            name = getattr(self, key)
            flow_field = FIELD_BY_NAME.get(name)
            if flow_field is None or flow_field.kind is not kind or not name.endswith(suffix):
                found.append((key, f"{shown(name)} is no field like source{suffix}"))
        return found

    def view(self) -> Mapping[str, Expr]:
        """The columns that measures speak of, as expressions over a repaired flow record."""
        start, end = col("event_start"), col("event_end")
        return {
            "host_ip": col(self.host),
            "peer_ip": col(self.peer),
            "peer_port": col(self.peer_port),
            "bytes_sent": col(self.sent).or_else(0),
            "bytes_recv": col(self.received).or_else(0),
            "duration_us": end - start,
            "event_ts": end,
            "minute": start // 60_000_000,
            "reply_bytes": col("destination_bytes"),
            "event_action": col("event_action"),
            "event_reason": col("event_reason"),
            "event_name": col("event_name"),
            "network_transport": col("network_transport"),
        }


OUTBOUND: Final = Role(
    "outbound", "source_ip", "destination_ip", "source_bytes", "destination_bytes"
)
INBOUND: Final = Role("inbound", "destination_ip", "source_ip", "destination_bytes", "source_bytes")
ROLES: Final = {role.name: role for role in (OUTBOUND, INBOUND)}
