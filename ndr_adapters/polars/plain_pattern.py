"""The pattern of plain lines: those that Polars' own JSON reader provably reads as the core does.

A line that matches is an object whose keys come in an order seen in the first lines (hence none twice), whose
values have the type of their field, without unusual escapes or numbers. A pattern that fits few lines costs time,
never correctness: all others are read carefully.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Final

import polars as pl
from attrs import define, field
from polars.exceptions import ComputeError

from ndr_adapters.polars.token import ANY_VALUE, ASCII_CHAR, CHAR, PLAIN_KEY, Tokens
from ndr_core.flows.key_order import KeyOrder
from ndr_core.flows.leaf import Leaf

MAX_ORDERS: Final = 4
MAX_KEYS: Final = 256
"""Of all orders of a pattern. Polars refuses one of some 450 keys."""


def plain_line_pattern(key_orders: Sequence[KeyOrder], tokens: Tokens) -> str | None:
    """Pattern (Rust syntax) of plain lines; None when no key order is known, or none that Polars can take.

    A line must also end in `}`: the pattern lets the separator after a value be that closing brace.
    """
    orders = merge_orders(key_orders)
    if not orders:
        return None
    pattern = "^(?:" + "|".join(_line(order, tokens) for order in orders) + ")$"
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
    return pattern.replace(CHAR, ASCII_CHAR)


def _line(order: MergedOrder, tokens: Tokens) -> str:
    members = (rf"(?:{_member(key, order, (), tokens)}(?:, ?|\}}$))?" for key in order.total)
    return r"\{" + "".join(members)


def _member(key: str, order: MergedOrder, above: Leaf, tokens: Tokens) -> str:
    """Pattern of a key and its value."""
    leaf = (*above, key)
    value = tokens[leaf].pattern if leaf in tokens else ANY_VALUE
    if any(one[: len(leaf)] == leaf != one for one in tokens):
        value = r"(?:null|\{\})"  # decoded as an object
    if key in order.inner and leaf not in tokens:
        value = rf"(?:{_object(order.inner[key], leaf, tokens)}|{value})"
    return rf'"{re.escape(key)}": ?{value}'


def _object(order: MergedOrder, leaf: Leaf, tokens: Tokens) -> str:
    """Pattern of an inner object that has one key which all of its kind have: the others are around that one."""
    members = [_member(key, order, leaf, tokens) for key in order.total]
    place = order.total.index(order.common)
    before = "".join(f"(?:{one}, ?)?" for one in members[:place])
    after = "".join(f"(?:, ?{one})?" for one in members[place + 1 :])
    return rf"\{{{before}{members[place]}{after}\}}"


def merge_orders(key_orders: Iterable[KeyOrder]) -> list[MergedOrder]:
    """Few key orders that contain the given ones, the first ones first, as subsequences.

    At most MAX_ORDERS of them, of MAX_KEYS keys in all; what fits in no more is left out, and so are keys
    that need escapes. Lines in an order that was left out are read carefully.
    """
    merged: list[MergedOrder] = []
    room = MAX_KEYS
    for order in key_orders:
        if not order or not _is_plain(order):
            continue
        for group in merged:
            new = group.new_keys(order)
            if new <= room and group.takes(order):
                room -= new
                break
        else:
            size = MergedOrder().new_keys(order)
            if len(merged) < MAX_ORDERS and size <= room:
                merged.append(MergedOrder())
                merged[-1].takes(order)
                room -= size
    return merged


def _is_plain(order: KeyOrder) -> bool:
    """Whether all keys are spelt without escapes."""
    return all(
        re.fullmatch(PLAIN_KEY, _key(member)) is not None
        and (isinstance(member, str) or _is_plain(member[1]))
        for member in order
    )


def _key(member: str | tuple[str, KeyOrder]) -> str:
    return member if isinstance(member, str) else member[0]


@define
class MergedOrder:
    """Key orders that one order contains, as the keys that come right before each key in one of them."""

    before: dict[str, set[str]] = field(factory=dict)
    inner: dict[str, MergedOrder] = field(factory=dict)
    """The orders of the keys of inner objects, by the key of the object."""
    total: tuple[str, ...] = ()
    in_all: set[str] | None = None
    """Keys that all of the orders have."""

    @property
    def common(self) -> str:
        """A key that all of the orders have, if there is one; else their first."""
        return next((key for key in self.total if key in (self.in_all or ())), self.total[0])

    def new_keys(self, order: KeyOrder) -> int:
        """How many keys it does not have yet, those of inner objects included."""
        found = 0
        for member in order:
            found += _key(member) not in self.before
            if not isinstance(member, str):
                found += self.inner.get(member[0], MergedOrder()).new_keys(member[1])
        return found

    def takes(self, order: KeyOrder) -> bool:
        """Take one order more, where no two orders contradict each other then."""
        before = {key: set(keys) for key, keys in self.before.items()}
        keys = [_key(member) for member in order]
        for key in keys:
            before.setdefault(key, set())
        for left, right in pairwise(keys):
            before[right].add(left)
        inner = {key: one.copied() for key, one in self.inner.items()}
        for member in order:
            if not isinstance(member, str) and not inner.setdefault(member[0], MergedOrder()).takes(
                member[1]
            ):
                return False
        try:
            self.total = tuple(TopologicalSorter(before).static_order())
        except CycleError:
            return False
        self.before, self.inner = before, inner
        self.in_all = set(keys) if self.in_all is None else self.in_all & set(keys)
        return True

    def copied(self) -> MergedOrder:
        """A copy that can take orders by itself."""
        found = MergedOrder(self.before, self.inner, self.total, self.in_all)
        return found
