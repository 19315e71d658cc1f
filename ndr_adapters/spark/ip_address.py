"""Canonical text of IP addresses: `ndr_core.ip_address`, compiled for Spark SQL."""

from __future__ import annotations

from ndr_core.ip_address import CANONICAL_IPV4

from ndr_adapters.spark.expr import bound, literal

_GROUP = "[0-9a-f]{1,4}"
_MOST_GROUPS = 8


def matches(text: str, pattern: str) -> str:
    """Whether a whole text matches; Java's `$` would let a final line feed pass."""
    return f"({text} rlike {literal(f'^(?:{pattern})' + chr(92) + 'z')})"


def canonical_ip_sql(text: str) -> str:
    """Canonical form of an address in the column `text`, null for any other text."""
    return (
        f"case when {matches(text, CANONICAL_IPV4)} then {text} "
        f"when contains({text}, ':') then {_ipv6(text)} end"
    )


def _ipv6(text: str) -> str:
    """Rewrites step by step: hexadecimal tail, all eight groups, no leading zeros, `::` for the longest run."""
    steps = [
        ("lowered", f"lower({text})"),
        # A dotted quad at the end stands for the last two groups.
        ("tail", "regexp_extract(lowered, '^[0-9a-f:]*:([0-9.]+)$', 1)"),
        ("quad", "if(contains(tail, '.'), split(tail, '[.]'), null)"),
        (
            "hexed",
            f"case when quad is null then lowered when {matches('tail', CANONICAL_IPV4)} then "
            "concat(substring(lowered, 1, length(lowered) - length(tail)), "
            "lower(hex(cast(quad[0] as bigint) * 256 + cast(quad[1] as bigint))), ':', "
            "lower(hex(cast(quad[2] as bigint) * 256 + cast(quad[3] as bigint)))) end",
        ),
        ("present", f"if({matches('hexed', _ipv6_shape())}, "
                    f"size(filter(split(hexed, ':'), g -> g != '')), null)"),
        ("gap", "contains(hexed, '::')"),
        (
            "full",
            f"case when gap and present < {_MOST_GROUPS} then trim(BOTH ':' FROM replace(hexed, '::', "
            f"concat(':', repeat('0:', {_MOST_GROUPS} - present)))) "
            f"when not gap and present = {_MOST_GROUPS} then hexed end",
        ),
        ("short", r"regexp_replace(full, '(^|:)0{1,3}(?=[0-9a-f])', '$1')"),
    ]
    expression = _compressed("short")
    for name, value in reversed(steps):
        expression = bound(name, value, expression)
    return expression


def _ipv6_shape() -> str:
    """Groups between single colons, with one `::` at most (counted by the caller)."""
    groups = f"{_GROUP}(?::{_GROUP})*"
    return f"{groups}|(?:{groups})?::(?:{groups})?"


def _compressed(text: str) -> str:
    """`::` for the first longest run of at least two zero groups."""
    cases = []
    for length in range(_MOST_GROUPS, 1, -1):
        run = "(?:^|(?<=:))0(?::0){%d}(?=:|$)" % (length - 1)
        replaced = f"regexp_replace({text}, {literal('^(.*?):?' + run + ':?(.*)$')}, '$1::$2')"
        cases.append(f"when {text} rlike {literal(run)} then {replaced}")
    return f"case {' '.join(cases)} else {text} end"
