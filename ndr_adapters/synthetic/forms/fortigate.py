"""FortiGate traffic logs as JSON of a forwarder: all values are text, the time is that of the end."""

from __future__ import annotations

from typing import Any, Final

from ndr_adapters.synthetic.form import Form, Record
from ndr_adapters.synthetic.spelling import (
    NUMBERS,
    duration_us,
    moment_us,
    nanoseconds,
    packets,
    present,
    seconds,
)

_ACTIONS: Final = {
    "tcp-fin": "close",
    "aged-out": "timeout",
    "tcp-rst-from-client": "client-rst",
    "tcp-rst-from-server": "server-rst",
}
_DENIED: Final = ("deny", "drop", "reset-both")


def _traffic(record: Record) -> dict[str, Any]:
    denied = record["event_action"] in _DENIED
    values = {
        "eventtime": nanoseconds(moment_us(record["event_end"])),
        "tz": "+0000",
        "logid": "0000000013",
        "type": "traffic",
        "subtype": "forward",
        "level": "notice",
        "vd": "root",
        "srcip": record["source_ip"],
        "srcport": record["source_port"],
        "dstip": record["destination_ip"],
        "dstport": record["destination_port"],
        "proto": NUMBERS[record["network_transport"]],
        "action": "deny" if denied else _ACTIONS.get(record["event_reason"], "accept"),
        "duration": seconds(duration_us(record), digits=0),
        "sentbyte": record["source_bytes"],
        "rcvdbyte": record["destination_bytes"],
        "sentpkt": packets(record["source_bytes"]),
        "rcvdpkt": packets(record["destination_bytes"]),
    }
    return {
        name: str(value) if isinstance(value, int) else value
        for name, value in present(values).items()
    }


FORTIGATE: Final = (Form("fortigate", "json", _traffic),)
