"""OCSF network activity (class 4001)."""

from __future__ import annotations

from typing import Any, Final

from ndr_core.flows.leaf import Leaf
from ndr_core.flows.mapping import FieldSource, InputMapping
from ndr_core.flows.presets.form import SourceForm
from ndr_core.flows.presets.preset import Preset
from ndr_core.flows.selection import Condition, Selection
from ndr_core.flows.time_format import TimeFormat
from ndr_core.flows.value_map import ANYTHING, MapRow, ValueMap

_CLASS: Final = ("class_uid",)
_TIMES: Final = (TimeFormat.EPOCH_MS, TimeFormat.ISO8601)
_DISPOSITIONS: Final = {
    "2": "block",
    "3": "block",  # quarantined
    "4": "block",  # isolated
    "6": "drop",
    "19": "alert",
    "21": "reset",
    "25": "reject",
    "26": "deny",  # unauthorized
}
"""disposition_id -> action, where it says more than action_id."""
_ACTIONS: Final = {"1": "allow", "2": "deny", "4": "allow"}
"""action_id -> action: allowed, denied, modified."""


_RECORD: Final[tuple[tuple[Leaf, ...], ...]] = (
    (_CLASS,),
    (("src_endpoint", "ip"),),
    (("dst_endpoint", "ip"),),
)
_TWO_WAYS: Final = (*_RECORD, (("traffic", "bytes_in"), ("traffic", "bytes_out")))
_ONE_COUNT: Final = (*_RECORD, (("traffic", "bytes"), ("traffic", "packets")))
_PARQUET: Final = {"format": "parquet"}


def _of_one_way(what: str) -> dict[str, Any]:
    """What the source sent, of records that count one direction: they have it as the total."""
    return {"any_of": [["traffic", f"{what}_out"], ["traffic", what]], "optional": True}


_ONE_WAY: Final = {
    "pairing": "biflow",
    "fields": {f"source_{what}": _of_one_way(what) for what in ("bytes", "packets")},
}

OCSF: Final = Preset(
    title="OCSF network activity",
    about="OCSF network activity, such as that of Amazon Security Lake, as JSON Lines or Parquet.",
    links=("https://schema.ocsf.io/1.1.0/classes/network_activity",),
    mapping=InputMapping(
        preset="ocsf",
        only=Selection((Condition(_CLASS, ("4001",)),)),
        fields={
            "source_ip": FieldSource(path=("src_endpoint", "ip")),
            "destination_ip": FieldSource(path=("dst_endpoint", "ip")),
            "source_port": FieldSource(path=("src_endpoint", "port"), optional=True),
            "destination_port": FieldSource(path=("dst_endpoint", "port"), optional=True),
            "source_bytes": FieldSource(path=("traffic", "bytes_out"), optional=True),
            "destination_bytes": FieldSource(path=("traffic", "bytes_in"), optional=True),
            "source_packets": FieldSource(path=("traffic", "packets_out"), optional=True),
            "destination_packets": FieldSource(path=("traffic", "packets_in"), optional=True),
            "tcp_flags": FieldSource(path=("connection_info", "tcp_flags"), optional=True),
            "event_start": FieldSource(
                any_of=(("start_time",), ("start_time_dt",), ("time",), ("time_dt",)),
                format=_TIMES,
            ),
            "event_end": FieldSource(
                any_of=(("end_time",), ("end_time_dt",)), format=_TIMES, optional=True
            ),
            "event_action": FieldSource(
                map=ValueMap(
                    (
                        *(
                            MapRow((ANYTHING, disposition), action)
                            for disposition, action in _DISPOSITIONS.items()
                        ),
                        *(MapRow((found, ANYTHING), action) for found, action in _ACTIONS.items()),
                        MapRow((ANYTHING, "1"), "allow"),
                    ),
                    columns=(("action_id",), ("disposition_id",)),
                ),
                optional=True,
            ),
            "event_name": FieldSource(constant="TRAFFIC"),
            "network_transport": FieldSource(
                any_of=(("connection_info", "protocol_name"), ("connection_info", "protocol_num")),
                optional=True,
            ),
        },
    ),
    forms=(
        SourceForm("json", "as JSON Lines", _TWO_WAYS),
        SourceForm("parquet", "as Parquet", _TWO_WAYS, _PARQUET),
        SourceForm(
            "flow_logs", "as JSON Lines, each of which counts one direction", _ONE_COUNT, _ONE_WAY
        ),
        SourceForm(
            "security_lake",
            "as Parquet of Amazon Security Lake, each of which counts one direction",
            _ONE_COUNT,
            {**_PARQUET, **_ONE_WAY},
        ),
        SourceForm("events", "as JSON Lines that count no bytes", _RECORD),
        SourceForm("events_parquet", "as Parquet that counts no bytes", _RECORD, _PARQUET),
    ),
)
