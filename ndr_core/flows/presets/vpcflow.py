"""AWS VPC Flow Logs v2 to v5."""

from __future__ import annotations

from typing import Final

from ndr_core.flows.leaf import Leaf
from ndr_core.flows.mapping import FieldSource, InputMapping, Lost, Pairing
from ndr_core.flows.presets.form import SourceForm
from ndr_core.flows.presets.preset import Preset
from ndr_core.flows.time_format import TimeFormat


def _record(*names: str) -> tuple[tuple[Leaf, ...], ...]:
    """The marks of records, of which one of these columns is another."""
    return (("srcaddr",),), (("dstaddr",),), (("start",),), tuple((name,) for name in names)


_RECORD: Final = _record("log-status", "action")
_UNDERSCORED: Final = _record("log_status", "account_id", "interface_id")
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
            "as text with a header, as AWS writes to S3 by default",
            _RECORD,
            {"format": "delimited", "separator": " ", "header": "first_line"},
        ),
        SourceForm("parquet", "as Parquet", _UNDERSCORED, {"format": "parquet"}),
        SourceForm("athena", "as JSON Lines, of Athena", _UNDERSCORED),
        SourceForm("json", "as JSON Lines, of Firehose", _RECORD),
    ),
)
