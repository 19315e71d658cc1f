"""The canonical flow record: its fields, types and units."""

from __future__ import annotations

from enum import Enum
from typing import Final

from attrs import field, frozen

MAX_PORT: Final = 65535


class FieldKind(Enum):
    """How the values of a field are read."""

    IP = "ip"
    INTEGER = "int64"
    TIMESTAMP = "timestamp"
    TEXT = "string"


class Case(Enum):
    """Letter case to which a text field is brought before it is compared."""

    AS_IS = "as is"
    LOWER = "lower"
    UPPER = "upper"

    def of(self, text: str) -> str:
        """Give a text in this case."""
        match self:
            case Case.LOWER:
                return text.lower()
            case Case.UPPER:
                return text.upper()
        return text


@frozen
class FlowField:
    """One field of the canonical schema."""

    name: str
    kind: FieldKind
    note: str
    required: bool = False
    case: Case = Case.AS_IS


FLOW_FIELDS: Final[tuple[FlowField, ...]] = (
    FlowField("source_ip", FieldKind.IP, "IPv4 or IPv6, canonical text", required=True),
    FlowField("destination_ip", FieldKind.IP, "IPv4 or IPv6, canonical text", required=True),
    FlowField("source_port", FieldKind.INTEGER, "0..65535 or null"),
    FlowField("destination_port", FieldKind.INTEGER, "0..65535 or null; the service port"),
    FlowField("source_bytes", FieldKind.INTEGER, "bytes sent by the source, or null"),
    FlowField("destination_bytes", FieldKind.INTEGER, "bytes sent by the destination, or null"),
    FlowField("event_start", FieldKind.TIMESTAMP, "us since 1970-01-01 UTC", required=True),
    FlowField("event_end", FieldKind.TIMESTAMP, "us since 1970-01-01 UTC, or null"),
    FlowField("event_action", FieldKind.TEXT, "allow, drop, deny, alert, ...", case=Case.LOWER),
    FlowField("event_reason", FieldKind.TEXT, "e.g. tcp-rst-from-client, aged-out"),
    FlowField("event_name", FieldKind.TEXT, "TRAFFIC, THREAT"),
    FlowField("network_transport", FieldKind.TEXT, "TCP, UDP, ICMP", case=Case.UPPER),
)

FIELD_BY_NAME: Final = {flow_field.name: flow_field for flow_field in FLOW_FIELDS}


@frozen
class FlowRecord:
    """One flow (session) in canonical form, as read: not yet repaired.

    Times are integer microseconds since 1970-01-01 UTC, bytes are int64. An address is None where the
    source holds none that is valid, so that a quality rule can tell. `keys` holds the values of
    the source columns named by `quality.deduplicate_on`, in that order.
    """

    source_ip: str | None
    destination_ip: str | None
    event_start: int | None
    event_end: int | None = None
    source_port: int | None = None
    destination_port: int | None = None
    source_bytes: int | None = None
    destination_bytes: int | None = None
    event_action: str | None = None
    event_reason: str | None = None
    event_name: str | None = None
    network_transport: str | None = None
    keys: tuple[str | int | None, ...] = field(default=(), kw_only=True)
