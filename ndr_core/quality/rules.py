"""Quality rules as values, in their fixed order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from ndr_core.expressions.expr import Expr, col, lit, when
from ndr_core.flows.record import MAX_PORT
from ndr_core.tables.slices import SliceBounds

MALFORMED_JSON: Final = "malformed_json"
DUPLICATE: Final = "duplicate"


@frozen
class RejectRule:
    """Sends a record to quarantine where `condition`, over the flow as read, is true.

    Without a condition the rule is structural: `malformed_json` belongs to reading (`flows.json_line`),
    `duplicate` compares records with each other.
    """

    name: str
    condition: Expr | None
    why: str


@frozen
class RepairRule:
    """Keeps a record, changed, and counts it, where `condition` is true."""

    name: str
    condition: Expr
    fixes: Mapping[str, Expr]
    """Field -> its value after the repair."""
    why: str


def reject_rules(bounds: SliceBounds | None, *, deduplicates: bool) -> tuple[RejectRule, ...]:
    """Give the rules that reject, in order: the first that applies to a record names it.

    `bounds`: the slice that the run is for, if it is for one; `deduplicates`: whether equal keys count once.
    """
    start = col("event_start")
    no_side = lit(True)
    for name in ("source_bytes", "destination_bytes", "source_port", "destination_port"):
        no_side = no_side & col(name).is_null()
    rules = [
        RejectRule(MALFORMED_JSON, None, "the line is not one JSON object of readable values"),
        RejectRule("non_traffic", no_side, "bytes and ports of both sides are all null"),
        RejectRule("missing_event_start", start.is_null(), "without a start a record has no slice"),
        RejectRule(
            "malformed_ip",
            col("source_ip").is_null() | col("destination_ip").is_null(),
            "either address is not IPv4 or IPv6",
        ),
    ]
    if bounds is not None:
        outside = (start < bounds.start) | (start >= bounds.end)
        rules.append(RejectRule("out_of_slice", outside, "event_start is outside the given slice"))
    if deduplicates:
        rules.append(RejectRule(DUPLICATE, None, "an earlier record has the same key"))
    return tuple(rules)


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


def repaired_fields() -> dict[str, Expr]:
    """Give every field that some rule changes, as one expression over the flow as read."""
    fixed: dict[str, Expr] = {}
    for rule in REPAIR_RULES:
        for name, fix in rule.fixes.items():
            previous = fixed.get(name)
            fixed[name] = fix if previous is None else when(rule.condition, fix, previous)
    return fixed
