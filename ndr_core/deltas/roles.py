"""Roles: each kept record is seen once per role, from the side of one of its two hosts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from ndr_core.errors import Problem, shown
from ndr_core.expressions.expr import Expr, col, lit
from ndr_core.flows.moment import MOMENT
from ndr_core.flows.vocabulary import THREAT
from ndr_core.names import COLUMN_NAME_RULE, is_column_name
from ndr_core.quality.repairs import END_KNOWN
from ndr_core.times import MINUTE_US, SECOND_US


@frozen
class Role:
    """One side of a flow, by the canonical fields that play each part."""

    name: str
    """Value of the `role` key and partition."""
    host: str
    """Field that is the host."""
    peer: str
    """Field that is the peer."""
    sent: str
    """Bytes that the host sent."""
    received: str
    """Bytes that the host received."""
    peer_port: str = "destination_port"
    """Port that tells the service."""

    @property
    def is_outbound(self) -> bool:
        """Whether it is the role `outbound` in all its parts: of its sessions alone the timing of pairs is told."""
        return self == OUTBOUND

    def problems(self) -> list[Problem]:
        """List what is wrong, by key; nothing when all is well."""
        found = []
        if not is_column_name(self.name):
            found.append(Problem("name", COLUMN_NAME_RULE))
        for key, suffix in (
            ("host", "_ip"),
            ("peer", "_ip"),
            ("sent", "_bytes"),
            ("received", "_bytes"),
            ("peer_port", "_port"),
        ):
            name = getattr(self, key)
            if name not in (f"source{suffix}", f"destination{suffix}"):
                found.append(Problem(key, f"{shown(name)} is no field like source{suffix}"))
        return found

    def view(self) -> Mapping[str, Expr]:
        """Give the columns that measures speak of, as expressions over a settled flow record with its marks."""
        start, end = col("event_start"), col("event_end")
        reply = col("destination_packets").or_else(col("destination_bytes"))
        return {
            "host_ip": col(self.host),
            "peer_ip": col(self.peer),
            "peer_port": col(self.peer_port),
            "bytes_sent": col(self.sent).or_else(0),
            "bytes_recv": col(self.received).or_else(0),
            "packets_sent": col(_PACKETS_OF[self.sent]),
            "packets_recv": col(_PACKETS_OF[self.received]),
            "duration_us": end - start,
            "event_start": start,
            "event_ts": end // SECOND_US * SECOND_US,
            "minute": col(MOMENT) // MINUTE_US,
            "reply": reply,
            "end_known": END_KNOWN,
            "is_session": col("event_name").ne(THREAT).or_else(lit(True)),
            "event_action": col("event_action"),
            "event_reason": col("event_reason"),
            "event_name": col("event_name"),
            "network_transport": col("network_transport"),
        }


_PACKETS_OF: Final = {
    "source_bytes": "source_packets",
    "destination_bytes": "destination_packets",
}
PACKETS: Final = tuple(_PACKETS_OF.values())
"""Fields that tell the packets of a side."""

OUTBOUND: Final = Role(
    "outbound", "source_ip", "destination_ip", "source_bytes", "destination_bytes"
)
INBOUND: Final = Role("inbound", "destination_ip", "source_ip", "destination_bytes", "source_bytes")
ROLES: Final = {role.name: role for role in (OUTBOUND, INBOUND)}
