"""The catalogue of what is measured per host, role and slice: add a measure here, and nowhere else.

Measures do not read `host_ip` and `peer_ip`: an engine may have numbers in their place while it builds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

from attrs import evolve

from ndr_core.deltas.counters import Counter
from ndr_core.errors import Problem, nearest, shown
from ndr_core.expressions.expr import col, when
from ndr_core.expressions.portable import FIXED_POINT_SCALE, log2
from ndr_core.flows.transports import ICMP, TCP, UDP
from ndr_core.flows.vocabulary import THREAT, TRAFFIC, Action
from ndr_core.measures.kinds import (
    Derived,
    Distribution,
    LargestCount,
    Measure,
    PairDerived,
    PairKey,
    Untold,
    count,
    count_where,
    of_sessions,
    quantiles,
    records_where,
    sum_of,
)
from ndr_core.tables.columns import ColumnType
from ndr_core.tables.units import BITS, COUNT, MICROSECONDS, RATIO, SECONDS
from ndr_core.times import SECOND_US


def _distinct(key: PairKey, what: str) -> PairDerived:
    return PairDerived(
        f"{key}_nunique", key, col(f"{key}:cells"), ColumnType.INT64, f"distinct {what}"
    )


def _entropy(key: PairKey, what: str) -> PairDerived:
    total, cells = col(f"{key}:sessions"), col(f"{key}:cells")
    mean_log = col(f"{key}:sessions_log").to_float() / float(FIXED_POINT_SCALE) / total.to_float()
    entropy = log2(total) - mean_log
    positive = when(entropy > 0.0, entropy, 0.0)
    return PairDerived(
        f"{key}_entropy",
        key,
        when(cells < 1, None, when(cells.eq(1), 0.0, positive)),
        ColumnType.FLOAT64,
        f"Shannon entropy of sessions over {what}, bits; null without any",
        BITS,
    )


def _top_share(key: PairKey, weight: Literal["sessions", "bytes"], what: str) -> PairDerived:
    total, top = col(f"{key}:{weight}"), col(f"{key}:{weight}_top")
    noun = "sessions" if weight == "sessions" else "sent bytes"
    return PairDerived(
        f"{key}_top1_{weight}_share",
        key,
        when(total > 0, top.to_float() / total.to_float(), None),
        ColumnType.FLOAT64,
        f"largest share of {noun} of one of the {what}; null when there are none",
        RATIO,
    )


def _pair_derived() -> list[Measure]:
    keys: list[tuple[PairKey, str]] = [("peer_ip", "peers"), ("peer_port", "peer ports")]
    return [
        *(_distinct(key, what) for key, what in keys),
        *(_entropy(key, what) for key, what in keys),
        *(_top_share(key, "sessions", what) for key, what in keys),
        *(_top_share(key, "bytes", what) for key, what in keys),
    ]


SESSIONS: Final = count("sessions_cnt", "sessions")
_PORT_SET: Final = "_sessions_cnt"
"""What a port set's count is called, behind the name of the set."""

_NO_COUNTERS: Final[Mapping[str, Counter]] = {}


def measures_for(
    *,
    port_sets: Mapping[str, frozenset[int]],
    short_session_seconds: float,
    knows_packets: bool,
    counters: Mapping[str, Counter] = _NO_COUNTERS,
) -> tuple[Measure, ...]:
    """Give all measures, in the order of their columns.

    `port_sets`: each gives a count of sessions; `short_session_seconds`: a shorter session is short;
    `knows_packets`: whether the source tells the packets of a side at all; `counters`: name -> what it counts.
    """
    reason, name = col("event_reason"), col("event_name")
    transport, duration = col("network_transport"), col("duration_us")
    short = duration < round(short_session_seconds * SECOND_US)
    return (
        SESSIONS,
        sum_of("bytes_sent_sum", col("bytes_sent"), "bytes the host sent"),
        sum_of("bytes_recv_sum", col("bytes_recv"), "bytes the host received"),
        _packets("packets_sent_sum", "packets_sent", "packets the host sent", knows_packets),
        _packets("packets_recv_sum", "packets_recv", "packets the host received", knows_packets),
        sum_of(
            "duration_us_sum",
            duration,
            "total session time, us; an unknown end adds 0",
            MICROSECONDS,
        ),
        Derived(
            "duration_sum",
            col("duration_us_sum").to_float() / 1_000_000.0,
            ("duration_us_sum",),
            "total session time, seconds",
            SECONDS,
        ),
        count_where("allow_cnt", Action.ALLOW.holds, "sessions allowed"),
        count_where(
            "drop_cnt", Action.DROP.holds, "sessions dropped, denied or reset by the firewall"
        ),
        records_where("alert_cnt", Action.ALERT.holds, "sessions and threats that raised an alert"),
        count_where("rst_cnt", reason.starts_with("tcp-rst"), "sessions ended by a TCP reset"),
        count_where("aged_out_cnt", reason.eq("aged-out"), "sessions that timed out"),
        records_where("threat_cnt", name.eq(THREAT), "threat log records, which are no sessions"),
        count_where("traffic_cnt", name.eq(TRAFFIC), "traffic log records"),
        count_where("tcp_cnt", transport.eq(TCP), "TCP sessions"),
        count_where("udp_cnt", transport.eq(UDP), "UDP sessions"),
        count_where("icmp_cnt", transport.eq(ICMP), "ICMP sessions, those of IPv6 among them"),
        count_where(
            "zero_reply_cnt",
            col("reply").eq(0),
            "sessions whose answering side (the destination) sent no packets or, where these are not known, no bytes",
        ),
        count_where(
            "short_session_cnt",
            col("end_known") & short,
            f"sessions with a known end that are shorter than {short_session_seconds:g} s",
        ),
        *(
            count_where(
                f"{set_name}{_PORT_SET}",
                col("peer_port").is_in(ports),
                f"sessions to a port of the set {set_name}",
            )
            for set_name, ports in sorted(port_sets.items())
        ),
        *(
            count_where(name, counter.condition(), counter.meaning())
            for name, counter in sorted(counters.items())
        ),
        Distribution(
            name="max_sessions_per_minute",
            histogram="sessions_per_minute",
            bucket=of_sessions(col("minute")),
            readouts=(LargestCount("max_sessions_per_minute"),),
            meaning="sessions by clock minute of their moment (minutes since 1970-01-01 UTC)",
            readout_meaning="most sessions of one clock minute; across slices the largest counts",
        ),
        *_pair_derived(),
        quantiles("bytes_sent", col("bytes_sent"), 1, "bytes"),
        quantiles("bytes_recv", col("bytes_recv"), 1, "bytes"),
        quantiles("duration", duration, 1_000_000, "seconds"),
    )


def _packets(name: str, value: str, meaning: str, known: bool) -> Measure:
    null = "where the source tells the packets of no side"
    meaning = f"{meaning}; null {null}"
    if not known:
        return Untold(name, meaning)
    return evolve(sum_of(name, col(value), meaning, COUNT), null=null)


FIXED_NAMES: Final = frozenset(
    measure.name
    for measure in measures_for(port_sets={}, short_session_seconds=1.0, knows_packets=True)
)
"""The measures that every JobSpec can have."""


def unknown_measures(measures: Sequence[Measure], names: Iterable[str]) -> list[Problem]:
    """List the names that are no measure, each with the nearest one that is."""
    known = {measure.name for measure in measures}
    return [
        Problem("delta.measures", f"unknown measure {shown(name)}, {_hint(name, known)}")
        for name in names
        if name not in known
    ]


def select_measures(
    measures: Sequence[Measure], names: Iterable[str] | None
) -> tuple[Measure, ...]:
    """Give the named measures (all for None) and what they need, in the order of `measures`.

    `sessions_cnt` is always among them: a delta row without it can't be weighed.
    """
    if names is None:
        return tuple(measures)
    wanted = {SESSIONS.name, *names}
    for measure in measures:
        if measure.name in wanted and isinstance(measure, Derived):
            wanted.update(measure.needs)
    return tuple(measure for measure in measures if measure.name in wanted)


def measures_in(columns: Iterable[str], counters: Iterable[str] = ()) -> tuple[Measure, ...]:
    """Give the measures that a delta table of these columns has, in the order of `measures_for`.

    What a record adds to them is not known from their names, but how they merge is. A measure is there where its
    first column is, and what it is derived from; a count that ends in `_sessions_cnt` is that of a port set.
    `counters`: the columns that JobSpecs define; one that a later version has for a measure is that measure.
    """
    known = set(columns)
    own = known.intersection(counters).difference(FIXED_NAMES)
    port_sets = {
        name.removesuffix(_PORT_SET): frozenset[int]()
        for name in known - own
        if name.endswith(_PORT_SET)
    }
    catalogue = measures_for(
        port_sets=port_sets,
        short_session_seconds=1.0,
        knows_packets=True,
        counters=dict.fromkeys(own, Counter()),
    )
    return tuple(
        measure
        for measure in catalogue
        if measure.columns()[0].name in known
        and (not isinstance(measure, Derived) or known.issuperset(measure.needs))
    )


def _hint(name: str, known: Iterable[str]) -> str:
    sets = [other.removesuffix(_PORT_SET) for other in sorted(known) if other.endswith(_PORT_SET)]
    if name.endswith(_PORT_SET):
        port_set = shown(name.removesuffix(_PORT_SET))
        return f"no port set {port_set} in enrichment.port_sets; port sets: {', '.join(sets)}"
    return nearest(name, known)
