"""OCSF network activity as JSON and Parquet: sessions of a firewall, and flow logs, which count one direction."""

from __future__ import annotations

from typing import Any, Final

from ndr_adapters.synthetic.form import Columns, Form, Record
from ndr_adapters.synthetic.spelling import NUMBERS, moment_us, packets, present

_CLASS: Final = 4001
_TRAFFIC: Final = 6
_DISPOSITIONS: Final = {"deny": (2, 2), "drop": (2, 6), "reset-both": (2, 21), "alert": (3, 19)}
"""Action -> the ids of its action and its disposition."""

_ENDPOINT: Final = {"ip": "string", "port": "int32"}
_EVENT: Final[Columns] = {
    "activity_id": "int32",
    "category_uid": "int32",
    "class_uid": "int32",
    "type_uid": "int64",
    "severity_id": "int32",
    "time": "int64",
    "start_time": "int64",
    "end_time": "int64",
    "action_id": "int32",
    "disposition_id": "int32",
    "src_endpoint": _ENDPOINT,
    "dst_endpoint": _ENDPOINT,
    "connection_info": {"protocol_num": "int32", "protocol_name": "string"},
    "metadata": {"version": "string", "product": {"name": "string"}},
}
_BOTH_WAYS: Final = ("bytes_out", "bytes_in", "packets_out", "packets_in")
_ONE_WAY: Final = ("bytes", "packets")


def _typed(amounts: tuple[str, ...]) -> Columns:
    return {**_EVENT, "traffic": dict.fromkeys(amounts, "int64")}


def _activity(record: Record) -> dict[str, Any]:
    action, disposition = _DISPOSITIONS.get(record["event_action"], (1, 1))
    end = _milliseconds(record["event_end"])
    return present(
        {
            "activity_id": _TRAFFIC,
            "category_uid": 4,
            "class_uid": _CLASS,
            "type_uid": 100 * _CLASS + _TRAFFIC,
            "severity_id": 1,
            "time": end,
            "start_time": _milliseconds(record["event_start"]),
            "end_time": end,
            "action_id": action,
            "disposition_id": disposition,
            "src_endpoint": present({"ip": record["source_ip"], "port": record["source_port"]}),
            "dst_endpoint": present(
                {"ip": record["destination_ip"], "port": record["destination_port"]}
            ),
            "connection_info": {
                "protocol_num": NUMBERS[record["network_transport"]],
                "protocol_name": record["network_transport"].lower(),
            },
            "traffic": present(
                {
                    "bytes_out": record["source_bytes"],
                    "bytes_in": record["destination_bytes"],
                    "packets_out": packets(record["source_bytes"]),
                    "packets_in": packets(record["destination_bytes"]),
                }
            ),
            "metadata": {"version": "1.1.0", "product": {"name": "Firewall"}},
        }
    )


def _flow_log(record: Record) -> dict[str, Any]:
    """One direction: what was sent is the total."""
    sent = record["source_bytes"]
    return {**_activity(record), "traffic": present({"bytes": sent, "packets": packets(sent)})}


def _event(record: Record) -> dict[str, Any]:
    """A session of which nothing is counted."""
    return {name: value for name, value in _activity(record).items() if name != "traffic"}


def _milliseconds(value: Any) -> int | None:
    us = moment_us(value)
    return None if us is None else us // 1000


OCSF: Final = (
    Form("ocsf", "json", _activity),
    Form("ocsf", "parquet", _activity, typed=_typed(_BOTH_WAYS), suffix=".parquet"),
    Form("ocsf", "flow_logs", _flow_log, counts_one_way=True),
    Form(
        "ocsf",
        "security_lake",
        _flow_log,
        typed=_typed(_ONE_WAY),
        counts_one_way=True,
        suffix=".parquet",
    ),
    Form("ocsf", "events", _event),
    Form("ocsf", "events_parquet", _event, typed=_EVENT, suffix=".parquet"),
)
