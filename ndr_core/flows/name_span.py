"""The span of time that a mini-batch is for, as the names of its files tell it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from ndr_core.errors import UsageError, printable, shown
from ndr_core.times import to_us

PATTERNS: Final = {
    # 2024-04-19/conn.10:00:00-11:00:00.log.gz, as zeekctl rotates its logs
    "zeek": r"(?P<Y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)/[^/]*"
    r"\.(?P<H>\d\d):(?P<M>\d\d):\d\d-(?P<H2>\d\d):(?P<M2>\d\d):\d\d\.",
    # ..vpcflowlogs_us-east-1_fl-1234abcd_20180620T1620Z_fe123456.log.gz, as AWS delivers flow logs to S3
    "vpcflow": r"_vpcflowlogs_.*_(?P<Y>\d{4})(?P<m>\d\d)(?P<d>\d\d)T(?P<H>\d\d)(?P<M>\d\d)Z_",
}
"""Preset -> the pattern of the names that its logs usually have."""

_START: Final = ("Y", "m", "d", "H", "M")
_END: Final = ("Y2", "m2", "d2", "H2", "M2")
_LONGEST_PATTERN: Final = 1000


def name_pattern(text: str) -> re.Pattern[str]:
    """Read a pattern: the name of a preset that has one, or a regular expression.

    Its groups Y, m, d, H, M are the start, in UTC; Y2, m2, d2, H2, M2 the end, of which any may be left out: what
    is left out is the start's. M and M2 may be left out, and are 0. Raises UsageError for others.
    """
    source = PATTERNS.get(text, text)
    try:
        pattern = re.compile(source[:_LONGEST_PATTERN])
    except re.error as error:
        raise UsageError(
            f"span-from-name: {shown(text)} is neither a preset ({', '.join(PATTERNS)}) nor a regular "
            f"expression: {error}"
        ) from error
    missing = {"Y", "m", "d", "H"} - set(pattern.groupindex)
    if missing:
        raise UsageError(
            f"span-from-name: {shown(text)} has no group {', '.join(sorted(missing))}; the start takes "
            "(?P<Y>..), (?P<m>..), (?P<d>..), (?P<H>..), (?P<M>..), or give a preset: "
            f"{', '.join(PATTERNS)}"
        )
    return pattern


def span_of_names(pattern: re.Pattern[str], names: Iterable[str]) -> tuple[int, int]:
    """Give the least start and the greatest end of files by their addresses, us since 1970 UTC.

    Raises UsageError for a name that does not fit, or that spells no time.
    """
    spans = [_span(pattern, name) for name in names]
    return min(start for start, _ in spans), max(end for _, end in spans)


def _span(pattern: re.Pattern[str], name: str) -> tuple[int, int]:
    found = pattern.search(name)
    if found is None:
        raise UsageError(
            f"span-from-name: {printable(name)} does not fit the pattern {shown(pattern.pattern)}"
        )
    groups = {key: text for key, text in found.groupdict().items() if text is not None}
    try:
        start = _moment([groups.get(key, "0") for key in _START])
        if not any(key in groups for key in _END):
            return to_us(start), to_us(start + timedelta(hours=1))
        parts = zip(_START, _END, strict=True)
        end = _moment([groups.get(key, groups.get(first, "0")) for first, key in parts])
    except ValueError as error:
        raise UsageError(f"span-from-name: {printable(name)} spells no time: {error}") from error
    if end <= start and "d2" not in groups:
        end += timedelta(days=1)  # 23:00 to 00:00
    if end <= start:
        raise UsageError(f"span-from-name: {printable(name)} ends before it begins")
    return to_us(start), to_us(end)


def _moment(parts: list[str]) -> datetime:
    year, month, day, hour, minute = map(int, parts)
    return datetime(year, month, day, hour, minute, tzinfo=UTC)
