"""AWS VPC Flow Logs v2 to v5."""

from __future__ import annotations

from typing import Final

from ndr_core.flows.leaf import Leaf
from ndr_core.flows.mapping import FieldSource, InputMapping, Lost, Pairing
from ndr_core.flows.presets.form import SourceForm
from ndr_core.flows.presets.preset import Preset
from ndr_core.flows.time_format import TimeFormat

_RECORD: Final[tuple[tuple[Leaf, ...], ...]] = ((("srcaddr",),), (("dstaddr",),), (("start",),))
"""What the records of any format have: users choose its fields."""
_UNDERSCORED: Final = (*_RECORD, (("log_status",), ("account_id",), ("interface_id",)))
_FILES: Final = ("*_vpcflowlogs_*",)
_LOST: Final = {"lost": {"column": "log_status", "value": "SKIPDATA"}}
"""Of the names that have an underscore in place of a hyphen."""

VPCFLOW: Final = Preset(
    title="AWS VPC Flow Logs",
    about="AWS VPC Flow Logs (v2 to v5), as text, Parquet or JSON Lines.",
    links=("https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html",),
    mapping=InputMapping(
        preset="vpcflow",
        pairing=Pairing.BIFLOW,
        null_values=("-",),
        lost=Lost("log-status", "SKIPDATA"),
        fields={
            "source_ip": FieldSource(column="srcaddr"),
            "destination_ip": FieldSource(column="dstaddr"),
            "source_port": FieldSource(column="srcport"),
            "destination_port": FieldSource(column="dstport"),
            "source_bytes": FieldSource(column="bytes"),
            "source_packets": FieldSource(column="packets", optional=True),
            "tcp_flags": FieldSource(any_of=(("tcp-flags",), ("tcp_flags",)), optional=True),
            "event_start": FieldSource(column="start", format=TimeFormat.EPOCH_S),
            "event_end": FieldSource(column="end", format=TimeFormat.EPOCH_S),
            "event_action": FieldSource(column="action", map={"ACCEPT": "allow", "REJECT": "deny"}),
            "event_name": FieldSource(constant="TRAFFIC"),
            "network_transport": FieldSource(column="protocol"),
        },
    ),
    forms=(
        SourceForm(
            "text",
            "as text, as AWS writes to S3 by default",
            _RECORD,
            {"format": "delimited", "separator": " ", "header": "first_line"},
            _FILES,
            any_layout=True,
        ),
        SourceForm("parquet", "as Parquet", _RECORD, {"format": "parquet", **_LOST}, _FILES),
        SourceForm("athena", "as JSON Lines, of Athena", _UNDERSCORED, _LOST),
        SourceForm("json", "as JSON Lines, of Firehose", _RECORD),
    ),
)
