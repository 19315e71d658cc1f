"""The report of what the quality rules did to the records of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import asdict, field, frozen

from ndr_core.errors import ThresholdError
from ndr_core.quality.repairs import EARLY, LATE, REPAIR_RULES
from ndr_core.quality.rules import (
    DUPLICATE,
    NON_TRAFFIC,
    OUT_OF_SLICE,
    RejectRule,
    rule_label,
)
from ndr_core.quality.settings import Quality
from ndr_core.quality.unknown import most_frequent

_EXPECTED = (NON_TRAFFIC, DUPLICATE)
"""Rules whose rejects say nothing against an input: sound logs have such records."""
_UNKNOWN = (
    "See whether `input` of the JobSpec fits the records: its columns, the formats of its times"
)


@frozen
class QualityReport:
    """What became of every record of a run. `read = kept + skipped + sum(rejected)`, always."""

    read: int
    kept: int
    rejected: Mapping[str, int]
    """Records by the rule that rejected them."""
    repaired: Mapping[str, int]
    """Kept records by the rule that changed them."""
    blank_lines: int
    unreadable_files: Mapping[str, str] = field(factory=dict)
    """Files set aside whole: address -> what was wrong."""
    rejected_by_detail: Mapping[str, int] = field(factory=dict)
    """Records by `rule: detail` or `rule: field`, of rules that tell more than their name; those that applied."""
    late: int = 0
    """Kept records whose moment is before the bounds of the run."""
    early: int = 0
    """Kept records whose moment is after the bounds of the run."""
    skipped: int = 0
    """Records that `input.only` leaves out."""
    examples: Mapping[str, str] = field(factory=dict)
    """The beginning of a rejected record, by rule or, where that tells more, by `rule: detail` or `rule: field`."""
    unknown: Mapping[str, Mapping[str, int]] = field(factory=dict)
    """Kept records by the value of a field that no measure knows: field -> value -> records, the most frequent ones."""

    def __attrs_post_init__(self) -> None:
        """Raise AssertionError where the counts do not balance: an engine has lost records."""
        if self.read != self.kept + self.skipped + sum(self.rejected.values()):
            raise AssertionError(f"read is not kept + skipped + rejected: {self}")

    @property
    def weighed(self) -> int:
        """Records that tell how sound the input is: all but those skipped, of no traffic, and duplicates."""
        return self.read - self.skipped - sum(self.rejected.get(rule, 0) for rule in _EXPECTED)

    @property
    def rejected_fraction(self) -> float:
        """The share of rejected records among those that are weighed; 0 where there are none."""
        # Not 1 - kept / weighed: that is more than 0.3 where 3 of 10 are rejected.
        return 0.0 if self.weighed == 0 else (self.weighed - self.kept) / self.weighed

    def check(self, quality: Quality, looks_like: Callable[[], str | None] = lambda: None) -> None:
        """Raise ThresholdError when nothing is left of the records, or a threshold of the JobSpec is exceeded.

        `looks_like`: says what the input may be in place of what the JobSpec says, asked only where nothing is left.
        """
        if self.kept == 0 and self.weighed > 0:
            hint = self._out_of_slice_hint() or looks_like() or _UNKNOWN
            raise ThresholdError(
                f"none of {self.weighed} records can be used ({self._rules()}); nothing was published. {hint}"
            )
        if self.kept < quality.min_records:
            raise ThresholdError(
                f"quality.min_records: {self.kept} records kept, at least {quality.min_records} expected; "
                "nothing was published"
            )
        if self.rejected_fraction > quality.max_rejected_fraction:
            raise ThresholdError(
                f"quality.max_rejected_fraction: {self.rejected_fraction:.4f} of {self.weighed} records "
                f"rejected, at most {quality.max_rejected_fraction:g} allowed ({self._rules()}); "
                "nothing was published"
            )

    def _out_of_slice_hint(self) -> str | None:
        """What to do where most records are outside of the bounds."""
        if 2 * self.rejected.get(OUT_OF_SLICE, 0) <= self.weighed:
            return None
        return (
            "Give the bounds of the time that the mini-batch is for, or none; quality.allowed_lateness and "
            "quality.allowed_earliness say how far outside of them a record may lie, delta.moment which time counts"
        )

    @property
    def outside(self) -> dict[str, int]:
        """Kept records whose moment is outside of the bounds: LATE and EARLY -> records."""
        return {LATE: self.late, EARLY: self.early}

    @property
    def rejected_by_label(self) -> dict[str, int]:
        """Records by the rule that rejected them, where that tells more by `rule: detail` or `rule: field`."""
        found: dict[str, int] = {}
        for rule, count in self.rejected.items():
            prefix = rule_label(rule, "")
            details = {
                label: part
                for label, part in self.rejected_by_detail.items()
                if label.startswith(prefix)
            }
            found |= details
            rest = count - sum(details.values())
            if rest or not details:
                found[rule] = rest
        return found

    def _rules(self) -> str:
        """The rules that speak against the input, with their counts."""
        counts = self.rejected_by_label.items()
        return ", ".join(f"{rule} {n}" for rule, n in counts if n and rule not in _EXPECTED)

    def to_plain(self) -> dict[str, Any]:
        """Give the report as JSON-ready data."""
        return asdict(self)


def make_report(
    rules: tuple[RejectRule, ...],
    kept: int,
    rejected: Mapping[str, int],
    marked: Mapping[str, int],
    blank_lines: int,
    unreadable_files: Mapping[str, str],
    skipped: int = 0,
    examples: Mapping[str, str] | None = None,
    unknown: Mapping[str, Mapping[str, int]] | None = None,
) -> QualityReport:
    """Make the report, with every rule named, in order, those that never applied with 0.

    `rejected`: records by the label of the rule, and `examples` of them; `marked`: kept records by the name of the
    mark (`repairs.marks`); `unknown`: kept records by field and value that no measure knows.
    """
    examples = examples or {}
    by_rule = dict.fromkeys((rule.name for rule in rules), 0)
    by_detail = {}
    for rule in rules:
        count = rejected.get(rule.label, 0)
        by_rule[rule.name] += count
        if rule.label != rule.name and count:
            by_detail[rule.label] = count
    return QualityReport(
        read=kept + skipped + sum(by_rule.values()),
        kept=kept,
        rejected=by_rule,
        repaired={rule.name: marked.get(rule.name, 0) for rule in REPAIR_RULES},
        blank_lines=blank_lines,
        unreadable_files=dict(sorted(unreadable_files.items())),
        rejected_by_detail=by_detail,
        late=marked.get(LATE, 0),
        early=marked.get(EARLY, 0),
        skipped=skipped,
        examples={rule.label: examples[rule.label] for rule in rules if rule.label in examples},
        unknown=most_frequent(unknown or {}),
    )
