"""OCSF network activity as JSON."""

from __future__ import annotations

from typing import Any, Final

from ndr_adapters.synthetic.form import Form, Record
from ndr_adapters.synthetic.spelling import NUMBERS, moment_us, packets, present

_CLASS: Final = 4001
_TRAFFIC: Final = 6
_DISPOSITIONS: Final = {"deny": (2, 2), "drop": (2, 6), "reset-both": (2, 21), "alert": (3, 19)}
"""Action -> the ids of its action and its disposition."""


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


def _milliseconds(value: Any) -> int | None:
    us = moment_us(value)
    return None if us is None else us // 1000


OCSF: Final = (Form("ocsf", "json", _activity),)
