"""AWS VPC Flow Logs v2-v5 as JSON lines, with the field names of their documentation."""

from __future__ import annotations

from typing import Final

from ndr_core.flows.mapping import FieldSource, InputMapping, Preset
from ndr_core.flows.time_format import TimeFormat

VPCFLOW: Final = Preset(
    about="AWS VPC Flow Logs (v2 to v5) as JSON Lines.",
    mapping=InputMapping(
        preset="vpcflow",
        null_values=("-",),
        fields={
            "source_ip": FieldSource(column="srcaddr"),
            "destination_ip": FieldSource(column="dstaddr"),
            "source_port": FieldSource(column="srcport"),
            "destination_port": FieldSource(column="dstport"),
            # A VPC flow record counts one direction; the answer is a record of its own.
            "source_bytes": FieldSource(column="bytes"),
            "event_start": FieldSource(column="start", format=TimeFormat.EPOCH_S),
            "event_end": FieldSource(column="end", format=TimeFormat.EPOCH_S),
            "event_action": FieldSource(column="action", map={"ACCEPT": "allow", "REJECT": "deny"}),
            "event_name": FieldSource(constant="TRAFFIC"),
            "network_transport": FieldSource(
                column="protocol", map={"1": "ICMP", "6": "TCP", "17": "UDP", "58": "ICMP"}
            ),
        },
    ),
)
