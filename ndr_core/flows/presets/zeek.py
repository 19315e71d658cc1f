"""Zeek conn.log as JSON. conn_state: https://docs.zeek.org/en/master/scripts/base/protocols/conn/main.zeek.html"""

from __future__ import annotations

from typing import Final

from ndr_core.flows.mapping import FieldSource, InputMapping, Preset
from ndr_core.flows.time_format import TimeFormat

ZEEK: Final = Preset(
    about="Zeek conn.log as JSON Lines; conn_state becomes action and reason.",
    mapping=InputMapping(
        preset="zeek",
        fields={
            "source_ip": FieldSource(column="id.orig_h"),
            "destination_ip": FieldSource(column="id.resp_h"),
            "source_port": FieldSource(column="id.orig_p"),
            "destination_port": FieldSource(column="id.resp_p"),
            "source_bytes": FieldSource(column="orig_bytes", optional=True),
            "destination_bytes": FieldSource(column="resp_bytes", optional=True),
            "event_start": FieldSource(column="ts", format=TimeFormat.EPOCH_S),
            "event_end": FieldSource(
                column="duration", format=TimeFormat.DURATION_S, optional=True
            ),
            "event_action": FieldSource(
                column="conn_state",
                map={
                    "S0": "drop",  # attempt seen, no reply: what a dropping filter looks like
                    "REJ": "deny",
                    "S1": "allow",
                    "SF": "allow",
                    "S2": "allow",
                    "S3": "allow",
                    "RSTO": "allow",
                    "RSTR": "allow",
                    "RSTOS0": "drop",
                    "RSTRH": "deny",
                    "SH": "drop",
                    "SHR": "allow",
                    "OTH": "allow",
                },
            ),
            "event_reason": FieldSource(
                column="conn_state",
                map={
                    "S0": "aged-out",
                    "REJ": "tcp-rst-from-server",
                    "S1": "aged-out",
                    "SF": "tcp-fin",
                    "S2": "aged-out",
                    "S3": "aged-out",
                    "RSTO": "tcp-rst-from-client",
                    "RSTR": "tcp-rst-from-server",
                    "RSTOS0": "tcp-rst-from-client",
                    "RSTRH": "tcp-rst-from-server",
                    "SH": "aged-out",
                    "SHR": "aged-out",
                    "OTH": "aged-out",
                },
            ),
            "event_name": FieldSource(constant="TRAFFIC"),
            "network_transport": FieldSource(column="proto"),
        },
    ),
)
