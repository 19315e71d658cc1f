"""Counters that a JobSpec defines: which sessions each counts, as data and as a condition of the core."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import reduce
from typing import Any, Final

from attrs import field, frozen

from ndr_core.errors import Problem, printable, shown, too_many
from ndr_core.expressions.expr import Expr, col, lit
from ndr_core.flows.record import FIELD_BY_NAME, MAX_PORT
from ndr_core.names import whole
from ndr_core.times import LAST_DAY, SECOND_US, TIME_LIMIT_US

COUNTER_ENDING: Final = "_cnt"
"""The end of each counter's name. So none is that of a column that engines need while they build."""

_MOST_TEXTS: Final = 256
"""Far above any use: each is compared with the text of every record."""
_LEAST_RANGE: Final = 3
"""So many ports in a row are compared by their ends, fewer one by one."""
_ANY_ENDING: Final = "*"

_TEXT_FIELDS: Final = ("event_action", "event_reason", "event_name", "network_transport")

_LENGTHS: Final = r"(?:<=|>=|<|>) ?[0-9]{1,10}(?:\.[0-9]{1,6})?"
LENGTHS: Final = f"{_LENGTHS}(?: {_LENGTHS})*"
"""Comparisons of a length of time with seconds, as one pattern of the whole text."""
_COMPARISON: Final = re.compile(r"(<=|>=|<|>) ?([0-9]+)(?:\.([0-9]+))?")
_COMPARE: Final[Mapping[str, Callable[[Expr, int], Expr]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

_SOME: Final = {"minItems": 1, "maxItems": _MOST_TEXTS}


@frozen
class Counter:
    """Which sessions a counter counts: those that fit in each of its keys, in one of the values of the key.

    A session of which a key is not known does not fit in it.
    """

    event_action: tuple[str, ...] | None = field(
        default=None, metadata={"doc": "actions; `reset*` is each that begins so", "schema": _SOME}
    )
    event_reason: tuple[str, ...] | None = field(
        default=None,
        metadata={"doc": "reasons; `tcp-rst*` is each that begins so", "schema": _SOME},
    )
    event_name: tuple[str, ...] | None = field(
        default=None,
        metadata={"doc": "names of records; `TRA*` is each that begins so", "schema": _SOME},
    )
    network_transport: tuple[str, ...] | None = field(
        default=None, metadata={"doc": "transports, such as TCP", "schema": _SOME}
    )
    peer_port: frozenset[int] | None = field(
        default=None,
        metadata={
            "doc": "service ports, and ranges such as '1024-65535'",
            "schema": {"minItems": 1},
        },
    )
    duration_s: str | None = field(
        default=None,
        metadata={
            "doc": "comparisons of the session's length with seconds, which all must be true: '<0.2', '>=1 <5'",
            "schema": {"pattern": whole(LENGTHS)},
        },
    )

    def problems(self) -> list[Problem]:
        """List what is wrong, by key; nothing when all is well."""
        found = [problem for name in _TEXT_FIELDS for problem in self._text_problems(name)]
        if self.peer_port is not None:
            if not self.peer_port:
                found.append(Problem("peer_port", "needs at least one port"))
            if any(not 0 <= port <= MAX_PORT for port in self.peer_port):
                found.append(Problem("peer_port", f"ports lie between 0 and {MAX_PORT}"))
        if self.duration_s is not None:
            found += self._duration_problems(self.duration_s)
        if self == Counter():
            keys = ", ".join((*_TEXT_FIELDS, "peer_port", "duration_s"))
            found.append(Problem("", f"needs at least one of {keys}"))
        return found

    def _text_problems(self, name: str) -> Iterator[Problem]:
        texts: tuple[str, ...] | None = getattr(self, name)
        if texts is None:
            return
        if not texts:
            yield Problem(name, "needs at least one text")
        if len(texts) > _MOST_TEXTS:
            yield Problem(name, too_many(len(texts), _MOST_TEXTS))
        for text in texts:
            if _ANY_ENDING in text[:-1]:
                yield Problem(name, f"{shown(text)} has a * that is not at its end")

    @staticmethod
    def _duration_problems(text: str) -> Iterator[Problem]:
        if re.fullmatch(LENGTHS, text) is None:
            yield Problem(
                "duration_s",
                f"{shown(text)} is no comparison with seconds such as '<0.2' or '>=1 <5': <, <=, > or >=, and a "
                "number with at most 6 digits behind the point",
            )
        elif any(us > TIME_LIMIT_US for _, us in _comparisons(text)):
            yield Problem("duration_s", f"is longer than the time from 1970 to {LAST_DAY}")

    def condition(self) -> Expr:
        """Give what is true of the sessions that it counts, over what a role sees. It must have no problems."""
        parts = [_any_of(col(name), texts) for name in _TEXT_FIELDS if (texts := self._texts(name))]
        if self.peer_port is not None:
            parts.append(_among(col("peer_port"), self.peer_port))
        if self.duration_s is not None:
            length = col("duration_us")
            parts += [_COMPARE[sign](length, us) for sign, us in _comparisons(self.duration_s)]
        return reduce(operator.and_, parts) if parts else lit(True)

    def to_plain(self) -> dict[str, Any]:
        """Give plain data that is the same for counters that count the same, however they were written."""
        plain: dict[str, Any] = {name: self._texts(name) for name in _TEXT_FIELDS}
        plain["peer_port"] = [
            low if low == high else f"{low}-{high}" for low, high in _ranges(self.peer_port or ())
        ]
        if self.duration_s is not None:
            plain["duration_s"] = " ".join(
                f"{sign}{_seconds(us)}" for sign, us in sorted(set(_comparisons(self.duration_s)))
            )
        return {key: value for key, value in plain.items() if value}

    def meaning(self) -> str:
        """Say in words which sessions it counts."""
        conditions = (
            f"{key} {value if isinstance(value, str) else ' or '.join(map(str, value))}"
            for key, value in self.to_plain().items()
        )
        return printable(f"sessions with {', '.join(conditions)}")

    def _texts(self, name: str) -> list[str]:
        """The texts of a key in the form in which records have them, sorted."""
        case = FIELD_BY_NAME[name].case
        return sorted({case.of(text) for text in getattr(self, name) or ()})


def _any_of(value: Expr, texts: Iterable[str]) -> Expr:
    """Whether a text is one of some, of which each that ends with * stands for those that begin so."""
    whole = {text for text in texts if not text.endswith(_ANY_ENDING)}
    begins = [text.removesuffix(_ANY_ENDING) for text in texts if text not in whole]
    parts = [value.is_in(whole)] if whole else []
    return reduce(operator.or_, [*parts, *map(value.starts_with, begins)])


def _among(value: Expr, ports: Iterable[int]) -> Expr:
    """Whether a port is one of some."""
    single: set[int] = set()
    parts: list[Expr] = []
    for low, high in _ranges(ports):
        if high - low + 1 < _LEAST_RANGE:
            single.update((low, high))
        else:
            parts.append((value >= low) & (value <= high))
    return reduce(operator.or_, [value.is_in(single), *parts] if single else parts)


def _ranges(ports: Iterable[int]) -> list[tuple[int, int]]:
    """Ports in ascending order, those in a row as one range."""
    found: list[tuple[int, int]] = []
    for port in sorted(ports):
        if found and found[-1][1] == port - 1:
            found[-1] = (found[-1][0], port)
        else:
            found.append((port, port))
    return found


def _comparisons(text: str) -> list[tuple[str, int]]:
    """The comparisons of a text that matches LENGTHS: sign, and length of time in us."""
    return [
        (sign, int(whole) * SECOND_US + int(part.ljust(6, "0")))
        for sign, whole, part in _COMPARISON.findall(text)
    ]


def _seconds(us: int) -> str:
    """A length of time in seconds, exactly, without zeros at its end."""
    whole, part = divmod(us, SECOND_US)
    return f"{whole}.{part:06}".rstrip("0").rstrip(".")
