"""VPC Flow Logs of Google Cloud as log entries. Records count one direction."""

from __future__ import annotations

from typing import Any, Final

from ndr_adapters.synthetic.form import Form, Record
from ndr_adapters.synthetic.spelling import NUMBERS, packets, present


def _entry(record: Record) -> dict[str, Any]:
    sent, count = record["source_bytes"], packets(record["source_bytes"])
    return present(
        {
            "jsonPayload": present(
                {
                    "bytes_sent": None if sent is None else str(sent),
                    "packets_sent": None if count is None else str(count),
                    "connection": present(
                        {
                            "src_ip": record["source_ip"],
                            "src_port": record["source_port"],
                            "dest_ip": record["destination_ip"],
                            "dest_port": record["destination_port"],
                            "protocol": NUMBERS[record["network_transport"]],
                        }
                    ),
                    "start_time": record["event_start"],
                    "end_time": record["event_end"],
                    "reporter": "SRC",
                }
            ),
            "logName": "projects/my-project/logs/compute.googleapis.com%2Fvpc_flows",
            "timestamp": record["event_end"],
        }
    )


GCP_VPC: Final = (Form("gcp_vpc", "json", _entry, counts_one_way=True),)
