"""Palo Alto sessions: with the canonical names, as a firewall names its fields, and as Strata Logging Service does."""

from __future__ import annotations

from typing import Any, Final

from ndr_adapters.synthetic.form import Form, Record
from ndr_adapters.synthetic.spelling import duration_us, local_text, packets, present, seconds

_DROPPED: Final = ("deny", "drop", "reset-both")


def _panos(record: Record) -> dict[str, Any]:
    if record["event_name"] == "THREAT":
        return _texts(
            type="THREAT",
            subtype="vulnerability",
            time_generated=local_text(record["event_start"], "/"),
            src=record["source_ip"],
            dst=record["destination_ip"],
            sport=record["source_port"],
            dport=record["destination_port"],
            proto=_lower(record["network_transport"]),
            action=record["event_action"],
            severity="medium",
        )
    return _texts(
        type="TRAFFIC",
        subtype="deny" if record["event_action"] in _DROPPED else "end",
        time_generated=local_text(record["event_end"], "/"),
        src=record["source_ip"],
        dst=record["destination_ip"],
        sport=record["source_port"],
        dport=record["destination_port"],
        proto=_lower(record["network_transport"]),
        action=record["event_action"],
        bytes_sent=record["source_bytes"],
        bytes_received=record["destination_bytes"],
        start=local_text(record["event_start"], "/"),
        elapsed=seconds(duration_us(record), digits=0),
        pkts_sent=packets(record["source_bytes"]),
        pkts_received=packets(record["destination_bytes"]),
        session_end_reason=record["event_reason"],
    )


def _strata(record: Record) -> dict[str, Any]:
    is_threat = record["event_name"] == "THREAT"
    ends = {
        "SourceAddress": record["source_ip"],
        "DestinationAddress": record["destination_ip"],
        "SourcePort": record["source_port"],
        "DestinationPort": record["destination_port"],
        "Protocol": _lower(record["network_transport"]),
        "Action": record["event_action"],
    }
    if is_threat:
        found = {"LogType": "THREAT", "Subtype": "spyware", "TimeGenerated": record["event_start"]}
        return present(found | ends)
    return present(
        {
            "LogType": "TRAFFIC",
            "Subtype": "deny" if record["event_action"] in _DROPPED else "end",
            "TimeGenerated": record["event_end"],
            **ends,
            "BytesSent": record["source_bytes"],
            "BytesReceived": record["destination_bytes"],
            "SessionStartTime": record["event_start"],
            "SessionDuration": seconds(duration_us(record), digits=0),
            "PacketsSent": packets(record["source_bytes"]),
            "PacketsReceived": packets(record["destination_bytes"]),
            "SessionEndReason": record["event_reason"],
        }
    )


def _texts(**values: Any) -> dict[str, Any]:
    """What a payload of the firewall holds: each value as text."""
    return {
        name: str(value) if isinstance(value, int) else value
        for name, value in present(values).items()
    }


def _lower(value: str) -> str:
    return value.lower()


PALOALTO: Final = (
    Form("paloalto", "canonical", dict),
    Form("paloalto", "panos", _panos),
    Form("paloalto", "strata", _strata),
)
