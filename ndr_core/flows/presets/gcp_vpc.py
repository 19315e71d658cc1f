"""VPC Flow Logs of Google Cloud, as log entries."""

from __future__ import annotations

from typing import Final

from ndr_core.flows.leaf import Leaf
from ndr_core.flows.mapping import FieldSource, InputMapping, Pairing
from ndr_core.flows.presets.form import SourceForm
from ndr_core.flows.presets.preset import Preset
from ndr_core.flows.selection import Condition, Selection
from ndr_core.flows.time_format import TimeFormat

_PAYLOAD: Final = "jsonPayload"


def _of_connection(name: str) -> Leaf:
    return (_PAYLOAD, "connection", name)


GCP_VPC: Final = Preset(
    title="VPC Flow Logs of Google Cloud",
    about="VPC Flow Logs of Google Cloud, as log entries in JSON Lines.",
    links=("https://cloud.google.com/vpc/docs/about-flow-logs-records",),
    mapping=InputMapping(
        preset="gcp_vpc",
        pairing=Pairing.BIFLOW,
        only=Selection((Condition(_of_connection("src_ip"), present=True),)),
        fields={
            "source_ip": FieldSource(path=_of_connection("src_ip")),
            "destination_ip": FieldSource(path=_of_connection("dest_ip")),
            "source_port": FieldSource(path=_of_connection("src_port"), optional=True),
            "destination_port": FieldSource(path=_of_connection("dest_port"), optional=True),
            # A record counts one direction; the answer is a record of its own.
            "source_bytes": FieldSource(path=(_PAYLOAD, "bytes_sent")),
            "source_packets": FieldSource(path=(_PAYLOAD, "packets_sent"), optional=True),
            "event_start": FieldSource(path=(_PAYLOAD, "start_time"), format=TimeFormat.ISO8601),
            "event_end": FieldSource(path=(_PAYLOAD, "end_time"), format=TimeFormat.ISO8601),
            "event_name": FieldSource(constant="TRAFFIC"),
            "network_transport": FieldSource(path=_of_connection("protocol")),
        },
    ),
    forms=(
        SourceForm(
            "json",
            "as log entries, one a line",
            ((_of_connection("src_ip"),), ((_PAYLOAD, "start_time"),)),
        ),
    ),
)
