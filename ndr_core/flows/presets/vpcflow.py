"""AWS VPC Flow Logs v2 to v5."""

from __future__ import annotations

from typing import Final

from ndr_core.flows.leaf import Leaf
from ndr_core.flows.mapping import FieldSource, InputMapping
from ndr_core.flows.presets.form import SourceForm
from ndr_core.flows.presets.preset import Preset
from ndr_core.flows.presets.protocols import TRANSPORTS
from ndr_core.flows.time_format import TimeFormat

_RECORD: Final[tuple[tuple[Leaf, ...], ...]] = (
    (("srcaddr",),),
    (("dstaddr",),),
    (("start",),),
    (("log-status",), ("log_status",), ("action",)),
)

VPCFLOW: Final = Preset(
    title="AWS VPC Flow Logs",
    about="AWS VPC Flow Logs (v2 to v5), as text, Parquet or JSON Lines.",
    links=("https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html",),
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
            "source_packets": FieldSource(column="packets", optional=True),
            "tcp_flags": FieldSource(any_of=(("tcp-flags",), ("tcp_flags",)), optional=True),
            "event_start": FieldSource(column="start", format=TimeFormat.EPOCH_S),
            "event_end": FieldSource(column="end", format=TimeFormat.EPOCH_S),
            "event_action": FieldSource(column="action", map={"ACCEPT": "allow", "REJECT": "deny"}),
            "event_name": FieldSource(constant="TRAFFIC"),
            "network_transport": FieldSource(column="protocol", map=TRANSPORTS),
        },
    ),
    forms=(
        SourceForm(
            "text",
            "as text with a header, as AWS writes to S3 by default",
            _RECORD,
            {"format": "delimited", "separator": " ", "header": "first_line"},
        ),
        SourceForm("parquet", "as Parquet", _RECORD, {"format": "parquet"}),
        SourceForm("json", "as JSON Lines, of Firehose or Athena", _RECORD),
    ),
)
