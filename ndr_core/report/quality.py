"""What became of the records of runs, over time: by the rules that rejected them, and by those that changed them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import median_low
from typing import Final

from attrs import frozen

from ndr_core.quality.report import QualityReport
from ndr_core.report.listing import Column, Kind, Listing
from ndr_core.report.span import MOST_BINS, bin_width, seconds
from ndr_core.times import MINUTE_US

MOST_LABELS: Final = 12
"""Rules, or rules and fields, that a plot tells apart; the rest is `OTHERS`."""
OTHERS: Final = "others"
REJECTED: Final = "rejected"
CHANGED: Final = "kept, but changed or out of bounds"
UNKNOWN: Final = "kept, with a value that no measure knows"
_STEP: Final = 15 * MINUTE_US

OVER_TIME: Final = (
    Column("start", "from (UTC)", Kind.TIME),
    Column("end", "to (UTC)", Kind.TIME),
    Column("what", "what", Kind.TEXT),
    Column("label", "rule and field", Kind.TEXT),
    Column("records", "records"),
    Column("permille", "of 1,000 read", Kind.NUMBER),
)
TOTALS: Final = (
    Column("what", "what", Kind.TEXT),
    Column("label", "rule and field", Kind.TEXT),
    Column("records", "records"),
    Column("permille", "of 1,000 read", Kind.NUMBER),
    Column("example", "begin of such a record", Kind.TEXT),
)


@frozen
class Run:
    """A published run with a report of its quality."""

    start: int
    """The begin of the time that its mini-batch is for, us."""
    end: int
    report: QualityReport


@frozen
class Quality:
    """What became of the records of some runs."""

    runs: int
    read: int
    kept: int
    rejected: int
    totals: Listing
    """Of all runs, by rule and field; columns as `TOTALS`."""
    over_time: Listing
    """By time, rule and field; columns as `OVER_TIME`."""


def quality_of(runs: Sequence[Run]) -> Quality:
    """Add up what became of records. Runs stand where the time begins that they are for."""
    read = sum(run.report.read for run in runs)
    kept = sum(run.report.kept for run in runs)
    rejected = sum(sum(run.report.rejected.values()) for run in runs)
    totals = _added(counts_of(run.report) for run in runs)
    examples: dict[str, str] = {}
    for run in runs:
        for label, text in run.report.examples.items():
            examples.setdefault(label, text)
    rows = [
        (
            what,
            label,
            count,
            _permille(count, read),
            examples.get(label) if what == REJECTED else None,
        )
        for (what, label), count in _by_count(totals)
    ]
    return Quality(
        len(runs), read, kept, rejected, Listing.of(TOTALS, rows), _over_time(runs, totals)
    )


def counts_of(report: QualityReport) -> dict[tuple[str, str], int]:
    """Give the records of a run by (what became of them, rule and field), those that are not 0."""
    found = {(REJECTED, label): count for label, count in report.rejected_by_label.items()}
    found |= {(CHANGED, label): count for label, count in report.repaired.items()}
    found |= {(CHANGED, label): count for label, count in report.outside.items()}
    found |= {
        (UNKNOWN, f"{name}: {value}"): count
        for name, values in report.unknown.items()
        for value, count in values.items()
    }
    return {key: count for key, count in found.items() if count}


def _over_time(runs: Sequence[Run], totals: Mapping[tuple[str, str], int]) -> Listing:
    if not runs:
        return Listing.of(OVER_TIME, ())
    named: set[tuple[str, str]] = set()
    for what in (REJECTED, CHANGED, UNKNOWN):
        of_it = [key for key, _ in _by_count(totals) if key[0] == what]
        # One label more than fit needs no `OTHERS`.
        named.update(of_it if len(of_it) <= MOST_LABELS else of_it[: MOST_LABELS - 1])
    width = _width(runs)
    counts: dict[int, Counter[tuple[str, str]]] = {}
    read: Counter[int] = Counter()
    for run in runs:
        start = run.start // width * width
        read[start] += run.report.read
        for (what, label), count in counts_of(run.report).items():
            key = (what, label if (what, label) in named else OTHERS)
            counts.setdefault(start, Counter())[key] += count
    rows = (
        (seconds(start), seconds(start + width), *key, count, _permille(count, read[start]))
        for start in sorted(counts)
        for key, count in _by_count(counts[start])
    )
    return Listing.of(OVER_TIME, rows)


def _width(runs: Sequence[Run]) -> int:
    """Length of the parts of time: as long as most runs, where these are few enough."""
    first, last = min(run.start for run in runs), max(run.start for run in runs)
    usual = median_low(sorted(run.end - run.start for run in runs))
    whole = -(-max(usual, 1) // _STEP) * _STEP
    return max(whole, bin_width(last - first, MOST_BINS))


def _added(counts: Iterable[Mapping[tuple[str, str], int]]) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for one in counts:
        found.update(one)
    return found


def _by_count(counts: Mapping[tuple[str, str], int]) -> list[tuple[tuple[str, str], int]]:
    """Rejected ones first, then by count, the largest first."""
    order = {REJECTED: 0, CHANGED: 1, UNKNOWN: 2}
    return sorted(counts.items(), key=lambda one: (order[one[0][0]], -one[1], one[0]))


def _permille(part: int, whole: int) -> float | None:
    return round(1000 * part / whole, 3) if whole else None
