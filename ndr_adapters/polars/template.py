"""The spelling of lines that one writer wrote: their keys in their order, and the text around their values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.plain_pattern import ANY_VALUE, MAX_KEYS, PLAIN_KEY

_MEMBER: Final = re.compile(rf'"({PLAIN_KEY})"(: ?)({ANY_VALUE})(, ?|\}}$)')
_TIME: Final = re.compile(
    r'"[0-9-]{10}[T ][0-9:]{8}(?:\.([0-9]{1,9}))?(Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9]|)"'
)

_LOOKS: Final = 16
"""Lines of a block to look at."""
_LEAST_SHARE: Final = 6
"""A template is worth its while where one of so many lines has it."""


@frozen
class TimeSpelling:
    """How a time ends, after its seconds: so many digits behind a point, then `offset`."""

    digits: int
    offset: str


@frozen
class Template:
    """How lines are spelt. A line that is cut at `separator` has a piece for each key."""

    keys: tuple[str, ...]
    colon: str
    separator: str
    """Between two pieces: what follows a value, with the quote of the next key."""
    times: tuple[TimeSpelling | None, ...]
    """By key, where the value is a time as text."""

    @classmethod
    def of(cls, line: str) -> Template | None:
        """Tell how a line is spelt; None where it is no flat object of plain keys, evenly spelt."""
        members = list(_members(line))
        if not members or len(members) > MAX_KEYS or members[-1][3] != "}":
            return None
        keys = tuple(key for key, *_ in members)
        colons = {colon for _, colon, _, _ in members}
        separators = {separator for *_, separator in members[:-1]} or {","}
        if len(set(keys)) < len(keys) or len(colons) > 1 or len(separators) > 1:
            return None
        times = tuple(_time_spelling(value) for _, _, value, _ in members)
        return cls(keys, colons.pop(), separators.pop() + '"', times)

    def start(self, number: int) -> str:
        """What the piece of a key begins with."""
        return ("" if number else '{"') + self.keys[number] + '"' + self.colon

    def end(self, number: int) -> str:
        """What the piece of a key ends with, after its value."""
        return "}" if number == len(self.keys) - 1 else ""


def _members(line: str) -> Iterator[tuple[str, str, str, str]]:
    """Key, colon, value and separator of each member, as far as they are plain."""
    place = 1
    while line.startswith("{") and (found := _MEMBER.match(line, place)):
        yield found[1], found[2], found[3], found[4]
        place = found.end()


def _time_spelling(value: str) -> TimeSpelling | None:
    time = _TIME.fullmatch(value)
    return TimeSpelling(len(time[1] or ""), time[2]) if time else None


def common_template(lines: pl.Series) -> Template | None:
    """The template of the most lines, by a look at some of them; None where no template has many."""
    step = max(1, len(lines) // _LOOKS)
    looked_at = lines.gather_every(step).head(_LOOKS).to_list()
    counts = Counter(map(Template.of, looked_at))
    del counts[None]
    if not counts:
        return None
    template, count = counts.most_common(1)[0]
    return template if count * _LEAST_SHARE >= len(looked_at) else None
