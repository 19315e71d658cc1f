"""S3's own clock, by which the age of what lies in S3 is known; that of a machine may be wrong."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from ndr_core.errors import UsageError

_TOLERANCE: Final = timedelta(minutes=15)
"""As far as S3 itself lets a clock be off."""


def answered_at(answer: Mapping[str, Any]) -> datetime | None:
    """When S3 answered, by its clock; None where it does not say."""
    text = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def check_clock(server: datetime) -> None:
    """Raise UsageError where this machine's clock is far from S3's."""
    ahead = datetime.now(UTC).replace(microsecond=0) - server
    if abs(ahead) > _TOLERANCE:
        seconds = int(abs(ahead).total_seconds())
        apart = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        side = "ahead of" if ahead > timedelta(0) else "behind"
        raise UsageError(
            f"the clock of this machine is {apart} {side} the one of S3; set it, and run this again"
        )
