"""What a JobSpec says of data quality."""

from __future__ import annotations

from enum import Enum
from typing import Final

from attrs import field, frozen

from ndr_core.errors import Problem, too_many
from ndr_core.flows.record import FIELD_BY_NAME
from ndr_core.times import DAY_US, MINUTE_US, Duration

_MOST_KEYS: Final = 64
"""Far above any use: each key is a column of work for every record."""


class OnUnreadableFile(Enum):
    """What a broken input file does to the run."""

    FAIL = "fail"
    QUARANTINE = "quarantine"


@frozen
class Quality:
    """Data quality: deduplication and the thresholds that fail a run."""

    deduplicate_on: tuple[str, ...] = field(
        default=(),
        metadata={
            "doc": "canonical fields or source columns; records equal in all of them count once",
            "schema": {"maxItems": _MOST_KEYS},
        },
    )
    max_rejected_fraction: float = field(
        default=0.5,
        metadata={
            "doc": "fail, publishing nothing, when a greater share is rejected; non_traffic and duplicate "
            "do not count",
            "schema": {"minimum": 0, "maximum": 1},
        },
    )
    min_records: int = field(
        default=0,
        metadata={
            "doc": "fail, publishing nothing, when fewer records are kept",
            "schema": {"minimum": 0},
        },
    )
    allowed_lateness: Duration = field(
        default=Duration(DAY_US),
        metadata={
            "doc": "with bounds: records whose moment is so much before their start are kept, and counted as late"
        },
    )
    allowed_earliness: Duration = field(
        default=Duration(15 * MINUTE_US),
        metadata={
            "doc": "with bounds: records whose moment is less than that after their end are kept, and counted as "
            "early"
        },
    )
    on_unreadable_file: OnUnreadableFile = field(
        default=OnUnreadableFile.FAIL,
        metadata={
            "doc": "fail: a truncated or broken file fails the run; quarantine: skip, report"
        },
    )

    @property
    def key_columns(self) -> tuple[str, ...]:
        """Source columns that only deduplication reads, each once."""
        names = dict.fromkeys(self.deduplicate_on)
        return tuple(name for name in names if name not in FIELD_BY_NAME)

    def problems(self) -> list[Problem]:
        """List what is wrong, by key; nothing when all is well."""
        found = []
        if len(self.deduplicate_on) > _MOST_KEYS:
            found.append(Problem("deduplicate_on", too_many(len(self.deduplicate_on), _MOST_KEYS)))
        if not 0 <= self.max_rejected_fraction <= 1:
            found.append(Problem("max_rejected_fraction", "must lie between 0 and 1"))
        if self.min_records < 0:
            found.append(Problem("min_records", "must not be negative"))
        return found
