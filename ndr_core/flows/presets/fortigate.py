"""FortiGate traffic logs, as JSON of a forwarder."""

from __future__ import annotations

from typing import Final

from ndr_core.flows.mapping import FieldSource, InputMapping
from ndr_core.flows.presets.form import SourceForm
from ndr_core.flows.presets.preset import Preset
from ndr_core.flows.selection import Condition, Selection
from ndr_core.flows.time_format import TimeFormat
from ndr_core.flows.value_map import MapRow, ValueMap

_TYPE: Final = ("type",)
_ACTIONS: Final = {
    # How a session ended that the policy allowed; "deny" stays as it is.
    "accept": "allow",
    "close": "allow",
    "timeout": "allow",
    "client-rst": "allow",
    "server-rst": "allow",
    "dns": "allow",
    "ip-conn": "allow",
    "start": "allow",
}
_REASONS: Final = {
    "close": "tcp-fin",
    "timeout": "aged-out",
    "client-rst": "tcp-rst-from-client",
    "server-rst": "tcp-rst-from-server",
    "deny": "policy-deny",
}
"""Action -> how a session ended; the other actions do not say."""


def _optional(name: str) -> FieldSource:
    return FieldSource(column=name, optional=True)


FORTIGATE: Final = Preset(
    title="FortiGate traffic logs",
    about="FortiGate traffic logs, as JSON Lines of a forwarder.",
    links=(
        "https://docs.fortinet.com/document/fortigate/7.4.3/fortios-log-message-reference/357866/traffic",
    ),
    mapping=InputMapping(
        preset="fortigate",
        only=Selection((Condition(_TYPE, ("traffic",)),)),
        null_values=("", "N/A"),
        fields={
            "source_ip": FieldSource(column="srcip"),
            "destination_ip": FieldSource(column="dstip"),
            "source_port": _optional("srcport"),
            "destination_port": _optional("dstport"),
            "source_bytes": FieldSource(column="sentbyte"),
            "destination_bytes": FieldSource(column="rcvdbyte"),
            "source_packets": _optional("sentpkt"),
            "destination_packets": _optional("rcvdpkt"),
            # Without a duration the one time is that of the start, and the end is not known.
            "event_start": FieldSource(
                any_of=(("duration",), ("eventtime",)),
                format=(TimeFormat.DURATION_S, TimeFormat.EPOCH_MS, TimeFormat.EPOCH_NS),
            ),
            # The log is written at the end. Seconds, or since FortiOS 6.2 nanoseconds: the size tells.
            "event_end": FieldSource(
                column="eventtime",
                format=(TimeFormat.EPOCH_S, TimeFormat.EPOCH_MS, TimeFormat.EPOCH_NS),
            ),
            "event_action": FieldSource(column="action", map=_ACTIONS, optional=True),
            "event_reason": FieldSource(
                column="action",
                map=ValueMap(
                    tuple(MapRow((action,), reason) for action, reason in _REASONS.items()),
                    default=None,
                ),
                optional=True,
            ),
            "event_name": FieldSource(constant="TRAFFIC"),
            "network_transport": FieldSource(column="proto", optional=True),
        },
    ),
    forms=(
        SourceForm(
            "json",
            "as JSON Lines",
            ((("srcip",),), (("dstip",),), (("eventtime",),), (_TYPE,)),
            session_key=("devid", "sessionid"),
        ),
    ),
)
