"""Canonical text of IP addresses: `ndr_core.ip_address`, compiled for Spark SQL."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame

from ndr_adapters.spark.sql.expr import Sql, literal, matches, quoted
from ndr_core.flows.ip_address import CANONICAL_IPV4, ZONE

_GROUP = "[0-9a-f]{1,4}"
_MOST_GROUPS = 8
_MAPPED_IPV4 = f"^0:0:0:0:0:ffff:{_GROUP}:{_GROUP}$"
_NOT_ZERO = "[1-9a-f][0-9a-f]{0,3}"
_NOT_ZEROS = f"{_NOT_ZERO}(?::{_NOT_ZERO})*"
_PLAIN_IPV6 = (
    # One `::`, six other groups at most (as many colons), none of them zero; or eight groups, none zero. None that
    # stands for an address of IPv4.
    f"(?!::ffff:[^:]*:[^:]*$)(?=.*::)(?!(?:[^:]*:){{7}})(?:{_NOT_ZEROS})?::(?:{_NOT_ZEROS})?"
    f"|{_NOT_ZERO}(?::{_NOT_ZERO}){{7}}"
)


def is_plain_ip(text: Sql) -> Sql:
    """Whether a text is an address in canonical form, for all IPv4 and the usual kinds of IPv6."""
    ipv6, ipv4 = matches(text, _PLAIN_IPV6), matches(text, CANONICAL_IPV4)
    return Sql(f"if(contains({text}, ':'), {ipv6}, {ipv4})")


def canonical_ips(frame: DataFrame, names: Sequence[str]) -> DataFrame:
    """`frame` with the addresses in the columns `names` in canonical form, null for any other text.

    An IPv6 address is rewritten step by step, one projection each, which are null for all other texts:
    hexadecimal tail, all eight groups, no leading zeros, `::` for the longest run.
    """
    staged = frame
    for step, template in _ipv6_steps():
        values = (f"{template.replace('@', name)} as {quoted(f'{name}:{step}')}" for name in names)
        staged = staged.selectExpr("*", *values)
    return staged.selectExpr(
        *(
            f"if({matches(Sql(name), CANONICAL_IPV4)}, {name}, {quoted(f'{name}:canonical')}) as {name}"
            if name in names
            else quoted(name)
            for name in frame.columns
        )
    )


def _ipv6_steps() -> list[tuple[str, str]]:
    """(name, value) of each step; `@` stands for the address's column."""
    quad = matches(Sql("`@:tail`"), CANONICAL_IPV4)
    head = "substring(`@:lowered`, 1, length(`@:lowered`) - length(`@:tail`))"
    two_groups = ", ':', ".join(
        f"lower(hex(cast(`@:quad`[{high}] as bigint) * 256 + cast(`@:quad`[{high + 1}] as bigint)))"
        for high in (0, 2)
    )
    one_letter_each = "regexp_replace(`@:hexed`, '[0-9a-f]+', 'g')"
    is_ipv6 = matches(Sql("`@:hexed`"), _ipv6_shape())
    zeros = f"replace(`@:hexed`, '::', concat(':', repeat('0:', {_MOST_GROUPS} - `@:present`)))"
    has_gap = "contains(`@:hexed`, '::')"
    return [
        ("lowered", f"if(contains(@, ':'), lower({_without_zone('@')}), null)"),
        # A dotted quad at the end stands for the last two groups.
        ("tail", "regexp_extract(`@:lowered`, '^[0-9a-f:]*:([0-9.]+)$', 1)"),
        ("quad", "if(contains(`@:tail`, '.'), split(`@:tail`, '[.]'), null)"),
        (
            "hexed",
            "case when `@:quad` is null then `@:lowered` "
            f"when {quad} then concat({head}, {two_groups}) end",
        ),
        (
            "present",
            f"if({is_ipv6}, length(replace({one_letter_each}, ':', '')), null)",
        ),
        (
            "full",
            f"case when {has_gap} and `@:present` < {_MOST_GROUPS} then trim(BOTH ':' FROM {zeros}) "
            f"when not {has_gap} and `@:present` = {_MOST_GROUPS} then `@:hexed` end",
        ),
        ("short", r"regexp_replace(`@:full`, '(^|:)0{1,3}(?=[0-9a-f])', '$1')"),
        ("ipv4", f"regexp_extract(`@:short`, {literal(_MAPPED_IPV4)}, 0)"),
        (
            "canonical",
            f"if(`@:ipv4` != '', {_dotted('`@:ipv4`')}, {_compressed(Sql('`@:short`'))})",
        ),
    ]


def _without_zone(text: str) -> Sql:
    return Sql(f"regexp_replace({text}, {literal(ZONE + chr(92) + 'z')}, '')")


def _dotted(groups: str) -> Sql:
    """The IPv4 address that eight groups stand for."""
    octets = []
    for place in (7, 8):
        number = f"cast(conv(split_part({groups}, ':', {place}), 16, 10) as int)"
        octets += [f"{number} div 256", f"{number} % 256"]
    return Sql(f"concat_ws('.', {', '.join(octets)})")


def _ipv6_shape() -> str:
    """Groups between single colons, with one `::` at most (counted by the caller)."""
    groups = f"{_GROUP}(?::{_GROUP})*"
    return f"{groups}|(?:{groups})?::(?:{groups})?"


def _compressed(text: Sql) -> Sql:
    """`::` for the first longest run of at least two zero groups."""
    cases = []
    for length in range(_MOST_GROUPS, 1, -1):
        run = f"(?:^|(?<=:))0(?::0){{{length - 1}}}(?=:|$)"
        replaced = f"regexp_replace({text}, {literal('^(.*?):?' + run + ':?(.*)$')}, '$1::$2')"
        cases.append(f"when {text} rlike {literal(run)} then {replaced}")
    return Sql(f"case {' '.join(cases)} else {text} end")
