"""NetFlow and IPFIX: JSON of goflow2, JSON and CSV of nfdump. Records count one direction."""

from __future__ import annotations

from typing import Any, Final

from ndr_adapters.synthetic.form import Form, Record
from ndr_adapters.synthetic.spelling import (
    NUMBERS,
    duration_us,
    local_text,
    moment_us,
    nanoseconds,
    packets,
    present,
    seconds,
)

_COLUMNS: Final = (
    "firstSeen",
    "duration",
    "proto",
    "srcAddr",
    "srcPort",
    "dstAddr",
    "dstPort",
    "packets",
    "bytes",
    "flows",
)

_MPLS: Final = tuple(f"mpls{label}" for label in range(1, 11))
_OF_1_6: Final = (
    *("ts", "te", "td", "sa", "da", "sp", "dp", "pr", "flg", "fwd", "stos"),
    *("ipkt", "ibyt", "opkt", "obyt", "in", "out", "sas", "das", "smk", "dmk", "dtos", "dir"),
    *("nh", "nhb", "svln", "dvln", "ismc", "odmc", "idmc", "osmc"),
    *_MPLS,
    *("cl", "sl", "al", "ra", "eng", "exid", "tr"),
)
"""Columns of nfdump 1.6."""
_NO_ADDRESS: Final = "0.0.0.0"  # noqa: S104
_NO_MAC: Final = "00:00:00:00:00:00"


def _goflow2(record: Record) -> dict[str, Any]:
    return present(
        {
            "type": "NETFLOW_V9",
            "sampler_address": "192.0.2.254",
            "time_flow_start_ns": nanoseconds(moment_us(record["event_start"])),
            "time_flow_end_ns": nanoseconds(moment_us(record["event_end"])),
            "bytes": record["source_bytes"],
            "packets": packets(record["source_bytes"]),
            "src_addr": record["source_ip"],
            "dst_addr": record["destination_ip"],
            "proto": record["network_transport"],
            "src_port": record["source_port"],
            "dst_port": record["destination_port"],
            "tcp_flags": _flags(record),
        }
    )


def _flags(record: Record) -> int | None:
    """Flags of the records of TCP: a port below 1024 is that of a server, which answers a SYN."""
    if record["network_transport"] != "TCP":
        return None
    port = record["source_port"]
    return 18 if isinstance(port, int) and port < 1024 else 2


def _nfdump(record: Record) -> dict[str, Any]:
    family = 6 if ":" in str(record["source_ip"]) + str(record["destination_ip"]) else 4
    return present(
        {
            "type": "FLOW",
            "first": _without_offset(record["event_start"]),
            "last": _without_offset(record["event_end"]),
            "in_packets": packets(record["source_bytes"]),
            "in_bytes": record["source_bytes"],
            "proto": NUMBERS[record["network_transport"]],
            "src_port": record["source_port"],
            "dst_port": record["destination_port"],
            f"src{family}_addr": record["source_ip"],
            f"dst{family}_addr": record["destination_ip"],
        }
    )


def _csv(record: Record) -> dict[str, Any]:
    length = seconds(duration_us(record))
    return {
        "firstSeen": local_text(record["event_start"]),
        "duration": None if length is None else f"{length:.3f}",
        "proto": NUMBERS[record["network_transport"]],
        "srcAddr": record["source_ip"],
        "srcPort": record["source_port"],
        "dstAddr": record["destination_ip"],
        "dstPort": record["destination_port"],
        "packets": packets(record["source_bytes"]),
        "bytes": record["source_bytes"],
        "flows": 1,
    }


def _csv16(record: Record) -> dict[str, Any]:
    length = seconds(duration_us(record))
    end = local_text(record["event_end"])
    return {
        **dict.fromkeys(_OF_1_6, 0),
        **dict.fromkeys(_MPLS, "0-0-0"),
        **dict.fromkeys(("nh", "nhb", "ra"), _NO_ADDRESS),
        **dict.fromkeys(("ismc", "odmc", "idmc", "osmc"), _NO_MAC),
        **dict.fromkeys(("cl", "sl", "al"), "0.000"),
        "ts": local_text(record["event_start"]),
        "te": end,
        "td": None if length is None else f"{length:.3f}",
        "sa": record["source_ip"],
        "da": record["destination_ip"],
        "sp": record["source_port"],
        "dp": record["destination_port"],
        "pr": record["network_transport"],
        "flg": "...AP.SF" if record["network_transport"] == "TCP" else "........",
        "ipkt": packets(record["source_bytes"]),
        "ibyt": record["source_bytes"],
        "eng": "0/0",
        "exid": 1,
        "tr": end,
    }


def _without_offset(value: Any) -> Any:
    return value.removesuffix("Z") if isinstance(value, str) else value


NETFLOW: Final = (
    Form("netflow", "goflow2", _goflow2, counts_one_way=True),
    Form("netflow", "nfdump", _nfdump, counts_one_way=True),
    Form(
        "netflow",
        "csv",
        _csv,
        columns=_COLUMNS,
        header=(",".join(_COLUMNS),),
        unset="",
        counts_one_way=True,
        suffix=".log.gz",
    ),
    Form(
        "netflow",
        "csv16",
        _csv16,
        columns=_OF_1_6,
        header=(",".join(_OF_1_6),),
        unset="",
        counts_one_way=True,
        suffix=".log.gz",
    ),
)
