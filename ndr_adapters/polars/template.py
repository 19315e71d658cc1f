"""The spelling of lines that one writer wrote: their keys in their order, and the text around their values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.plain_pattern import MAX_KEYS
from ndr_adapters.polars.time_spelling import TimeSpelling, time_spelling
from ndr_adapters.polars.token import ANY_VALUE, PLAIN_KEY
from ndr_core.flows.leaf import Leaf
from ndr_core.flows.time_format import Format

_KEY: Final = re.compile(rf'"({PLAIN_KEY})": ?')
_VALUE: Final = re.compile(ANY_VALUE)
_SEPARATOR: Final = re.compile(", ?")

_LOOKS: Final = 16
"""Lines of a block to look at."""
_LEAST_SHARE: Final = 6
"""A template is worth its while where one of so many lines has it."""
_MAX_DEPTH: Final = 16

Times = Mapping[Leaf, tuple[Format, ...]]
"""The formats of the leaves that hold times."""


@frozen
class Frame:
    """The keys of lines, and the text around their values."""

    leaves: tuple[Leaf, ...]
    starts: tuple[str, ...]
    """What the piece of a key begins with, before its value."""
    ends: tuple[str, ...]
    """What it ends with, after its value."""
    separator: str
    """Between two pieces: what follows one, with the quote of the next key."""


@frozen
class Spelling:
    """How the value of a key is spelt."""

    is_quoted: bool = False
    time: TimeSpelling | None = None
    """Of a time as text, by the first of its formats that has that form."""


@frozen
class Template:
    """How lines are spelt. A line that is cut at the separator has a piece for each key."""

    frame: Frame
    spellings: tuple[Spelling | None, ...]
    """By key; None where no value was seen."""

    @classmethod
    def of(cls, line: str, times: Times) -> Template | None:
        """Tell how a line is spelt; None where it is no object of plain keys, each once, evenly spelt."""
        found = _Scan(line)
        if not found.scan():
            return None
        frame = Frame(
            tuple(found.leaves),
            tuple(found.starts),
            tuple(found.ends),
            (found.separators.pop() if found.separators else ",") + '"',
        )
        spellings = map(_spelling, found.values, (times.get(leaf, ()) for leaf in found.leaves))
        return cls(frame, tuple(spellings))

    def filled(self, others: Iterable[Template]) -> Template:
        """The same, each value spelt as in most of some templates of that frame."""
        columns = zip(*(one.spellings for one in others), strict=True)
        return Template(self.frame, tuple(map(_most_common, columns)))


class _Scan:
    """Reads a line piece by piece."""

    def __init__(self, line: str) -> None:
        self.line = line
        self.leaves: list[Leaf] = []
        self.starts: list[str] = []
        self.values: list[str] = []
        self.ends: list[str] = []
        self.separators: set[str] = set()

    def scan(self) -> bool:
        """Whether the whole line is plain."""
        line, place, piece = self.line, 1, 0
        path: list[str] = []
        seen: list[set[str]] = [set()]
        while line.startswith("{") and (key := _KEY.match(line, place)):
            name, place = key[1], key.end()
            if name in seen[-1] or len(path) > _MAX_DEPTH or len(self.leaves) == MAX_KEYS:
                return False
            seen[-1].add(name)
            if line.startswith('{"', place):
                path.append(name)
                seen.append(set())
                place += 1
                continue
            value = _VALUE.match(line, place)
            if value is None:
                return False
            self.leaves.append((*path, name))
            self.starts.append(line[piece:place])
            self.values.append(value[0])
            place = value.end()
            while path and line.startswith("}", place):
                path.pop()
                seen.pop()
                place += 1
            if line[place:] == "}":
                self.ends.append(line[value.end() :])
                return not path and len(self.separators) < 2
            self.ends.append(line[value.end() : place])
            separator = _SEPARATOR.match(line, place)
            if separator is None:
                return False
            self.separators.add(separator[0])
            place = separator.end()
            piece = place + 1  # behind the quote of the next key, which is part of the separator
        return False


def _spelling(value: str, formats: Sequence[Format]) -> Spelling | None:
    if value == "null":
        return None
    return Spelling(value.startswith('"'), time_spelling(value, formats) if formats else None)


def _most_common(spellings: Sequence[Spelling | None]) -> Spelling | None:
    counts = Counter(one for one in spellings if one is not None)
    return counts.most_common(1)[0][0] if counts else None


def common_template(lines: pl.Series, times: Times) -> Template | None:
    """The template of the most lines, by a look at some of them; None where no template has many."""
    step = max(1, len(lines) // _LOOKS)
    looked_at = lines.gather_every(step).head(_LOOKS).to_list()
    found = [one for line in looked_at if (one := Template.of(line, times)) is not None]
    counts = Counter(one.frame for one in found)
    if not counts:
        return None
    frame, count = counts.most_common(1)[0]
    if count * _LEAST_SHARE < len(looked_at):
        return None
    same = [one for one in found if one.frame == frame]
    return same[0].filled(same)
