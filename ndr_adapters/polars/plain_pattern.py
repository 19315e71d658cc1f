"""The pattern of plain lines: those that Polars' own JSON reader provably reads as the core does.

A line that matches is a flat object whose keys come in an order seen in the first lines (hence none twice), whose
values have the type of their field, without unusual escapes or numbers. A pattern that fits few lines costs time,
never correctness: all others are read carefully.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Final

import polars as pl
from attrs import define, field
from polars.exceptions import ComputeError

from ndr_core.flows.ip_address import CANONICAL_IPV4
from ndr_core.flows.key_order import KeyOrder
from ndr_core.flows.mapping import InputMapping
from ndr_core.flows.record import FieldKind
from ndr_core.flows.time_format import Format, TimeFormat
from ndr_core.flows.value_map import Default

MAX_ORDERS: Final = 4
MAX_KEYS: Final = 256
"""Of all orders of a pattern. Polars refuses one of some 450 keys."""
PLAIN_KEY: Final = r"[A-Za-z0-9_.@/:\- ]+"
"""Pattern of a key that is spelt as it is, without escapes."""

_CHAR = r'[^"\\\x00-\x1f]'
_ASCII_CHAR = r"[ !#-\[\]-\x7f]"
_CHARS = rf'(?:{_CHAR}|\\["\\/bfnrt])*'
_STRING = f'"{_CHARS}"'
INTEGER: Final = r"(?:0|-?[1-9][0-9]{0,17})"
NUMBER: Final = r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?(?:[eE][+-]?[0-9]{1,2})?"
_IS_INTEGER: Final = re.compile(INTEGER)
_SCALAR = f"(?:{_STRING}|{NUMBER}|true|false|null)"
ANY_VALUE: Final = rf"(?:{_SCALAR}|\[(?:{_SCALAR}(?:, ?{_SCALAR})*)?\])"


PLAIN_TIME: Final = (
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])[T ]"
    r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"
    r"(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])?"
)
"""Times in ISO-8601 as most writers spell them."""


class Token(Enum):
    """How a mapped column is spelt on a plain line: (pattern of its value, type to decode it as)."""

    IP = (rf'"(?:{CANONICAL_IPV4}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*)"', pl.String())
    TEXT = (f"(?:{_STRING}|{INTEGER})", pl.String())
    STRING = (_STRING, pl.String())
    INTEGER = (INTEGER, pl.Int64())
    NUMBER = (NUMBER, pl.Float64())
    ISO_TIME = (f'"{PLAIN_TIME}"', pl.String())

    @property
    def pattern(self) -> str:
        return rf"(?:{self.value[0]}|null)"

    @property
    def dtype(self) -> pl.DataType:
        dtype: pl.DataType = self.value[1]
        return dtype


def column_tokens(mapping: InputMapping, key_columns: Sequence[str]) -> dict[str, Token] | None:
    """Token of each source column to decode; None if one column has to be read in two ways, or takes more care."""
    if not _is_flat(mapping):
        return None
    # Once decoded, the number 10 is the text 10, which may stand for no value: the number never does.
    of_text = Token.STRING if any(map(_IS_INTEGER.fullmatch, mapping.null_values)) else Token.TEXT
    wanted = [
        (source.column, _token(flow_field.kind, source.format, of_text))
        for flow_field, source in mapping.bound_fields()
        if source.column is not None
    ]
    tokens: dict[str, Token] = {}
    for column, token in [*wanted, *((name, of_text) for name in key_columns)]:
        if tokens.setdefault(column, token) is not token:
            return None
    return tokens


def _is_flat(mapping: InputMapping) -> bool:
    """Whether each field is read from one column, by one format, and each record."""
    return not (mapping.only.conditions or mapping.timezone) and all(
        source.column is not None
        and (source.map is None or source.map.default is Default.KEEP)
        and all(isinstance(one, TimeFormat) for one in source.format)
        and not {TimeFormat.EPOCH_NS, TimeFormat.DURATION_NS} & set(source.format)
        and len(source.format) < 2
        and not (source.is_duration and flow_field.name != "event_end")
        for flow_field, source in mapping.bound_fields()
    )


def _token(kind: FieldKind, formats: Sequence[Format], of_text: Token) -> Token:
    match kind:
        case FieldKind.IP:
            return Token.IP
        case FieldKind.INTEGER:
            return Token.INTEGER
        case FieldKind.TIMESTAMP:
            return Token.ISO_TIME if TimeFormat.ISO8601 in formats else Token.NUMBER
    return of_text


def plain_line_pattern(key_orders: Sequence[KeyOrder], tokens: Mapping[str, Token]) -> str | None:
    """Pattern (Rust syntax) of plain lines; None when no key order is known, or none that Polars can take.

    A line must also end in `}`: the pattern lets the separator after a value be that closing brace.
    """
    orders = merge_orders(key_orders)
    if not orders:
        return None
    pattern = "^(?:" + "|".join(_object(order, tokens) for order in orders) + ")$"
    return pattern if _is_taken(pattern) else None


def _is_taken(pattern: str) -> bool:
    """Whether Polars takes a pattern, which it refuses where its compiled form gets too large."""
    try:
        pl.Series([""]).str.contains(pattern)
    except ComputeError:
        return False
    return True


def ascii_part(pattern: str) -> str:
    """Pattern of the plain lines of ASCII alone, which Polars' regular expressions look through twice as fast."""
    return pattern.replace(_CHAR, _ASCII_CHAR)


def _object(order: Sequence[str], tokens: Mapping[str, Token]) -> str:
    members = (
        rf'(?:"{re.escape(key)}": ?{tokens[key].pattern if key in tokens else ANY_VALUE}(?:, ?|\}}$))?'
        for key in order
    )
    return r"\{" + "".join(members)


def merge_orders(key_orders: Sequence[KeyOrder]) -> list[tuple[str, ...]]:
    """Few key orders that contain the given ones, the first ones first, as subsequences.

    At most MAX_ORDERS of them, of MAX_KEYS keys in all; what fits in no more is left out, and so are keys
    that need escapes. Lines in an order that was left out are read carefully.
    """
    merged: list[_Merged] = []
    room = MAX_KEYS
    for given in key_orders:
        order = tuple(key for key in given if isinstance(key, str) and re.fullmatch(PLAIN_KEY, key))
        if not order or len(order) < len(given):
            continue
        for group in merged:
            new = len(set(order) - group.before.keys())
            if new <= room and group.takes(order):
                room -= new
                break
        else:
            if len(merged) < MAX_ORDERS and len(order) <= room:
                merged.append(_Merged())
                merged[-1].takes(order)
                room -= len(order)
    return [group.total for group in merged]


@define
class _Merged:
    """Key orders that one order contains, as the keys that come right before each key in one of them."""

    before: dict[str, set[str]] = field(factory=dict)
    total: tuple[str, ...] = ()

    def takes(self, order: tuple[str, ...]) -> bool:
        """Take one order more, where no two orders contradict each other then."""
        before = {key: set(keys) for key, keys in self.before.items()}
        for key in order:
            before.setdefault(key, set())
        for left, right in pairwise(order):
            before[right].add(left)
        try:
            self.total = tuple(TopologicalSorter(before).static_order())
        except CycleError:
            return False
        self.before = before
        return True
