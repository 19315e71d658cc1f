"""NetFlow, IPFIX and sFlow as collectors write them."""

from __future__ import annotations

from typing import Final

from ndr_core.flows.leaf import Leaf
from ndr_core.flows.mapping import FieldSource, InputMapping, Pairing
from ndr_core.flows.presets.form import SourceForm
from ndr_core.flows.presets.preset import Preset
from ndr_core.flows.time_format import TimeFormat


def _any_of(*names: str, optional: bool = False) -> FieldSource:
    return FieldSource(any_of=_leaves(*names), optional=optional)


def _leaves(*names: str) -> tuple[Leaf, ...]:
    return tuple((name,) for name in names)


_FLAGS: Final = {"fields": {"tcp_flags": {"column": "tcp_flags", "optional": True}}}
"""Of goflow2: a number. nfdump has a text under this name."""
_CSV: Final = {"format": "delimited", "separator": ",", "header": "first_line"}

NETFLOW: Final = Preset(
    title="NetFlow, IPFIX or sFlow",
    about="NetFlow, IPFIX and sFlow: JSON Lines of goflow2, JSON Lines and CSV of nfdump.",
    links=(
        "https://github.com/netsampler/goflow2/blob/main/docs/protocols.md",
        "https://github.com/phaag/nfdump/blob/master/man/nfdump.1",
    ),
    mapping=InputMapping(
        preset="netflow",
        pairing=Pairing.BIFLOW,
        fields={
            # goflow2; nfdump's JSON; its CSV; the CSV of nfdump 1.6
            "source_ip": _any_of("src_addr", "src4_addr", "src6_addr", "srcAddr", "sa"),
            "destination_ip": _any_of("dst_addr", "dst4_addr", "dst6_addr", "dstAddr", "da"),
            "source_port": _any_of("src_port", "srcPort", "sp", optional=True),
            "destination_port": _any_of("dst_port", "dstPort", "dp", optional=True),
            "source_bytes": _any_of("bytes", "in_bytes", "inBytes", "ibyt"),
            # Bidirectional records of nfdump (-b, -B) count what came back, too.
            "destination_bytes": _any_of("out_bytes", "outBytes", "obyt", optional=True),
            "source_packets": _any_of("packets", "in_packets", "inPackets", "ipkt", optional=True),
            "destination_packets": _any_of("out_packets", "outPackets", "opkt", optional=True),
            "event_start": FieldSource(
                any_of=_leaves("time_flow_start_ns", "first", "t_first", "firstSeen", "ts"),
                format=(TimeFormat.ISO8601, TimeFormat.EPOCH_NS),
            ),
            "event_end": FieldSource(
                any_of=_leaves("time_flow_end_ns", "last", "t_last", "lastSeen", "te", "duration"),
                # Nanoseconds of this century are too long for a duration.
                format=(TimeFormat.ISO8601, TimeFormat.DURATION_S, TimeFormat.EPOCH_NS),
            ),
            "event_name": FieldSource(constant="TRAFFIC"),
            "network_transport": FieldSource(any_of=_leaves("proto", "pr"), optional=True),
        },
    ),
    forms=(
        SourceForm(
            "goflow2",
            "as JSON Lines of goflow2",
            (_leaves("time_flow_start_ns"), _leaves("src_addr")),
            _FLAGS,
        ),
        SourceForm(
            "nfdump",
            "as JSON Lines of nfdump (-o ndjson)",
            (_leaves("first", "t_first"), _leaves("src4_addr", "src6_addr")),
        ),
        SourceForm(
            "csv",
            "as CSV of nfdump (-o csv -q)",
            (_leaves("firstSeen"), _leaves("duration"), _leaves("srcAddr")),
            _CSV,
        ),
        SourceForm(
            "csv16",
            "as CSV of nfdump 1.6 (-o csv -q)",
            (_leaves("ts"), _leaves("sa"), _leaves("ibyt")),
            _CSV,
        ),
    ),
)
