"""What is measured, as values: each measure names its columns, how it is built and how it merges.

Adapters know the four kinds below, never a single measure:

* `Additive`: an int64 sum over records;
* `Distribution`: counts of records by an integer bucket, with columns derived from the counts;
* `PairDerived`: from the sessions and bytes per distinct peer or port;
* `Derived`: a formula over stored columns of the same row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Final, Literal

from attrs import field, frozen

from ndr_core.errors import nearest, shown
from ndr_core.expr import Expr, col, lit, when
from ndr_core.job_spec import JobSpec
from ndr_core.numeric import (
    FIXED_POINT_SCALE,
    bucket_middle,
    bucket_of,
    fixed_count_log2_count,
    log2,
)

PERCENTILES: Final = (25, 50, 75, 95, 99)


class ColumnType(Enum):
    """Type of an output column; the same in every engine's Parquet."""

    STRING = "string"
    INT64 = "int64"
    FLOAT64 = "float64"
    TIMESTAMP = "timestamp[us, UTC]"
    HISTOGRAM = "list<struct<bucket: int64, count: int64>>"


class Merge(Enum):
    """How the values of two deltas of one key become one."""

    KEY = "key"
    SUM = "sum"
    HISTOGRAM = "counts add by bucket"
    DERIVED = "derived anew from the merged row"
    PAIRS = "derived anew from the merged pair table"


@frozen
class OutputColumn:
    """One column of an output table."""

    name: str
    type: ColumnType
    merge: Merge
    meaning: str


@frozen
class Additive:
    """Sum over records of a non-negative int64 contribution (a null contributes 0)."""

    name: str
    contribution: Expr
    meaning: str
    can_overflow: bool = field(
        default=True, metadata={"doc": "false where a record contributes 0 or 1"}
    )

    def columns(self) -> tuple[OutputColumn, ...]:
        return (OutputColumn(self.name, ColumnType.INT64, Merge.SUM, self.meaning),)


def count(name: str, meaning: str) -> Additive:
    """Number of records."""
    return Additive(name, lit(1), meaning, can_overflow=False)


def count_where(name: str, condition: Expr, meaning: str) -> Additive:
    """Number of records for which the condition is true."""
    return Additive(name, when(condition, 1, 0), meaning, can_overflow=False)


def sum_of(name: str, value: Expr, meaning: str) -> Additive:
    """Sum of a non-negative int64; null counts 0."""
    return Additive(name, value.or_else(0), meaning)


@frozen
class Quantile:
    """A column read off a distribution: the nearest-rank percentile's value."""

    name: str
    percent: int
    value: Expr = field(metadata={"doc": "over the column `bucket`"})
    type: ColumnType


@frozen
class LargestCount:
    """A column read off a distribution: the count of its fullest bucket."""

    name: str


@frozen
class Distribution:
    """Counts of records by bucket, stored as a histogram; what is read off it is derived."""

    name: str
    histogram: str = field(metadata={"doc": "stored column: ascending (bucket, count)"})
    bucket: Expr
    finals: tuple[Quantile | LargestCount, ...]
    meaning: str
    final_meaning: str

    def columns(self) -> tuple[OutputColumn, ...]:
        stored = OutputColumn(self.histogram, ColumnType.HISTOGRAM, Merge.HISTOGRAM, self.meaning)
        derived = (
            OutputColumn(
                final.name,
                final.type if isinstance(final, Quantile) else ColumnType.INT64,
                Merge.DERIVED,
                self.final_meaning,
            )
            for final in self.finals
        )
        return (stored, *derived)


PairKey = Literal["peer_ip", "peer_port"]


@frozen
class CellAggregate:
    """One number over the cells of a host: a cell is one distinct peer or port, with `sessions` and `bytes`."""

    name: str
    how: Literal["sum", "max"]
    value: Expr


def _cell_aggregates(key: PairKey) -> tuple[CellAggregate, ...]:
    sessions, sent = col("sessions"), col("bytes")
    return (
        CellAggregate(f"{key}:cells", "sum", lit(1)),
        CellAggregate(f"{key}:sessions", "sum", sessions),
        CellAggregate(f"{key}:sessions_top", "max", sessions),
        CellAggregate(f"{key}:sessions_log", "sum", fixed_count_log2_count(sessions)),
        CellAggregate(f"{key}:bytes", "sum", sent),
        CellAggregate(f"{key}:bytes_top", "max", sent),
    )


CELL_AGGREGATES: Final[dict[PairKey, tuple[CellAggregate, ...]]] = {
    "peer_ip": _cell_aggregates("peer_ip"),
    "peer_port": _cell_aggregates("peer_port"),
}


@frozen
class PairDerived:
    """From the pair table of the host: `value` is over the cell aggregates of `key` (null key: no cell)."""

    name: str
    key: PairKey
    value: Expr
    type: ColumnType
    meaning: str

    def columns(self) -> tuple[OutputColumn, ...]:
        return (OutputColumn(self.name, self.type, Merge.PAIRS, self.meaning),)


@frozen
class Derived:
    """A float over stored columns of the same row."""

    name: str
    value: Expr
    needs: tuple[str, ...] = field(metadata={"doc": "measures whose columns `value` reads"})
    meaning: str

    def columns(self) -> tuple[OutputColumn, ...]:
        return (OutputColumn(self.name, ColumnType.FLOAT64, Merge.DERIVED, self.meaning),)


Measure = Additive | Distribution | PairDerived | Derived


def quantiles(name: str, value: Expr, scale: int, unit: str) -> Distribution:
    """Percentiles of a non-negative int64 from its log-linear histogram, relative error below 1 %.

    `scale`: the stored integers per unit of the percentile columns; 1 keeps them int64.
    """
    middle = bucket_middle(col("bucket"))
    final_value = middle if scale == 1 else middle.to_float() / float(scale)
    final_type = ColumnType.INT64 if scale == 1 else ColumnType.FLOAT64
    return Distribution(
        name=f"{name}_quantiles",
        histogram=f"{name}_hist",
        bucket=bucket_of(value),
        finals=tuple(
            Quantile(f"{name}_p{percent}", percent, final_value, final_type)
            for percent in PERCENTILES
        ),
        meaning=f"records by log-linear bucket of {name} ({'us' if scale > 1 else unit})",
        final_meaning=f"nearest-rank percentile of {name}, {unit}, within 1 %",
    )


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


def measures_for(spec: JobSpec) -> tuple[Measure, ...]:
    """All measures that the spec makes possible, in the order of their columns."""
    action, reason, name = col("event_action"), col("event_reason"), col("event_name")
    transport, duration = col("network_transport"), col("duration_us")
    dropped = action.is_in({"drop", "deny"}) | action.starts_with("reset-")
    # A mapped column without a value is no bytes; a source that never tells is unknown, not zero.
    tells_reply = "destination_bytes" in spec.input.fields
    no_reply = col("reply_bytes").or_else(0).eq(0) if tells_reply else lit(False)
    return (
        SESSIONS,
        sum_of("bytes_sent_sum", col("bytes_sent"), "bytes the host sent"),
        sum_of("bytes_recv_sum", col("bytes_recv"), "bytes the host received"),
        sum_of("duration_us_sum", duration, "total session time, us"),
        Derived(
            "duration_sum",
            col("duration_us_sum").to_float() / 1_000_000.0,
            ("duration_us_sum",),
            "total session time, seconds",
        ),
        count_where("allow_cnt", action.eq("allow"), "sessions allowed"),
        count_where("drop_cnt", dropped, "sessions dropped, denied or reset by the firewall"),
        count_where("alert_cnt", action.eq("alert"), "sessions that raised an alert"),
        count_where("rst_cnt", reason.starts_with("tcp-rst"), "sessions ended by a TCP reset"),
        count_where("aged_out_cnt", reason.eq("aged-out"), "sessions that timed out"),
        count_where("threat_cnt", name.eq("THREAT"), "threat log records"),
        count_where("traffic_cnt", name.eq("TRAFFIC"), "traffic log records"),
        count_where("tcp_cnt", transport.eq("TCP"), "TCP sessions"),
        count_where("udp_cnt", transport.eq("UDP"), "UDP sessions"),
        count_where("icmp_cnt", transport.eq("ICMP"), "ICMP sessions"),
        count_where(
            "zero_reply_cnt",
            no_reply,
            "sessions whose answering side (the destination) sent 0 bytes",
        ),
        count_where(
            "short_session_cnt",
            duration < spec.short_session_us,
            f"sessions shorter than {spec.delta.short_session_seconds:g} s",
        ),
        *(
            count_where(
                f"{set_name}_sessions_cnt",
                col("peer_port").is_in(ports),
                f"sessions to a port of the set {set_name}",
            )
            for set_name, ports in sorted(spec.enrichment.port_sets.items())
        ),
        Distribution(
            name="max_sessions_per_minute",
            histogram="sessions_per_minute",
            bucket=col("minute"),
            finals=(LargestCount("max_sessions_per_minute"),),
            meaning="sessions by clock minute of their start (minutes since 1970-01-01 UTC)",
            final_meaning="most sessions of one clock minute; across slices the largest counts",
        ),
        *_pair_derived(),
        quantiles("bytes_sent", col("bytes_sent"), 1, "bytes"),
        quantiles("bytes_recv", col("bytes_recv"), 1, "bytes"),
        quantiles("duration", duration, 1_000_000, "seconds"),
    )


def select_measures(
    measures: Sequence[Measure], names: Iterable[str] | None
) -> tuple[tuple[Measure, ...], list[tuple[str, str]]]:
    """The named measures (all for None) with what they need, and problems as (key, message).

    `sessions_cnt` is always among them: a delta row without it can't be weighed.
    """
    if names is None:
        return tuple(measures), []
    by_name = {measure.name: measure for measure in measures}
    wanted = {SESSIONS.name}
    problems = []
    for name in names:
        measure = by_name.get(name)
        if measure is None:
            problems.append(
                ("delta.measures", f"unknown measure {shown(name)}, {_measure_hint(name, by_name)}")
            )
            continue
        wanted |= {name, *(measure.needs if isinstance(measure, Derived) else ())}
    return tuple(measure for measure in measures if measure.name in wanted), problems


def _measure_hint(name: str, known: Iterable[str]) -> str:
    suffix = "_sessions_cnt"
    sets = [other.removesuffix(suffix) for other in known if other.endswith(suffix)]
    if name.endswith(suffix):
        return f"no port set {shown(name.removesuffix(suffix))} in enrichment.port_sets; port sets: {', '.join(sets)}"
    return nearest(name, known)
