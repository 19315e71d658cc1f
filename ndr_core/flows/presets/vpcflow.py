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
_FILES: Final = ("*_vpcflowlogs_*",)
_UNDERSCORED: Final = (*_RECORD, (("log_status",), ("account_id",), ("interface_id",)))
"""Of the names that have an underscore in place of a hyphen."""


def _optional(name: str) -> FieldSource:
    """A field that custom formats may do without, and records of quiet interfaces, which leave out what is null."""
    return FieldSource(column=name, optional=True)


VPCFLOW: Final = Preset(
    title="AWS VPC Flow Logs",
    about="AWS VPC Flow Logs (v2 to v5), as text, Parquet or JSON Lines.",
    links=("https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html",),
    mapping=InputMapping(
        preset="vpcflow",
        pairing=Pairing.BIFLOW,
        null_values=("-",),
        lost=Lost("log-status", "SKIPDATA", also=("log_status",)),
        fields={
            "source_ip": _optional("srcaddr"),
            "destination_ip": _optional("dstaddr"),
            "source_port": _optional("srcport"),
            "destination_port": _optional("dstport"),
            "source_bytes": _optional("bytes"),
            "source_packets": _optional("packets"),
            "tcp_flags": FieldSource(any_of=(("tcp-flags",), ("tcp_flags",)), optional=True),
            "event_start": FieldSource(column="start", format=TimeFormat.EPOCH_S),
            "event_end": FieldSource(column="end", format=TimeFormat.EPOCH_S, optional=True),
            "event_action": FieldSource(
                column="action", map={"ACCEPT": "allow", "REJECT": "deny"}, optional=True
            ),
            "event_name": FieldSource(constant="TRAFFIC"),
            "network_transport": _optional("protocol"),
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
        SourceForm("parquet", "as Parquet", _RECORD, {"format": "parquet"}, _FILES),
        SourceForm("athena", "as JSON Lines, of Athena", _UNDERSCORED),
        SourceForm("json", "as JSON Lines, of Firehose", _RECORD),
    ),
)
