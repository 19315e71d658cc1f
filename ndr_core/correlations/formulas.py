"""How far a window lies from what is usual, metric by metric, and the scores that are made of it: as expressions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from attrs import frozen

from ndr_core.baselines.buckets import bucket, middle
from ndr_core.baselines.metrics import Metric
from ndr_core.baselines.readout import P99_OF_NORMAL, UPPER_Z, Z
from ndr_core.expressions.expr import Expr, col, substitute, when
from ndr_core.expressions.portable import log2
from ndr_core.tables import units
from ndr_core.tables.columns import ColumnType

HALF_Z: Final = 6.0
"""The z at which a score is one half."""

NOISY_SCAN: Final = 0.5
"""From this scan_score on a host scans, and new ports and pairs are no news of their own."""
MUTED_BY_SCAN: Final = ("new_port_cnt", "new_pair_cnt")

ANOMALY_METRICS: Final = (
    "sessions_cnt",
    "drop_ratio",
    "peer_ip_nunique",
    "peer_port_nunique",
)
"""The metrics by which a window is anomalous, where a spec names none. Bytes are not among them: one large session
lifts the bytes of many a usual window by ten scales, and `exfil_score` is there for those that leave."""

EXFIL_METRIC: Final = "ext_bytes_sent_sum"
NEW_BYTES: Final = "new_ext_bytes_sent"
"""The part of it that went to new peers."""


@frozen
class Departure:
    """A column of a metric: how its value of a window lies to the baseline."""

    ending: str
    """Behind the name of the metric, and an underscore."""
    value: Expr
    """Over `x`, what is read off the baseline (`n`, `median`, `p99`, `mad`, `iqr`), the bits of `COUNTED_IN_BITS`, and
    `scan_score`; null where x or the baseline is."""
    type: ColumnType
    meaning: str
    measured_in: str
    """The unit of its values."""

    @property
    def formula(self) -> Expr:
        """The value over `x` and the baseline alone: with the logarithms that it reads."""
        return substitute(self.value, _LOGARITHMS)


X_BUCKET: Final = bucket(col("x"))
"""The bucket of x."""

BITS: Final = log2(col("count") + 1)
"""How many bits a `count` of at least 0 takes. Few counts are distinct: engines work them out once each."""

COUNTED_IN_BITS: Final[Mapping[str, Expr]] = {
    "n_bits": col("n"),
    "n_ge_bits": col("n_ge"),
    "x_bits": middle(X_BUCKET),
    "median_bits": col("median"),
}
"""The bits that departures read -> the count, over `x`, `n`, `median` and `n_ge` (samples in x's bucket or above)."""
_LOGARITHMS: Final = {
    name: substitute(BITS, {"count": count}) for name, count in COUNTED_IN_BITS.items()
}


def departures(metric: Metric) -> tuple[Departure, ...]:
    """Give the columns of a metric."""
    unit = metric.unit
    is_mutable = metric.name in MUTED_BY_SCAN
    muted = f"; null while scan_score is {NOISY_SCAN} or more" if is_mutable else ""
    z, upper_z = (
        when(col("scan_score") >= NOISY_SCAN, None, value) if is_mutable else value
        for value in (Z[unit], UPPER_Z[unit])
    )
    return (
        Departure(
            "z",
            z,
            ColumnType.FLOAT64,
            "(x - median) / scale; scale is the largest of 1.4826 mad, 0.7413 iqr, 0.05 median and "
            f"{unit.floor} {unit.value}{muted}",
            units.SCALES,
        ),
        Departure(
            UPPER_Z_ENDING,
            upper_z,
            ColumnType.FLOAT64,
            f"as z, where (p99 - median) / {P99_OF_NORMAL} is one more of the scales: what the baseline itself holds "
            f"in a few of a hundred samples is no departure{muted}",
            units.SCALES,
        ),
        Departure(
            "tail_bits",
            col("n_bits") - col("n_ge_bits"),
            ColumnType.FLOAT64,
            "log2(n + 1) - log2(n_ge + 1), n_ge: samples in the bucket of x or above",
            units.BITS,
        ),
        Departure(
            "ratio",
            when(col("median") > 0, col("x").to_float() / col("median").to_float(), None),
            ColumnType.FLOAT64,
            "x / median; null where the median is 0",
            units.RATIO,
        ),
        Departure(
            "log2_ratio",
            col("x_bits") - col("median_bits"),
            ColumnType.FLOAT64,
            "log2(x + 1) - log2(median + 1), x by the middle of its bucket",
            units.BITS,
        ),
        Departure(
            "excess_p99",
            when(
                col("x") > col("p99"),
                col("x") - col("p99"),
                when(col("x") <= col("p99"), 0, None),
            ),
            ColumnType.INT64,
            "x - p99, at least 0, in the unit of the metric",
            unit.value,
        ),
    )


UPPER_Z_ENDING: Final = "upper_z"
"""The column of a metric by which it makes a window anomalous."""
SCOPE_ENDING: Final = "scope"
"""The column of a metric that says whose baseline it was compared with."""


def departure_name(metric: str, ending: str) -> str:
    """Name a column of a metric: `bytes_sent_sum_z`."""
    return f"{metric}_{ending}"


def _upper_half(z: Expr) -> Expr:
    """z / (z + 6), 0 below 0."""
    return when(z > 0.0, z / (z + HALF_Z), 0.0)


def strength(z: Expr) -> Expr:
    """Give how much a metric stands out, 0 to 1: half where z is `HALF_Z`, 0 where it is not above 0."""
    return when(z.is_null(), None, _upper_half(z))


def larger(a: Expr, b: Expr) -> Expr:
    """Give the larger of two numbers, or the one that is known."""
    return when(b.is_null(), a, when(a.is_null(), b, when(a >= b, a, b)))


def anomaly_strength(key_metrics: Iterable[str]) -> Expr:
    """Give the score of a window as a whole, over the upper_z columns: null where no key metric has one."""
    return _largest([strength(col(departure_name(name, UPPER_Z_ENDING))) for name in key_metrics])


def _largest(values: Sequence[Expr]) -> Expr:
    """The largest of some values. `larger` repeats what it compares: halves of halves keep what is repeated short."""
    if len(values) == 1:
        return values[0]
    half = (len(values) + 1) // 2
    return larger(_largest(values[:half]), _largest(values[half:]))


def exfil_score(min_bytes: int | Expr) -> Expr:
    """Give the score of data that leave: over the z of ext_bytes_sent_sum, this and new_ext_bytes_sent.

    0 below `min_bytes`, then null without a baseline. Bytes to new peers count double those to known ones.
    """
    sent, new, z = (
        col(EXFIL_METRIC),
        col(NEW_BYTES),
        col(departure_name(EXFIL_METRIC, "z")),
    )
    # While the history is young new_ext_bytes_sent is null: then no byte counts as new.
    share = when((new > 0) & (sent > 0), new.to_float() / sent.to_float(), 0.0)
    score = _upper_half(z) * (share + 1.0) / 2.0
    return when(
        sent.is_null(),
        None,
        when(sent < min_bytes, 0.0, when(z.is_null(), None, score)),
    )


CARRIED: Final[Mapping[str, tuple[ColumnType, str]]] = {
    "scan_score": (ColumnType.FLOAT64, "as in fg_a"),
    "brute_score": (ColumnType.FLOAT64, "as in fg_a"),
    "lateral_score": (ColumnType.FLOAT64, "as in fg_a"),
    "beacon_threat_max": (ColumnType.INT64, "as in fg_a"),
}
"""Scores of the window that are carried over."""
