"""Quality rules as values, in their fixed order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from ndr_core.expressions.expr import Expr, col, lit, when
from ndr_core.flows.moment import MOMENT, Moment
from ndr_core.flows.record import MAX_PORT
from ndr_core.tables.slices import SliceBounds

MALFORMED_RECORD: Final = "malformed_record"
BAD_VALUE: Final = "bad_value"
NOT_SELECTED: Final = "not_selected"
"""The one rule that skips: `input.only` leaves a record out."""
NON_TRAFFIC: Final = "non_traffic"
DUPLICATE: Final = "duplicate"
OUT_OF_SLICE: Final = "out_of_slice"
TOO_LATE: Final = "too_late"
TOO_EARLY: Final = "too_early"
"""Details of OUT_OF_SLICE."""

LATE: Final = "late"
EARLY: Final = "early"
"""Marks of kept records, beside those of repairs."""


@frozen
class Span:
    """The span of slices that a run is for, and which records from outside of it are kept all the same."""

    bounds: SliceBounds
    moment: Moment
    """Which time of a record decides."""
    lateness: int
    """us before the start of the span."""
    earliness: int
    """us after its end."""


@frozen
class RejectRule:
    """Sends a record to quarantine where `condition`, over the flow as read, is true.

    Without a condition the rule is structural: `malformed_record` and `bad_value` belong to reading
    (`flows.json_line`), `duplicate` compares records with each other. Several rules may go by one name, each with a
    detail of its own.
    """

    name: str
    condition: Expr | None
    why: str
    detail: str | None = None

    @property
    def label(self) -> str:
        """What tells it from other rules: `name`, or `name: detail`."""
        return rule_label(self.name, self.detail)


@frozen
class RepairRule:
    """Keeps a record, changed, and counts it, where `condition` is true."""

    name: str
    condition: Expr
    fixes: Mapping[str, Expr]
    """Field -> its value after the repair."""
    why: str


def rule_label(name: str, detail: str | None) -> str:
    """Give what tells a rule from all others, as reports show it."""
    return name if detail is None else f"{name}: {detail}"


def reject_rules(span: Span | None, *, deduplicates: bool) -> tuple[RejectRule, ...]:
    """Give the rules that reject, in order: the first that applies to a record names it.

    `span`: the span that the run is for, if it is for one; `deduplicates`: whether equal keys count once.
    The conditions are over a flow as read, with its moment.
    """
    start = col("event_start")
    no_side = lit(True)
    for name in ("source_bytes", "destination_bytes", "source_port", "destination_port"):
        no_side = no_side & col(name).is_null()
    rules = [
        RejectRule(MALFORMED_RECORD, None, "the line is no record of the format"),
        RejectRule(BAD_VALUE, None, "a value can't be read as that of its field"),
        RejectRule(NON_TRAFFIC, no_side, "bytes and ports of both sides are all null"),
        RejectRule("missing_event_start", start.is_null(), "without a start a record has no slice"),
        RejectRule(
            "malformed_ip",
            col("source_ip").is_null() | col("destination_ip").is_null(),
            "either address is not IPv4 or IPv6",
        ),
    ]
    if span is not None:
        rules += _out_of_slice(span)
    if deduplicates:
        rules.append(RejectRule(DUPLICATE, None, "an earlier record has the same key"))
    return tuple(rules)


def _out_of_slice(span: Span) -> list[RejectRule]:
    """The rules for records that are too late or too early for the span.

    The end of a session is never before its start: by the start, one that is too late may fit by its end; by its end,
    one that is too early may fit by its start.
    """
    first, last = span.bounds.start - span.lateness, span.bounds.end + span.earliness
    late, early = col(MOMENT) < first, col(MOMENT) >= last
    by_other = span.moment.other.of_flow
    fits = (by_other >= first) & (by_other < last)
    detail, missed = (TOO_EARLY, early) if span.moment is Moment.EVENT_END else (TOO_LATE, late)
    other = span.moment.other.value
    return [
        RejectRule(
            OUT_OF_SLICE,
            missed & fits,
            f"the record is outside of the given bounds, but not by delta.moment: {other}",
            f"{detail}, fits {other}",
        ),
        RejectRule(
            OUT_OF_SLICE,
            late,
            "the moment is more than allowed_lateness before the bounds",
            TOO_LATE,
        ),
        RejectRule(
            OUT_OF_SLICE,
            early,
            "the moment is allowed_earliness or more after the bounds",
            TOO_EARLY,
        ),
    ]


def _nulled(*conditions: tuple[str, Expr]) -> tuple[Expr, dict[str, Expr]]:
    anywhere = lit(False)
    fixes = {}
    for name, condition in conditions:
        anywhere = anywhere | condition
        fixes[name] = when(condition, None, col(name))
    return anywhere, fixes


def _bad_port(name: str) -> tuple[str, Expr]:
    return name, (col(name) < 0) | (col(name) > MAX_PORT)


_NEGATIVE_BYTES = _nulled(
    ("source_bytes", col("source_bytes") < 0), ("destination_bytes", col("destination_bytes") < 0)
)
_INVALID_PORT = _nulled(_bad_port("source_port"), _bad_port("destination_port"))
_NEGATIVE_DURATION = col("event_end") < col("event_start")

REPAIR_RULES: Final[tuple[RepairRule, ...]] = (
    RepairRule("negative_bytes", *_NEGATIVE_BYTES, "a byte count below 0 becomes null"),
    RepairRule("invalid_port", *_INVALID_PORT, f"a port outside 0..{MAX_PORT} becomes null"),
    RepairRule(
        "negative_duration",
        _NEGATIVE_DURATION,
        {"event_end": when(_NEGATIVE_DURATION, col("event_start"), col("event_end"))},
        "an end before the start becomes the start",
    ),
    RepairRule(
        "missing_end",
        col("event_end").is_null(),
        {"event_end": col("event_end").or_else(col("event_start"))},
        "a missing end becomes the start",
    ),
)
"""Applied to kept records, in order. No two rules can both apply to one field."""

MARKS: Final = (*(rule.name for rule in REPAIR_RULES), LATE, EARLY)
"""The names of `marks`, in order."""


def marks(bounds: SliceBounds | None) -> dict[str, Expr]:
    """Give what is counted of kept records: by name, whether it is true of a flow as read, with its moment.

    These are the repairs, and LATE and EARLY: whether the moment is before or after the bounds.
    """
    found = {rule.name: rule.condition for rule in REPAIR_RULES}
    found[LATE] = lit(False) if bounds is None else col(MOMENT) < bounds.start
    found[EARLY] = lit(False) if bounds is None else col(MOMENT) >= bounds.end
    return found


def repaired_fields() -> dict[str, Expr]:
    """Give every field that some rule changes, as one expression over the flow as read."""
    fixed: dict[str, Expr] = {}
    for rule in REPAIR_RULES:
        for name, fix in rule.fixes.items():
            previous = fixed.get(name)
            fixed[name] = fix if previous is None else when(rule.condition, fix, previous)
    return fixed
