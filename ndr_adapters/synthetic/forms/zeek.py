"""Zeek's conn.log: JSON with dotted names or with an object `id`, and tabs."""

from __future__ import annotations

from typing import Any, Final

from ndr_adapters.synthetic.form import Form, Record
from ndr_adapters.synthetic.spelling import (
    NUMBERS,
    duration_us,
    ip_bytes,
    moment_us,
    packets,
    present,
    seconds,
    uid,
)

_STATES: Final = {
    "tcp-fin": "SF",
    "aged-out": "S1",
    "tcp-rst-from-client": "RSTO",
    "tcp-rst-from-server": "RSTR",
    "threat": "SF",
}
"""Reason -> the state of a TCP connection that was allowed."""
_BLOCKED: Final = {"drop": "S0", "deny": "REJ", "reset-both": "RSTRH"}
_IDS: Final = ("orig_h", "orig_p", "resp_h", "resp_p")
_TYPES: Final = {
    "ts": "time",
    "uid": "string",
    "id.orig_h": "addr",
    "id.orig_p": "port",
    "id.resp_h": "addr",
    "id.resp_p": "port",
    "proto": "enum",
    "duration": "interval",
    "orig_bytes": "count",
    "resp_bytes": "count",
    "conn_state": "string",
    "missed_bytes": "count",
    "orig_pkts": "count",
    "orig_ip_bytes": "count",
    "resp_pkts": "count",
    "resp_ip_bytes": "count",
    "ip_proto": "count",
}


def _json(record: Record) -> dict[str, Any]:
    sent, received = record["source_bytes"], record["destination_bytes"]
    return present(
        {
            "ts": seconds(moment_us(record["event_start"])),
            "uid": uid(record),
            "id.orig_h": record["source_ip"],
            "id.orig_p": record["source_port"],
            "id.resp_h": record["destination_ip"],
            "id.resp_p": record["destination_port"],
            "proto": record["network_transport"].lower(),
            "duration": seconds(duration_us(record)),
            "orig_bytes": sent,
            "resp_bytes": received,
            "conn_state": _state(record),
            "missed_bytes": 0,
            "orig_pkts": packets(sent),
            "orig_ip_bytes": ip_bytes(sent),
            "resp_pkts": packets(received),
            "resp_ip_bytes": ip_bytes(received),
            "ip_proto": NUMBERS[record["network_transport"]],
        }
    )


def _state(record: Record) -> str:
    match record["network_transport"]:
        case "TCP":
            allowed = _STATES.get(record["event_reason"], "SF")
            return _BLOCKED.get(record["event_action"], allowed)
        case "UDP":
            return "SF" if record["destination_bytes"] else "S0"
    return "OTH"


def _nested(record: Record) -> dict[str, Any]:
    flat = _json(record)
    ids = {name: flat.pop(f"id.{name}") for name in _IDS if f"id.{name}" in flat}
    return {"ts": flat.pop("ts", None), "id": ids, **flat}


def _tsv(record: Record) -> dict[str, Any]:
    found = _json(record)
    for name in ("ts", "duration"):
        if name in found:
            found[name] = f"{found[name]:.6f}"
    return found


ZEEK: Final = (
    Form(
        "zeek",
        "tsv",
        _tsv,
        columns=tuple(_TYPES),
        separator="\t",
        header=(
            "#separator \\x09",
            "#set_separator\t,",
            "#empty_field\t(empty)",
            "#unset_field\t-",
            "#path\tconn",
            "#fields\t" + "\t".join(_TYPES),
            "#types\t" + "\t".join(_TYPES.values()),
        ),
        suffix=".log.gz",
    ),
    Form("zeek", "json", _json),
    Form("zeek", "nested", _nested),
)
