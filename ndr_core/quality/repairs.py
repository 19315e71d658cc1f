"""Repairs as values, in their fixed order, and what is counted of kept records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from ndr_core.expressions.expr import Expr, col, lit, substitute, when
from ndr_core.flows.moment import MOMENT
from ndr_core.flows.record import MAX_PORT
from ndr_core.quality.rules import IS_ICMP
from ndr_core.tables.slices import SliceBounds

LATE: Final = "late"
EARLY: Final = "early"
"""Marks of kept records, beside those of repairs."""

_NEGATIVE_DURATION: Final = "negative_duration"
_MISSING_END: Final = "missing_end"
_MIB: Final = 1 << 20
"""Of bytes without a packet: so many may be real, as captures lose packets."""
_FACTOR: Final = 100
"""Bytes are so many times those of their packets, or more, before they can't be."""


@frozen
class RepairRule:
    """Keeps a record, changed, and counts it, where one of the `faults` is true.

    Both are over a flow as the rules before have left it.
    """

    name: str
    faults: Mapping[str, Expr]
    """Field -> whether it is at fault."""
    why: str
    value: Expr | None = None
    """What a field at fault becomes."""

    @property
    def condition(self) -> Expr:
        """Whether the rule changes a record."""
        anywhere: Expr = lit(False)
        for fault in self.faults.values():
            anywhere = anywhere | fault
        return anywhere

    @property
    def fixes(self) -> Mapping[str, Expr]:
        """Field -> its value after the repair."""
        return {name: when(fault, self.value, col(name)) for name, fault in self.faults.items()}


def _greater(one: Expr, other: Expr) -> Expr:
    """The greater of two numbers, or the one that is known."""
    return when(one > other, one, other.or_else(one))


def _implausible(side: str) -> Expr:
    """Whether the bytes of a side are far more than its packets and what was missed can hold.

    All numbers are null or not negative: a difference of two lies within int64, and so does each step, whatever they
    are. The meaning is that of unbounded integers: where bytes are fewer than ip_bytes, nothing exceeds them.
    """
    sent, of_packets = col(f"{side}_bytes"), col(f"{side}_ip_bytes")
    missed = col("missed_bytes")
    known = _greater(col("source_ip_bytes"), col("destination_ip_bytes"))
    no_loss = (missed > _MIB) & (missed // _FACTOR > known)
    counted = when(no_loss, 0, missed.or_else(0))
    excess = when(sent > of_packets, sent - of_packets, 0)
    return (excess - _MIB > counted) & (sent // _FACTOR > of_packets)


REPAIR_RULES: Final[tuple[RepairRule, ...]] = (
    RepairRule(
        "negative_bytes",
        {
            name: col(name) < 0
            for amount in ("bytes", "packets", "ip_bytes")
            for name in (f"source_{amount}", f"destination_{amount}")
        }
        | {"missed_bytes": col("missed_bytes") < 0},
        "a count of bytes or packets below 0 becomes null",
    ),
    RepairRule(
        "invalid_port",
        {
            name: (col(name) < 0) | (col(name) > MAX_PORT)
            for name in ("source_port", "destination_port")
        },
        f"a port outside 0..{MAX_PORT} becomes null",
    ),
    RepairRule(
        "implausible_bytes",
        {f"{side}_bytes": _implausible(side) for side in ("source", "destination")},
        "bytes that the packets of their side can not have held become null",
    ),
    RepairRule(
        _NEGATIVE_DURATION,
        {"event_end": col("event_end") < col("event_start")},
        "an end before the start becomes the start, and is not known",
        col("event_start"),
    ),
    RepairRule(
        _MISSING_END,
        {"event_end": col("event_end").is_null()},
        "a missing end becomes the start, and is not known",
        col("event_start"),
    ),
)
"""Applied to read records, in order."""

MARKS: Final = (*(rule.name for rule in REPAIR_RULES), LATE, EARLY)
"""What is counted of kept records, in order."""


def mark_column(name: str) -> str:
    """Name the column that tells whether a record has a mark."""
    return f"mark:{name}"


END_KNOWN: Final = ~(col(mark_column(_NEGATIVE_DURATION)) | col(mark_column(_MISSING_END)))
"""Whether the end of a repaired record is known, over its marks."""


def marks(bounds: SliceBounds | None) -> dict[str, Expr]:
    """Give what is counted of kept records: by name, whether it is true of a flow as read, with its moment.

    These are the repairs, and LATE and EARLY: whether the moment is before or after the bounds.
    """
    found: dict[str, Expr] = {}
    fixed: dict[str, Expr] = {}
    for rule in REPAIR_RULES:
        found[rule.name] = substitute(rule.condition, fixed)
        fixed |= _fixed(rule, fixed)
    found[LATE] = lit(False) if bounds is None else col(MOMENT) < bounds.start
    found[EARLY] = lit(False) if bounds is None else col(MOMENT) >= bounds.end
    return {name: condition.or_else(lit(False)) for name, condition in found.items()}


def repaired_fields() -> dict[str, Expr]:
    """Give every field that some rule changes, as one expression over the flow as read."""
    fixed: dict[str, Expr] = {}
    for rule in REPAIR_RULES:
        fixed |= _fixed(rule, fixed)
    return fixed


def _fixed(rule: RepairRule, before: Mapping[str, Expr]) -> dict[str, Expr]:
    return {name: substitute(fix, before) for name, fix in rule.fixes.items()}


SETTLED_FIELDS: Final[Mapping[str, Expr]] = {
    name: when(IS_ICMP, None, col(name)) for name in ("source_port", "destination_port")
}
"""Fields that change once duplicates are found: the type and code of ICMP are no ports."""
