"""Suricata's EVE flow events."""

from __future__ import annotations

from typing import Final

from ndr_core.flows.leaf import Leaf
from ndr_core.flows.mapping import FieldSource, InputMapping
from ndr_core.flows.presets.form import SourceForm
from ndr_core.flows.presets.preset import Preset
from ndr_core.flows.selection import Condition, Selection
from ndr_core.flows.time_format import TimeFormat
from ndr_core.flows.value_map import ANYTHING, MapRow, ValueMap

_TYPE: Final = ("event_type",)
_TCP_STATE: Final = ("tcp", "state")


def _of_flow(name: str) -> Leaf:
    return ("flow", name)


SURICATA: Final = Preset(
    title="Suricata flow events",
    about="Suricata's EVE flow events, as JSON Lines.",
    links=("https://docs.suricata.io/en/latest/output/eve/eve-json-format.html",),
    mapping=InputMapping(
        preset="suricata",
        only=Selection((Condition(_TYPE, ("flow",)),)),
        fields={
            "source_ip": FieldSource(column="src_ip"),
            "destination_ip": FieldSource(column="dest_ip"),
            "source_port": FieldSource(column="src_port", optional=True),
            "destination_port": FieldSource(column="dest_port", optional=True),
            "source_bytes": FieldSource(path=_of_flow("bytes_toserver")),
            "destination_bytes": FieldSource(path=_of_flow("bytes_toclient")),
            "source_packets": FieldSource(path=_of_flow("pkts_toserver"), optional=True),
            "destination_packets": FieldSource(path=_of_flow("pkts_toclient"), optional=True),
            "event_start": FieldSource(path=_of_flow("start"), format=TimeFormat.ISO8601),
            "event_end": FieldSource(
                path=_of_flow("end"), format=TimeFormat.ISO8601, optional=True
            ),
            "event_action": FieldSource(
                map=ValueMap(
                    (
                        MapRow(("drop", ANYTHING, ANYTHING), "drop"),
                        MapRow((ANYTHING, "established", ANYTHING), "allow"),
                        MapRow((ANYTHING, "closed", ANYTHING), "allow"),
                        MapRow((ANYTHING, "bypassed", ANYTHING), "allow"),
                        # Nothing came back: what a dropping filter looks like.
                        MapRow((ANYTHING, "new", "syn_sent"), "drop"),
                    ),
                    columns=(_of_flow("action"), _of_flow("state"), _TCP_STATE),
                ),
                optional=True,
            ),
            "event_reason": FieldSource(
                map=ValueMap(
                    (
                        # A reset: by which side is not told.
                        MapRow(("closed", "true", ANYTHING, ANYTHING), None),
                        MapRow(("closed", ANYTHING, "true", ANYTHING), "tcp-fin"),
                        MapRow((ANYTHING, ANYTHING, ANYTHING, "timeout"), "aged-out"),
                    ),
                    columns=(_TCP_STATE, ("tcp", "rst"), ("tcp", "fin"), _of_flow("reason")),
                ),
                optional=True,
            ),
            "event_name": FieldSource(constant="TRAFFIC"),
            "network_transport": FieldSource(column="proto", optional=True),
        },
    ),
    forms=(
        SourceForm(
            "json",
            "as JSON Lines",
            ((_TYPE,), (("src_ip",),), (_of_flow("bytes_toserver"),)),
            files=("eve*",),
        ),
    ),
)
