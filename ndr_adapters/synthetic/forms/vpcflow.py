"""AWS VPC flow logs: text with the default fields, Parquet, and JSON."""

from __future__ import annotations

from typing import Any, Final

from ndr_adapters.synthetic.form import Form, Record
from ndr_adapters.synthetic.spelling import NUMBERS, moment_us, packets, present, seconds

_ACTIONS: Final = {"deny": "REJECT", "drop": "REJECT", "reset-both": "REJECT"}
_COLUMNS: Final = (
    "version",
    "account-id",
    "interface-id",
    "srcaddr",
    "dstaddr",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "action",
    "log-status",
)

_TYPES: Final = {
    "version": "int32",
    "srcport": "int32",
    "dstport": "int32",
    "protocol": "int32",
    "packets": "int64",
    "bytes": "int64",
    "start": "int64",
    "end": "int64",
}
"""Of columns of Parquet that hold no text."""


def _flow(record: Record) -> dict[str, Any]:
    return present(
        {
            "version": 2,
            "account-id": "123456789010",
            "interface-id": "eni-1235b8ca123456789",
            "srcaddr": record["source_ip"],
            "dstaddr": record["destination_ip"],
            "srcport": record["source_port"],
            "dstport": record["destination_port"],
            "protocol": NUMBERS[record["network_transport"]],
            "packets": packets(record["source_bytes"]),
            "bytes": record["source_bytes"],
            "start": seconds(moment_us(record["event_start"]), digits=0),
            "end": seconds(moment_us(record["event_end"]), digits=0),
            "action": _ACTIONS.get(record["event_action"], "ACCEPT"),
            "log-status": "OK",
        }
    )


def _underscored(record: Record) -> dict[str, Any]:
    """As Parquet and Athena have it."""
    return {name.replace("-", "_"): value for name, value in _flow(record).items()}


VPCFLOW: Final = (
    Form(
        "vpcflow",
        "text",
        _flow,
        columns=_COLUMNS,
        separator=" ",
        header=(" ".join(_COLUMNS),),
        counts_one_way=True,
        suffix=".log.gz",
    ),
    Form(
        "vpcflow",
        "parquet",
        _underscored,
        typed={name.replace("-", "_"): _TYPES.get(name, "string") for name in _COLUMNS},
        counts_one_way=True,
        suffix=".parquet",
    ),
    Form("vpcflow", "athena", _underscored, counts_one_way=True),
    Form("vpcflow", "json", _flow, counts_one_way=True),
)
