"""Quality rules as values, in their fixed order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from attrs import frozen

from ndr_core.expressions.expr import Expr, col, lit
from ndr_core.flows.mapping import Lost
from ndr_core.flows.moment import MOMENT, Moment
from ndr_core.flows.outcome import key_column
from ndr_core.flows.transports import ICMP
from ndr_core.tables.slices import SliceBounds

MALFORMED_RECORD: Final = "malformed_record"
BAD_VALUE: Final = "bad_value"
NOT_SELECTED: Final = "not_selected"
"""The one rule that skips: `input.only` leaves a record out."""
NON_TRAFFIC: Final = "non_traffic"
MALFORMED_IP: Final = "malformed_ip"
DUPLICATE: Final = "duplicate"
OUT_OF_SLICE: Final = "out_of_slice"
TOO_LATE: Final = "too_late"
TOO_EARLY: Final = "too_early"
"""Details of OUT_OF_SLICE."""

IS_ICMP: Final = col("network_transport").eq(ICMP).or_else(lit(False))
"""Whether a record is of ICMP: what it has for ports are a type and a code."""


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
    detail or a field of its own.
    """

    name: str
    condition: Expr | None
    why: str
    detail: str | None = None
    field: str | None = None
    """The canonical field at fault, where the rule is about one."""

    @property
    def label(self) -> str:
        """What tells it from other rules: `name`, `name: detail` or `name: field`."""
        return rule_label(self.name, self.detail or self.field)


def rule_label(name: str, part: str | None) -> str:
    """Give what tells a rule from all others, as reports show it. `part`: its detail, or the field at fault."""
    return name if part is None else f"{name}: {part}"


def reject_rules(
    span: Span | None,
    *,
    deduplicates: bool,
    readable: Iterable[str] = (),
    lost: Lost | None = None,
) -> tuple[RejectRule, ...]:
    """Give the rules that reject, in order: the first that applies to a record names it.

    `span`: the span that the run is for, if it is for one; `deduplicates`: whether equal keys count once; `readable`:
    fields, and columns of keys, that are read from the source; `lost`: what tells that it has lost data. The
    conditions are over a flow as read, with its moment.
    """
    rules = [
        RejectRule(MALFORMED_RECORD, None, "the line is no record of the format"),
        *(
            RejectRule(BAD_VALUE, None, f"a value can't be read as {name}", field=name)
            for name in dict.fromkeys(readable)
        ),
        *_non_traffic(lost),
        RejectRule(
            "missing_time",
            col("event_start").is_null(),
            "without a start a record has no slice, though its end may be known",
        ),
        *_malformed_ip(),
    ]
    if span is not None:
        rules += _out_of_slice(span)
    if deduplicates:
        rules.append(
            RejectRule(DUPLICATE, None, "a longer record of the mini-batch has the same key")
        )
    return tuple(rules)


def _non_traffic(lost: Lost | None) -> list[RejectRule]:
    nothing = ~IS_ICMP
    for amount in ("bytes", "packets", "port"):
        for side in ("source", "destination"):
            nothing = nothing & col(f"{side}_{amount}").is_null()
    why = "bytes, packets and ports of both sides are all null, and it is not ICMP"
    rules = [RejectRule(NON_TRAFFIC, nothing, why)]
    if lost is not None:
        tells = lit(False)
        for name in (lost.column, *lost.also):
            tells = tells | col(key_column(name)).eq(lost.value).or_else(lit(False))
        is_lost = nothing & tells
        why = f"it tells of lost data: {lost.column} is {lost.value}, and it has no traffic"
        rules.insert(0, RejectRule(NON_TRAFFIC, is_lost, why, "lost"))
    return rules


def _malformed_ip() -> list[RejectRule]:
    return [
        RejectRule(
            MALFORMED_IP,
            col(f"{side}_ip").is_null(),
            f"the {side} has no address, or a text that is none",
            field=f"{side}_ip",
        )
        for side in ("source", "destination")
    ]


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
