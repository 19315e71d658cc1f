"""The span of time that a mini-batch is for, read from the names of its files."""

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
    """Read a pattern: the name of a preset that has one, or a regular expression with groups.

    Y, m, d, H, M are the start, in UTC; without M it is a full hour. Y2, m2, d2, H2, M2 are the end; what is left out
    of them is as in the start, and without any the end is one hour later. Raises UsageError for any other text.
    """
    source = PATTERNS.get(text, text)
    if len(source) > _LONGEST_PATTERN:
        raise UsageError(
            f"span-from-name: the pattern has {len(source)} characters; at most {_LONGEST_PATTERN} are possible"
        )
    try:
        pattern = re.compile(source)
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
    """Give the least start and the greatest end that the addresses of files tell, us since 1970 UTC.

    Raises UsageError for a name that does not fit or spells no time, and where there are no names.
    """
    spans = [_span(pattern, name) for name in names]
    if not spans:
        raise UsageError("span-from-name: the input has no file whose name could tell the span")
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
        if end <= start and "d2" not in groups:  # 23:00 to 00:00, or 10:45 to :00
            end += timedelta(days=1) if "H2" in groups else timedelta(hours=1)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"span-from-name: {printable(name)} spells no time: {error}") from error
    if end <= start:
        raise UsageError(f"span-from-name: {printable(name)} ends before it begins")
    return to_us(start), to_us(end)


def _moment(parts: list[str]) -> datetime:
    year, month, day, hour, minute = map(int, parts)
    return datetime(year, month, day, hour, minute, tzinfo=UTC)
