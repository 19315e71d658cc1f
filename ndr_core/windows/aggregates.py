"""What is counted, summed and compared for a host, a role and a window: what the formulas of a row are made of.

An engine makes one value of each for every row; the columns of `fg_a` are these, and formulas over them. A name with
a colon is that of a value that is no column itself.
"""

from __future__ import annotations

from typing import Final

from attrs import frozen

from ndr_core.tables.columns import ColumnType


@frozen
class Aggregate:
    """One value of a row, made from the window's merged pairs and the history of the window."""

    name: str
    meaning: str
    type: ColumnType = ColumnType.INT64


SEGMENT_AGGREGATES: Final = (
    Aggregate("peer_segment_nunique", "distinct segments of peers"),
    Aggregate("ext_peer_nunique", "distinct external peers"),
    Aggregate("int_peer_nunique", "distinct internal peers"),
    Aggregate("ext_bytes_sent_sum", "bytes the host sent to external peers"),
)
"""From the merged pairs, of both roles."""

HISTORY_AGGREGATES: Final = (
    Aggregate("novelty:new_peers", "peers of no day of the history"),
    Aggregate("novelty:rare_peers", "peers of 1 or 2 days of the history"),
    Aggregate("novelty:new_ports", "known peer ports of no day of the history"),
    Aggregate("novelty:rare_ports", "known peer ports of 1 or 2 days of the history"),
    Aggregate("novelty:new_pairs", "peers with peer port, null a value, of no day of the history"),
    Aggregate("novelty:rare_pairs", "peers with peer port of 1 or 2 days of the history"),
    Aggregate("novelty:new_segments", "segments of peers of no day of the history"),
    Aggregate("novelty:new_ext_bytes", "bytes the host sent to external peers of no day"),
    Aggregate(
        "history_days", "days from the first active day of the history to the window's; 0 for none"
    ),
    Aggregate("novelty:pairs", "peers with peer port of the window"),
    Aggregate(
        "novelty:rarity_max",
        "largest rarity of a pair, bits; null without pairs",
        ColumnType.FLOAT64,
    ),
    Aggregate("novelty:rarity_sum", "sum over the pairs of their rarity, in 2^-16 bits, rounded"),
)
"""From the merged pairs and their masks, of both roles; all are null where the history is not known."""

DETECTION_AGGREGATES: Final = (
    Aggregate("hscan_max_peers", "most failed peers of one peer port"),
    Aggregate("vscan_max_ports", "most failed known ports of one peer"),
    Aggregate(
        "scan_targets_cnt", "failed targets: peers with peer port of which no session was answered"
    ),
    Aggregate("detection:failed_peers", "peers without an answered session"),
    Aggregate("detection:answering_peers", "peers with an answered session"),
    Aggregate("brute_max_sessions", "most sessions with one peer and port of the set auth"),
    Aggregate(
        "brute_even_pm",
        "per mille of the sessions of that pair whose bytes sent are within a tenth of their median; "
        "null without such sessions",
    ),
    Aggregate(
        "admin_peer_nunique", "distinct internal peers on ports of admin, fileshare or directory"
    ),
    Aggregate("detection:new_admin_peers", "of these, those with no such pair in the history"),
    Aggregate("long_pair_seconds_max", "longest session time of one pair, whole seconds"),
)
"""From the merged pairs; null in inbound rows; 0 without such sessions, but for brute_even_pm.

`detection:new_admin_peers` is null where the history is not known, too.
"""

BEACON_AGGREGATES: Final = (
    Aggregate(
        "beacon_score_max", "largest beacon_score of an external peer; 0 without a beacon row"
    ),
    Aggregate(
        "beacon_threat_max", "largest beacon_threat of an external peer; 0 without a beacon row"
    ),
)
"""From the beacon rows of the host; null in inbound rows, and but for windows of a whole day."""

AGGREGATES: Final = (
    *SEGMENT_AGGREGATES,
    *HISTORY_AGGREGATES,
    *DETECTION_AGGREGATES,
    *BEACON_AGGREGATES,
)
"""All of them. Beside them, formulas read the columns of merged deltas."""

PAIR_AGGREGATES: Final = (
    Aggregate("sessions_cnt", "sessions of the pair"),
    Aggregate("beacon:unanswered", "of these, those without an answer"),
    Aggregate("gaps_cnt", "gaps between consecutive distinct start seconds"),
    Aggregate("period_s", "median gap, seconds"),
    Aggregate("beacon:mad", "median distance of a gap from the median gap, seconds"),
    Aggregate("beacon:mode_gaps", "gaps within `mode_width` of the median gap"),
    Aggregate(
        "bytes_sent_median",
        "median of the bytes sent by a session, by the middles of their buckets",
    ),
    Aggregate(
        "beacon:like_sized", "sessions whose bytes sent are within `size_width` of their median"
    ),
    Aggregate("beacon:first", "first start, whole seconds since 1970-01-01 UTC"),
    Aggregate("beacon:last", "last start, whole seconds since 1970-01-01 UTC"),
    Aggregate("is_external", "1 where the peer is external, 0 where it is internal"),
    Aggregate(
        "prevalence_hosts",
        "internal hosts that contacted the peer on the 7 days before the window's",
    ),
    Aggregate("beacon:hosts_seen", "internal hosts that contacted any peer on these days"),
    Aggregate(
        "age_days", "days from the first active day of the pair in the history to the window's"
    ),
    Aggregate("history_days", "of the host"),
)
"""Of one pair of an outbound host and a whole day, for the table `beacon`.

Of the history are the last four: null where it is not known. A pair that is not in it is 0 days old.
"""
