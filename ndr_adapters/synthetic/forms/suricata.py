"""Suricata's EVE flow events."""

from __future__ import annotations

from typing import Any, Final

from ndr_adapters.synthetic.form import Form, Record
from ndr_adapters.synthetic.spelling import duration_us, packets, present, seconds

_BLOCKED: Final = ("deny", "drop", "reset-both")


def _flow(record: Record) -> dict[str, Any]:
    blocked = record["event_action"] in _BLOCKED
    answered = bool(record["destination_bytes"])
    is_tcp = record["network_transport"] == "TCP"
    ended = record["event_reason"] == "tcp-fin"
    start, end = _eve_time(record["event_start"]), _eve_time(record["event_end"])
    return present(
        {
            "timestamp": end,
            "event_type": "flow",
            "src_ip": record["source_ip"],
            "src_port": record["source_port"],
            "dest_ip": record["destination_ip"],
            "dest_port": record["destination_port"],
            "proto": record["network_transport"],
            "flow": present(
                {
                    "pkts_toserver": packets(record["source_bytes"]),
                    "pkts_toclient": packets(record["destination_bytes"]),
                    "bytes_toserver": record["source_bytes"],
                    "bytes_toclient": record["destination_bytes"],
                    "start": start,
                    "end": end,
                    "age": seconds(duration_us(record), digits=0),
                    "state": ("closed" if is_tcp and ended else "established")
                    if answered
                    else "new",
                    "reason": "timeout",
                    "alerted": record["event_action"] == "alert",
                    "action": "drop" if blocked else None,
                }
            ),
            "tcp": {
                "fin": ended,
                "syn": True,
                "state": ("closed" if ended else "established") if answered else "syn_sent",
            }
            if is_tcp
            else None,
        }
    )


def _eve_time(value: Any) -> Any:
    return value.removesuffix("Z") + "+0000" if isinstance(value, str) else value


SURICATA: Final = (Form("suricata", "json", _flow),)
