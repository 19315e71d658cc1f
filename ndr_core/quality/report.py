"""The report of what the quality rules did to the records of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import asdict, field, frozen

from ndr_core.errors import ThresholdError
from ndr_core.quality.rules import REPAIR_RULES, RejectRule
from ndr_core.quality.settings import Quality


@frozen
class QualityReport:
    """What became of every record of a run. `read = kept + sum(rejected)`, always."""

    read: int
    kept: int
    rejected: Mapping[str, int]
    """Records by the rule that rejected them."""
    repaired: Mapping[str, int]
    """Kept records by the rule that changed them."""
    blank_lines: int
    unreadable_files: Mapping[str, str] = field(factory=dict)
    """Files set aside whole: address -> what was wrong."""

    def __attrs_post_init__(self) -> None:
        """Raise AssertionError where the counts do not balance: an engine has lost records."""
        if self.read != self.kept + sum(self.rejected.values()):
            raise AssertionError(f"read is not kept + rejected: {self}")

    @property
    def rejected_fraction(self) -> float:
        # Not 1 - kept / read: that is more than 0.3 where 3 of 10 are rejected.
        return 0.0 if self.read == 0 else (self.read - self.kept) / self.read

    def check(self, quality: Quality) -> None:
        """Raise ThresholdError when a threshold of the JobSpec is exceeded."""
        if self.kept < quality.min_records:
            raise ThresholdError(
                f"quality.min_records: {self.kept} records kept, at least {quality.min_records} expected; "
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
        """Give the report as JSON-ready data."""
        return asdict(self)


def make_report(
    rules: tuple[RejectRule, ...],
    kept: int,
    rejected: Mapping[str, int],
    repaired: Mapping[str, int],
    blank_lines: int,
    unreadable_files: Mapping[str, str],
) -> QualityReport:
    """Make the report, with every rule named, in order, those that never applied with 0."""
    by_rule = {rule.name: rejected.get(rule.name, 0) for rule in rules}
    return QualityReport(
        read=kept + sum(by_rule.values()),
        kept=kept,
        rejected=by_rule,
        repaired={rule.name: repaired.get(rule.name, 0) for rule in REPAIR_RULES},
        blank_lines=blank_lines,
        unreadable_files=dict(sorted(unreadable_files.items())),
    )
