"""Palo Alto TRAFFIC and THREAT logs, as JSON."""

from __future__ import annotations

from typing import Final

from ndr_core.flows.leaf import Leaf
from ndr_core.flows.mapping import FieldSource, InputMapping
from ndr_core.flows.presets.form import SourceForm
from ndr_core.flows.presets.preset import Preset
from ndr_core.flows.time_format import TimeFormat, TimePattern

_TIMES: Final = (TimeFormat.ISO8601, TimePattern("%Y/%m/%d %H:%M:%S"))
"""What the firewall writes has no offset: `timezone` says where it stands."""


def _leaves(*names: str) -> tuple[Leaf, ...]:
    return tuple((name,) for name in names)


def _any_of(*names: str, optional: bool = False) -> FieldSource:
    """A value that has the canonical name, that of the firewall, or that of Strata Logging Service."""
    return FieldSource(any_of=_leaves(*names), optional=optional)


PALOALTO: Final = Preset(
    title="Palo Alto logs",
    about="Palo Alto TRAFFIC and THREAT logs as JSON Lines: of the firewall, of Strata Logging Service, "
    "or with the canonical names.",
    links=(
        "https://docs.paloaltonetworks.com/pan-os/11-0/pan-os-admin/monitoring/use-syslog-for-monitoring/syslog-field-descriptions/traffic-log-fields",
        "https://docs.paloaltonetworks.com/strata-logging-service/log-reference/network-logs/network-traffic-log/network-traffic-https-fields",
    ),
    mapping=InputMapping(
        preset="paloalto",
        null_values=("", "n/a"),
        fields={
            "source_ip": _any_of("source_ip", "src", "SourceAddress"),
            "destination_ip": _any_of("destination_ip", "dst", "DestinationAddress"),
            "source_port": _any_of("source_port", "sport", "SourcePort"),
            "destination_port": _any_of("destination_port", "dport", "DestinationPort"),
            # A THREAT record has no amounts and no end; PAN-OS before 6.1 gives no reason.
            "source_bytes": _any_of("source_bytes", "bytes_sent", "BytesSent", optional=True),
            "destination_bytes": _any_of(
                "destination_bytes", "bytes_received", "BytesReceived", optional=True
            ),
            "source_packets": _any_of("source_packets", "pkts_sent", "PacketsSent", optional=True),
            "destination_packets": _any_of(
                "destination_packets", "pkts_received", "PacketsReceived", optional=True
            ),
            # A THREAT record has no start: the time when it was written.
            "event_start": FieldSource(
                any_of=_leaves(
                    "event_start", "start", "SessionStartTime", "time_generated", "TimeGenerated"
                ),
                format=_TIMES,
            ),
            "event_end": FieldSource(
                any_of=_leaves("event_end", "elapsed", "SessionDuration"),
                format=(*_TIMES, TimeFormat.DURATION_S),
                optional=True,
            ),
            "event_action": _any_of("event_action", "action", "Action"),
            "event_reason": _any_of(
                "event_reason", "session_end_reason", "SessionEndReason", optional=True
            ),
            "event_name": _any_of("event_name", "type", "LogType"),
            "network_transport": _any_of("network_transport", "proto", "Protocol", optional=True),
        },
    ),
    forms=(
        SourceForm(
            "canonical",
            "with the canonical names, of a parser of your own",
            (_leaves("source_ip"), _leaves("destination_ip"), _leaves("event_start")),
        ),
        SourceForm(
            "panos",
            "with the names of the firewall's fields",
            (_leaves("src"), _leaves("dst"), _leaves("type"), _leaves("time_generated", "start")),
            {"only": {"type": ["TRAFFIC", "THREAT"]}},
        ),
        SourceForm(
            "strata",
            "of Strata Logging Service",
            (_leaves("SourceAddress"), _leaves("DestinationAddress"), _leaves("LogType")),
            {"only": {"LogType": ["TRAFFIC", "THREAT"]}},
        ),
    ),
)
