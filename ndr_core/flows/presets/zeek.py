"""Zeek's conn.log, with tabs or as JSON."""

from __future__ import annotations

from typing import Final

from ndr_core.flows.leaf import Leaf
from ndr_core.flows.mapping import FieldSource, InputMapping
from ndr_core.flows.presets.form import SourceForm
from ndr_core.flows.presets.preset import Preset
from ndr_core.flows.selection import Condition, Selection
from ndr_core.flows.time_format import TimeFormat
from ndr_core.flows.value_map import ANYTHING, MapRow, ValueMap

_STATE: Final = ("conn_state",)
_STATES: Final = {
    "S1": ("allow", "aged-out"),
    "SF": ("allow", "tcp-fin"),
    "S2": ("allow", "aged-out"),
    "S3": ("allow", "aged-out"),
    "REJ": ("deny", "tcp-rst-from-server"),
    "RSTO": ("allow", "tcp-rst-from-client"),
    "RSTR": ("allow", "tcp-rst-from-server"),
    "RSTOS0": ("drop", "tcp-rst-from-client"),
    "RSTRH": ("deny", "tcp-rst-from-server"),
    "SH": ("drop", "aged-out"),
}
"""State of a connection -> its action and its reason."""
_TCP_STATES: Final = {
    "S0": ("drop", "aged-out"),  # attempt seen, no reply: what a dropping filter looks like
    "SHR": ("allow", "aged-out"),
    "OTH": ("allow", "aged-out"),
}
"""The same for states that speak of a handshake, which other transports do not have."""


def _by_state(place: int) -> FieldSource:
    """The action (place 0) or the reason (1) of a connection's transport and state."""
    rows = [
        *(MapRow(("tcp", state), found[place]) for state, found in _TCP_STATES.items()),
        *(MapRow((ANYTHING, state), None) for state in _TCP_STATES),
        *(MapRow((ANYTHING, state), found[place]) for state, found in _STATES.items()),
    ]
    return FieldSource(map=ValueMap(tuple(rows), columns=(("proto",), _STATE)))


def _of_id(name: str) -> FieldSource:
    """A part of the connection's id: its name has a dot, or it lies in an object."""
    return FieldSource(any_of=((f"id.{name}",), ("id", name)))


def _optional(name: str) -> FieldSource:
    return FieldSource(column=name, optional=True)


_CONNECTION: Final[tuple[tuple[Leaf, ...], ...]] = (
    (("ts",),),
    (("id.orig_h",), ("id", "orig_h")),
    (_STATE,),
)
_FILES: Final = ("conn.*", "conn-[0-9]*", "conn_[0-9]*")
"""ZeekControl writes a conn-summary beside them, which is a text for people."""
_REPEATS: Final = ("conn_long*", "conn-long*")
"""Long connections that still last, as a package logs them; when they end they are in conn.log."""

ZEEK: Final = Preset(
    title="Zeek conn.log",
    about="Zeek conn.log, with tabs or as JSON Lines; conn_state becomes action and reason.",
    links=("https://docs.zeek.org/en/master/logs/conn.html",),
    mapping=InputMapping(
        preset="zeek",
        null_values=("-", "(empty)"),
        only=Selection((Condition(_STATE, present=True),)),
        fields={
            "source_ip": _of_id("orig_h"),
            "destination_ip": _of_id("resp_h"),
            "source_port": _of_id("orig_p"),
            "destination_port": _of_id("resp_p"),
            "source_bytes": _optional("orig_bytes"),
            "destination_bytes": _optional("resp_bytes"),
            "source_packets": _optional("orig_pkts"),
            "destination_packets": _optional("resp_pkts"),
            "source_ip_bytes": _optional("orig_ip_bytes"),
            "destination_ip_bytes": _optional("resp_ip_bytes"),
            "missed_bytes": _optional("missed_bytes"),
            "event_start": FieldSource(
                column="ts",
                format=(TimeFormat.EPOCH_S, TimeFormat.EPOCH_MS, TimeFormat.ISO8601),
            ),
            "event_end": FieldSource(
                column="duration", format=TimeFormat.DURATION_S, optional=True
            ),
            "event_action": _by_state(0),
            "event_reason": _by_state(1),
            "event_name": FieldSource(constant="TRAFFIC"),
            "network_transport": FieldSource(column="proto"),
        },
    ),
    forms=(
        SourceForm(
            "tsv",
            "with tabs, as Zeek writes by default",
            _CONNECTION,
            {"format": "delimited", "header": "zeek"},
            _FILES,
            _REPEATS,
        ),
        SourceForm("json", "as JSON Lines", _CONNECTION, files=_FILES, repeats=_REPEATS),
    ),
)
