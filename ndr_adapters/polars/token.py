"""How values are spelt on lines that need no care, as patterns of Rust's regular expressions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final

import polars as pl

from ndr_core.flows.ip_address import CANONICAL_IPV4
from ndr_core.flows.leaf import Leaf
from ndr_core.flows.mapping import FieldSource, InputMapping
from ndr_core.flows.record import FieldKind
from ndr_core.flows.time_format import TimeFormat, TimePattern
from ndr_core.flows.values import NUMBER as ANY_NUMBER

PLAIN_KEY: Final = r"[A-Za-z0-9_.@/:\- ]+"
"""A key that is spelt as it is, without escapes."""
CHAR: Final = r'[^"\\\x00-\x1f]'
ASCII_CHAR: Final = r"[ !#-\[\]-\x7f]"
_CHARS: Final = rf'(?:{CHAR}|\\["\\/bfnrt])*'
_STRING: Final = f'"{_CHARS}"'
INTEGER: Final = r"(?:0|-?[1-9][0-9]{0,17})"
_LONG: Final = "-?[1-8][0-9]{18}"
"""A whole number of nanoseconds of this century, which 64 bits hold."""
NANOSECONDS: Final = rf"(?:0|-?[1-9][0-9]{{0,17}}|{_LONG})"
NUMBER: Final = r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?(?:[eE][+-]?[0-9]{1,2})?"
_SCALAR: Final = f"(?:{_STRING}|{_LONG}|{NUMBER}|true|false|null)"
ANY_VALUE: Final = rf"(?:{_SCALAR}|\[(?:{_SCALAR}(?:, ?{_SCALAR})*)?\]|\{{\}})"
IPV4_OR_COLON: Final = rf"(?:{CANONICAL_IPV4}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*)"
PLAIN_TIME: Final = (
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])[T ]"
    r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"
    r"(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])?"
)
"""Times in ISO-8601 as most writers spell them."""

# Of other names than the tokens, which hide them below.
_BARE_INTEGER: Final = INTEGER
_BARE_NANOSECONDS: Final = NANOSECONDS
_IS_NUMBER: Final = re.compile(ANY_NUMBER)
_NS: Final = ((TimeFormat.EPOCH_NS,), (TimeFormat.DURATION_NS,))


class Token(Enum):
    """How a mapped column is spelt on a plain line: (pattern of its value, type to decode it as)."""

    IP = (f'"{IPV4_OR_COLON}"', pl.String())
    TEXT = (f"(?:{_STRING}|{INTEGER})", pl.String())
    STRING = (_STRING, pl.String())
    INTEGER = (f'(?:{INTEGER}|"{INTEGER}")', pl.String())
    BARE_INTEGER = (_BARE_INTEGER, pl.Int64())
    NANOSECONDS = (f'(?:{NANOSECONDS}|"{NANOSECONDS}")', pl.String())
    BARE_NANOSECONDS = (_BARE_NANOSECONDS, pl.Int64())
    NUMBER = (NUMBER, pl.Float64())
    ISO_TIME = (f'"{PLAIN_TIME}"', pl.String())
    TIME = (f"(?:{_STRING}|{NUMBER}|{_BARE_NANOSECONDS})", pl.String())

    @property
    def pattern(self) -> str:
        return rf"(?:{self.value[0]}|null)"

    @property
    def dtype(self) -> pl.DataType:
        dtype: pl.DataType = self.value[1]
        return dtype


Tokens = Mapping[Leaf, Token]
_MOST_COMBINATIONS: Final = 1 << 16


def is_wide(source: FieldSource) -> bool:
    """Whether a field's map tells too many combinations of values apart for a table of all."""
    return source.map is not None and source.map.combinations > _MOST_COMBINATIONS


def column_tokens(mapping: InputMapping, key_columns: Sequence[str]) -> dict[Leaf, Token] | None:
    """Token of each leaf to decode; None if one has to be read in two ways, or can't be decoded as one type."""
    # Once decoded, the number 10 is the text 10, which may stand for no value: the number never does.
    is_bare = any(map(_IS_NUMBER.fullmatch, mapping.null_values))
    of_text = Token.STRING if is_bare else Token.TEXT
    tokens: dict[Leaf, Token] = {}
    for flow_field, source in mapping.bound_fields():
        if is_wide(source) and len(source.inputs) > 1:
            return None
        token = _token(flow_field.kind, source, mapping.timezone is not None, of_text)
        token = _BARE.get(token, token) if is_bare else token
        for leaf in (leaf for leaves in source.inputs for leaf in leaves):
            if token is None or tokens.setdefault(leaf, token) is not token:
                return None
    for leaf in ((name,) for name in key_columns):
        if tokens.setdefault(leaf, of_text) is not of_text:
            return None
    for condition in mapping.only.conditions:
        token = tokens.setdefault(condition.leaf, of_text)
        if condition.present is None and token is not of_text:
            return None
    prefixes = {leaf[:length] for leaf in tokens for length in range(1, len(leaf))}
    return None if prefixes & tokens.keys() else tokens


_BARE: Final[Mapping[Token | None, Token]] = {
    Token.INTEGER: Token.BARE_INTEGER,
    Token.NANOSECONDS: Token.BARE_NANOSECONDS,
}
"""Tokens of numbers alone, where others may be texts of numbers."""


def _token(kind: FieldKind, source: FieldSource, has_zone: bool, of_text: Token) -> Token | None:
    match kind:
        case FieldKind.IP:
            return Token.IP
        case FieldKind.INTEGER:
            return Token.INTEGER
        case FieldKind.TEXT:
            return of_text
    if source.format in _NS:
        return Token.NANOSECONDS
    if source.format == (TimeFormat.ISO8601,) and not has_zone:
        return Token.ISO_TIME
    if not any(one.is_number for one in source.format):
        return Token.STRING
    if len(source.format) == 1:
        return Token.NUMBER
    # Once decoded, a number is a text: it must neither stand for no value, nor fit a pattern.
    may_be_text = of_text is not Token.TEXT or any(
        isinstance(one, TimePattern) and not _has_mark(one) for one in source.format
    )
    return None if may_be_text else Token.TIME


def _has_mark(pattern: TimePattern) -> bool:
    """Whether the texts of a pattern have a character that no number has."""
    return any(mark in pattern.text for mark in "/: _T")
