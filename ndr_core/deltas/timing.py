"""When the sessions of a pair began, how large they were, and which had no answer: columns of the pair table.

They are made of outbound sessions alone; those of an inbound pair are in the row of its other end. Beacons, scans and
brute force are told by them. Starts are counted by whole seconds and not by gaps: gaps are made of the united starts
of several slices, whatever mini-batches these came in.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from attrs import evolve, frozen

from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import Expr, col, substitute, when
from ndr_core.expressions.portable import bucket_of
from ndr_core.flows.vocabulary import Action
from ndr_core.measures.kinds import BY_BUCKET, count_where, of_records, of_sessions, sum_of
from ndr_core.tables import units
from ndr_core.tables.columns import ColumnType, Histogram, Merge, OutputColumn, add_histograms
from ndr_core.times import SECOND_US

MOST_SECONDS_BEFORE: Final = 86_400
"""The start of a session is told to the second when it is at most so many seconds before the start of the slice."""
EARLY_START: Final = -(1 << 40)
"""The bucket of `starts` in which all sessions count that began earlier. No shift moves it."""

UNLESS_OUTBOUND: Final = "in rows that are not outbound"
"""Where these columns are null."""

_NUMBER: Final = "number"
_BUCKET: Final = "bucket"


@frozen
class PairHistogram:
    """A histogram of the pair table: sessions by bucket."""

    name: str
    bucket: Expr
    """Of a session: over what a role sees of it, and `slice_start` (us). Null for a record that is no session."""
    number: Expr
    """Over `bucket`: a number from 0 to 2^31 - 1 that stands for it. Numbers sort as buckets do."""
    of_number: Expr
    """Over `number`: its bucket."""
    meaning: str

    @property
    def session_number(self) -> Expr:
        """Give the number of a session's bucket, over the same columns as `bucket`."""
        return substitute(self.number, {_BUCKET: self.bucket})

    @property
    def column(self) -> OutputColumn:
        """Give its column of the pair table."""
        origin = of_records(units.COUNTS, self.bucket, BY_BUCKET, UNLESS_OUTBOUND)
        return OutputColumn(self.name, ColumnType.HISTOGRAM, Merge.HISTOGRAM, self.meaning, origin)


_SECONDS: Final = col("event_start") // SECOND_US - col("slice_start") // SECOND_US
"""Whole seconds from the start of the slice, rounded down: slices start at whole seconds."""

STARTS: Final = PairHistogram(
    "starts",
    of_sessions(when(_SECONDS < -MOST_SECONDS_BEFORE, EARLY_START, _SECONDS)),
    when(col(_BUCKET).eq(EARLY_START), 0, col(_BUCKET) + (MOST_SECONDS_BEFORE + 1)),
    when(col(_NUMBER).eq(0), EARLY_START, col(_NUMBER) - (MOST_SECONDS_BEFORE + 1)),
    "sessions by start, in whole seconds from slice_start_ts, rounded down; below 0 where it lies before. Those that "
    f"began more than {MOST_SECONDS_BEFORE} s before count in bucket {EARLY_START}. Null unless outbound",
)
SENT: Final = PairHistogram(
    "bytes_sent_hist",
    of_sessions(bucket_of(col("bytes_sent"))),
    col(_BUCKET),
    col(_NUMBER),
    "sessions by log-linear bucket of the bytes the host sent; unknown bytes count as 0. Null unless outbound",
)
TIMING_HISTOGRAMS: Final = (STARTS, SENT)

UNANSWERED: Final = evolve(
    count_where(
        "unanswered_cnt",
        Action.DROP.holds | col("reply").eq(0),
        "sessions of the action class drop, or whose destination is known to have sent nothing. Null unless outbound",
    ),
    null=UNLESS_OUTBOUND,
)
SECONDS: Final = evolve(
    sum_of(
        "duration_s_sum",
        col("duration_us") // SECOND_US,
        "total session time, in whole seconds of each session, rounded down. Null unless outbound",
        units.SECONDS,
    ),
    null=UNLESS_OUTBOUND,
)
TIMING_SUMS: Final = (UNANSWERED, SECONDS)


TIMING_COLUMNS: Final = (
    *(one.column for one in TIMING_HISTOGRAMS),
    *(column for one in TIMING_SUMS for column in one.columns()),
)
"""What `pair.timing` adds to the pair table, in order."""


def shifted_bucket(bucket: Expr, seconds: Expr) -> Expr:
    """Give the bucket of `starts` seen from a moment that is so many seconds earlier than before."""
    return when(bucket.eq(EARLY_START), bucket, bucket + seconds)


_SHIFTED: Final = shifted_bucket(col(_BUCKET), col("seconds"))


def shifted(starts: Histogram, seconds: int) -> Histogram:
    """Shift a histogram `starts` by seconds: by those of the slice's start since 1970, starts are since 1970 too.

    Sessions of EARLY_START stay there: how long before the slice they began is not known.
    """
    return tuple(
        (evaluate(_SHIFTED, {_BUCKET: bucket, "seconds": seconds}), count)
        for bucket, count in starts
    )


def united_starts(slices: Iterable[tuple[int, Histogram]]) -> Histogram:
    """Unite the `starts` of several slices. `slices`: the start of each, us since 1970, and its histogram.

    Gives sessions by whole seconds since 1970, in ascending order; EARLY_START is the first bucket.
    """
    return add_histograms(shifted(starts, start // SECOND_US) for start, starts in slices)
