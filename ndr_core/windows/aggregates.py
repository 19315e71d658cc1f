"""What is counted, summed and compared for a host, a role and a window: what the formulas of a row are made of.

An engine makes one value of each for every row; the columns of `fg_a` are these, and formulas over them. A name with
a colon is that of a value that is no column itself.
"""

from __future__ import annotations

from typing import Final

from attrs import frozen

from ndr_core.expressions.spell import spell
from ndr_core.tables.columns import ColumnType
from ndr_core.tables.origin import Origin
from ndr_core.tables.units import BITS, BYTES, COUNT, DAYS, FLAG, PER_MILLE, SECONDS
from ndr_core.windows.beacon import MODE_WIDTH, SIZE_WIDTH


@frozen
class Aggregate:
    """One value of a row, made from the window's merged pairs and the history of the window."""

    name: str
    meaning: str
    origin: Origin
    """How it is counted, in words: `pair`, `pair_history` and `beacon` are the rows that the window sees of them."""
    type: ColumnType = ColumnType.INT64


NO_HISTORY: Final = "where the history is not known"
NO_INBOUND: Final = "in rows that are not outbound"
NO_DAY: Final = f"{NO_INBOUND}; in windows that are shorter than a day"

_PEER: Final = ("pair.peer_ip",)
_PORT: Final = ("pair.peer_port",)
_PAIR: Final = (*_PEER, *_PORT)
_SENT: Final = ("pair.bytes_sent_sum",)
_SESSIONS: Final = ("pair.sessions_cnt",)
_FAILED: Final = (*_SESSIONS, "pair.unanswered_cnt")
_STARTS: Final = ("pair.starts",)
_SIZES: Final = ("pair.bytes_sent_hist",)
_MASKS: Final = ("pair_history.days_mask", "pair.slice_start_ts")


def _count(how: str, *inputs: str) -> Origin:
    return Origin(COUNT, f"count of {how}", inputs)


def _bytes(how: str, *inputs: str) -> Origin:
    return Origin(BYTES, how, inputs)


SEGMENT_AGGREGATES: Final = (
    Aggregate(
        "peer_segment_nunique",
        "distinct segments of peers",
        _count("distinct segment_of(peer_ip)", *_PEER),
    ),
    Aggregate(
        "ext_peer_nunique",
        "distinct external peers",
        _count("distinct peer_ip that are external", *_PEER),
    ),
    Aggregate(
        "int_peer_nunique",
        "distinct internal peers",
        _count("distinct peer_ip that are internal", *_PEER),
    ),
    Aggregate(
        "ext_bytes_sent_sum",
        "bytes the host sent to external peers",
        _bytes("sum of bytes_sent_sum where peer_ip is external", *_PEER, *_SENT),
    ),
)
"""From the merged pairs, of both roles."""


def _known(unit: str, how: str, *inputs: str, null: str = NO_HISTORY) -> Origin:
    return Origin(unit, how, (*inputs, *_MASKS), null)


def _novel(name: str, meaning: str, how: str, *inputs: str) -> Aggregate:
    return Aggregate(f"novelty:{name}", meaning, _known(COUNT, f"count of {how}", *inputs))


HISTORY_AGGREGATES: Final = (
    _novel(
        "new_peers",
        "peers of no day of the history",
        "distinct peer_ip whose masks unite to 0",
        *_PEER,
    ),
    _novel(
        "rare_peers",
        "peers of 1 or 2 days of the history",
        "distinct peer_ip whose masks unite to 1 or 2 days",
        *_PEER,
    ),
    _novel(
        "new_ports",
        "known peer ports of no day of the history",
        "distinct known peer_port whose masks unite to 0",
        *_PORT,
    ),
    _novel(
        "rare_ports",
        "known peer ports of 1 or 2 days of the history",
        "distinct known peer_port whose masks unite to 1 or 2 days",
        *_PORT,
    ),
    _novel(
        "new_pairs",
        "peers with peer port, null a value, of no day of the history",
        "pairs whose mask is 0",
        *_PAIR,
    ),
    _novel(
        "rare_pairs",
        "peers with peer port of 1 or 2 days of the history",
        "pairs whose mask has 1 or 2 days",
        *_PAIR,
    ),
    _novel(
        "new_segments",
        "segments of peers of no day of the history",
        "distinct segment_of(peer_ip) whose masks unite to 0",
        *_PEER,
    ),
    Aggregate(
        "novelty:new_ext_bytes",
        "bytes the host sent to external peers of no day",
        _known(
            BYTES,
            "sum of bytes_sent_sum where peer_ip is external and its masks unite to 0",
            *_PEER,
            *_SENT,
        ),
    ),
    Aggregate(
        "history_days",
        "days from the first active day of the history to the window's; 0 for none",
        _known(DAYS, "index of the highest bit of all masks of the host and role; 0 for none"),
    ),
    _novel("pairs", "peers with peer port of the window", "pairs", *_PAIR),
    Aggregate(
        "novelty:rarity_max",
        "largest rarity of a pair, bits; null without pairs",
        _known(
            BITS,
            "largest of log2((days_seen + 1) * 2) - log2(active_days * 2 + 1) of a pair, days_seen those of the host",
            *_PAIR,
            null=f"{NO_HISTORY}; without pairs",
        ),
        ColumnType.FLOAT64,
    ),
    Aggregate(
        "novelty:rarity_sum",
        "sum over the pairs of their rarity, in 2^-16 bits, rounded",
        _known(BITS, "sum over the pairs of floor(rarity * 65536 + 0.5)", *_PAIR),
    ),
)
"""From the merged pairs and their masks, of both roles; all are null where the history is not known."""


def _attack(
    name: str,
    meaning: str,
    how: str,
    *inputs: str,
    unit: str = COUNT,
    null: str = NO_INBOUND,
) -> Aggregate:
    return Aggregate(name, meaning, Origin(unit, how, inputs, null))


_TARGETS: Final = (*_PAIR, *_FAILED)

DETECTION_AGGREGATES: Final = (
    _attack(
        "hscan_max_peers",
        "most failed peers of one peer port",
        "largest count of failed pairs with one peer_port, unknown a port of its own",
        *_TARGETS,
    ),
    _attack(
        "vscan_max_ports",
        "most failed known ports of one peer",
        "largest count of failed pairs of known peer_port with one peer_ip",
        *_TARGETS,
    ),
    _attack(
        "scan_targets_cnt",
        "failed targets: peers with peer port of which no session was answered",
        "count of failed pairs: unanswered_cnt = sessions_cnt, the peer neither multicast nor broadcast",
        *_TARGETS,
    ),
    _attack(
        "detection:failed_peers",
        "peers without an answered session",
        "count of distinct peer_ip of which all pairs are failed",
        *_PEER,
        *_FAILED,
    ),
    _attack(
        "detection:answering_peers",
        "peers with an answered session",
        "count of distinct peer_ip with a pair that is not failed",
        *_PEER,
        *_FAILED,
    ),
    _attack(
        "brute_max_sessions",
        "most sessions with one peer and port of the set auth",
        "largest sessions_cnt of a pair whose peer_port is of the set auth; 0 without any",
        *_PORT,
        *_SESSIONS,
    ),
    _attack(
        "brute_even_pm",
        "per mille of the sessions of that pair whose bytes sent are within a tenth of their median; "
        "null without such sessions",
        "1000 * sessions with |middle - m| <= m // 10 // sessions, m the median of the middles of bytes_sent_hist, of "
        "the pair of brute_max_sessions",
        *_PORT,
        *_SESSIONS,
        *_SIZES,
        unit=PER_MILLE,
        null=f"{NO_INBOUND}; without a session on a port of the set auth",
    ),
    _attack(
        "admin_peer_nunique",
        "distinct internal peers on ports of admin, fileshare or directory",
        "count of distinct peer_ip that are internal, of pairs whose peer_port is of these sets",
        *_PAIR,
    ),
    _attack(
        "detection:new_admin_peers",
        "of these, those with no such pair in the history",
        "count of these peer_ip of which all pairs with these ports have mask 0",
        *_PAIR,
        *_MASKS,
        null=f"{NO_INBOUND}; {NO_HISTORY}",
    ),
    _attack(
        "long_pair_seconds_max",
        "longest session time of one pair, whole seconds",
        "largest duration_s_sum of a pair",
        "pair.duration_s_sum",
        unit=SECONDS,
    ),
)
"""From the merged pairs; null in inbound rows; 0 without such sessions, but for brute_even_pm.

`detection:new_admin_peers` is null where the history is not known, too.
"""


def _largest(name: str) -> Aggregate:
    return Aggregate(
        f"{name}_max",
        f"largest {name} of an external peer; 0 without a beacon row",
        Origin(
            PER_MILLE,
            f"largest {name} where is_external is 1; 0 without any",
            (f"beacon.{name}", "beacon.is_external"),
            NO_DAY,
        ),
    )


BEACON_AGGREGATES: Final = (_largest("beacon_score"), _largest("beacon_threat"))
"""From the beacon rows of the host; null in inbound rows, and but for windows of a whole day."""

AGGREGATES: Final = (
    *SEGMENT_AGGREGATES,
    *HISTORY_AGGREGATES,
    *DETECTION_AGGREGATES,
    *BEACON_AGGREGATES,
)
"""All of them. Beside them, formulas read the columns of merged deltas."""


def _pair(name: str, meaning: str, unit: str, how: str, *inputs: str, null: str = "") -> Aggregate:
    return Aggregate(name, meaning, Origin(unit, how, inputs, null))


_GAPS: Final = "gap of consecutive distinct seconds in which sessions began"

PAIR_AGGREGATES: Final = (
    _pair("sessions_cnt", "sessions of the pair", COUNT, "sum over the slices", *_SESSIONS),
    _pair(
        "beacon:unanswered",
        "of these, those without an answer",
        COUNT,
        "sum of unanswered_cnt over the slices",
        "pair.unanswered_cnt",
    ),
    _pair(
        "gaps_cnt",
        "gaps between consecutive distinct start seconds",
        COUNT,
        f"count of gaps: of each {_GAPS}",
        *_STARTS,
    ),
    _pair("period_s", "median gap, seconds", SECONDS, f"median {_GAPS}", *_STARTS),
    _pair(
        "beacon:mad",
        "median distance of a gap from the median gap, seconds",
        SECONDS,
        "median of |gap - period_s|",
        *_STARTS,
    ),
    _pair(
        "beacon:mode_gaps",
        "gaps within `mode_width` of the median gap",
        COUNT,
        f"count of gaps with |gap - period_s| <= {spell(MODE_WIDTH)}",
        *_STARTS,
    ),
    _pair(
        "bytes_sent_median",
        "median of the bytes sent by a session, by the middles of their buckets",
        BYTES,
        "median of bucket_middle(bucket) over the sessions of bytes_sent_hist",
        *_SIZES,
    ),
    _pair(
        "beacon:like_sized",
        "sessions whose bytes sent are within `size_width` of their median",
        COUNT,
        f"count of sessions with |middle - bytes_sent_median| <= {spell(SIZE_WIDTH)}",
        *_SIZES,
    ),
    _pair(
        "beacon:first",
        "first start, whole seconds since 1970-01-01 UTC",
        SECONDS,
        "smallest second of starts",
        *_STARTS,
    ),
    _pair(
        "beacon:last",
        "last start, whole seconds since 1970-01-01 UTC",
        SECONDS,
        "largest second of starts",
        *_STARTS,
    ),
    _pair(
        "is_external",
        "1 where the peer is external, 0 where it is internal",
        FLAG,
        "1 if peer_ip is external, else 0",
        *_PEER,
    ),
    _pair(
        "prevalence_hosts",
        "internal hosts that contacted the peer on the 7 days before the window's",
        COUNT,
        "count of distinct internal host_ip with an outbound pair of the peer on these days",
        *_PEER,
        "pair_history.host_ip",
        *_MASKS,
        null=NO_HISTORY,
    ),
    _pair(
        "beacon:hosts_seen",
        "internal hosts that contacted any peer on these days",
        COUNT,
        "count of distinct internal host_ip with an outbound pair on these days",
        "pair_history.host_ip",
        *_MASKS,
        null=NO_HISTORY,
    ),
    _pair(
        "age_days",
        "days from the first active day of the pair in the history to the window's",
        DAYS,
        "index of the highest bit of the mask of the pair; 0 for none",
        *_PAIR,
        *_MASKS,
        null=NO_HISTORY,
    ),
    _pair(
        "history_days",
        "of the host",
        DAYS,
        "index of the highest bit of all masks of the host; 0 for none",
        *_MASKS,
        null=NO_HISTORY,
    ),
)
"""Of one pair of an outbound host and a whole day, for the table `beacon`.

Of the history are the last four: null where it is not known. A pair that is not in it is 0 days old.
"""
