"""Quality rules as values, in their fixed order, and the report of what they did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import asdict, field, frozen

from ndr_core.errors import ThresholdError
from ndr_core.expr import Expr, col, lit, when
from ndr_core.flow import MAX_PORT
from ndr_core.job_spec import Quality, RuntimeParams

MALFORMED_JSON: Final = "malformed_json"
DUPLICATE: Final = "duplicate"


@frozen
class RejectRule:
    """Sends a record to quarantine where `condition`, over the flow as read, is true.

    Without a condition the rule is structural: `malformed_json` belongs to reading (`json_line.py`),
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
    fixes: Mapping[str, Expr] = field(metadata={"doc": "field -> its value after the repair"})
    why: str


def reject_rules(params: RuntimeParams, quality: Quality) -> tuple[RejectRule, ...]:
    """Rules that reject, in order: the first that applies to a record names it."""
    start = col("event_start")
    no_side = lit(True)
    for name in ("source_bytes", "destination_bytes", "source_port", "destination_port"):
        no_side = no_side & col(name).is_null()
    rules = [
        RejectRule(MALFORMED_JSON, None, "the line is not one JSON object of readable values"),
        RejectRule("non_traffic", no_side, "bytes and ports of both sides are all null"),
        RejectRule("missing_event_start", start.is_null(), "no slice can be told"),
        RejectRule(
            "malformed_ip",
            col("source_ip").is_null() | col("destination_ip").is_null(),
            "either address is not IPv4 or IPv6",
        ),
    ]
    if params.slice_start is not None and params.slice_end is not None:
        outside = (start < params.slice_start) | (start >= params.slice_end)
        rules.append(RejectRule("out_of_slice", outside, "event_start is outside the given slice"))
    if quality.deduplicate_on:
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
    """Every field that some rule changes, as one expression over the flow as read."""
    fixed: dict[str, Expr] = {}
    for rule in REPAIR_RULES:
        for name, fix in rule.fixes.items():
            previous = fixed.get(name)
            fixed[name] = fix if previous is None else when(rule.condition, fix, previous)
    return fixed


@frozen
class QualityReport:
    """What became of every record of a run. `read = kept + sum(rejected)`, always."""

    read: int
    kept: int
    rejected: Mapping[str, int] = field(metadata={"doc": "records by the rule that rejected them"})
    repaired: Mapping[str, int] = field(
        metadata={"doc": "kept records by the rule that changed them"}
    )
    blank_lines: int
    unreadable_files: Mapping[str, str] = field(
        factory=dict, metadata={"doc": "files set aside whole: address -> what was wrong"}
    )

    def __attrs_post_init__(self) -> None:
        """The balance of the books; an engine that breaks it has lost records."""
        if self.read != self.kept + sum(self.rejected.values()):
            raise AssertionError(f"read is not kept + rejected: {self}")

    @property
    def rejected_fraction(self) -> float:
        return 0.0 if self.read == 0 else 1 - self.kept / self.read

    def check(self, quality: Quality) -> None:
        """Raise ThresholdError when a threshold of the JobSpec is exceeded."""
        if self.kept < quality.min_records:
            raise ThresholdError(
                f"quality.min_records: {self.kept} records kept, at least {quality.min_records} due; "
                "nothing was published"
            )
        if self.rejected_fraction > quality.max_rejected_fraction:
            rules = ", ".join(f"{rule} {count}" for rule, count in self.rejected.items() if count)
            raise ThresholdError(
                f"quality.max_rejected_fraction: {self.rejected_fraction:.4f} of {self.read} records "
                f"rejected, at most {quality.max_rejected_fraction:g} allowed ({rules}); "
                "nothing was published"
            )

    def to_plain(self) -> dict[str, Any]:
        """The report as JSON-ready data."""
        return asdict(self)


def make_report(
    rules: tuple[RejectRule, ...],
    kept: int,
    rejected: Mapping[str, int],
    repaired: Mapping[str, int],
    blank_lines: int,
    unreadable_files: Mapping[str, str],
) -> QualityReport:
    """Report with every rule named, in order, those that never applied with 0."""
    by_rule = {rule.name: rejected.get(rule.name, 0) for rule in rules}
    return QualityReport(
        read=kept + sum(by_rule.values()),
        kept=kept,
        rejected=by_rule,
        repaired={rule.name: repaired.get(rule.name, 0) for rule in REPAIR_RULES},
        blank_lines=blank_lines,
        unreadable_files=dict(sorted(unreadable_files.items())),
    )
