"""A first look at the input: are the columns that the JobSpec names there at all?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from attrs import define, field

from ndr_core.errors import SpecError, nearest, shown
from ndr_core.flows.json_line import line_text, parse_object

FIRST_LOOK_LINES: Final = 256
FIRST_LOOK_BYTES: Final = 4 << 20
MOST_KEYS: Final = 256
"""A line of more keys gives no hint for fast reading; what lines hold must not decide what a look takes."""
_MOST_NAMES: Final = 1000


def first_look(lines: Iterable[bytes], required: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
    """Give the distinct key sequences of the first lines, most frequent first.

    `required`: source column -> key of the spec that names it. Reads on beyond the first look only
    while one of these columns has not been seen. Raises SpecError when the input ends before.
    """
    remaining = iter(lines)
    seen = _Seen(dict.fromkeys(required))
    orders: Counter[tuple[str, ...]] = Counter()
    for keys in _keys(_first(remaining)):
        if len(keys) <= MOST_KEYS:
            orders[keys] += 1
        seen.add(keys)
    if seen.missing:
        _find(seen, remaining)
    if seen.missing and seen.names:
        column = next(iter(seen.missing))
        raise SpecError(
            f"{required[column]}: no record of the input has a column {shown(column)}, "
            f"{nearest(column, seen.names)} (a column that may be absent from a whole mini-batch is "
            "marked 'optional: true')"
        )
    return tuple(keys for keys, _ in orders.most_common())


@define
class _Seen:
    """Which required columns have not been seen yet, and some names of columns that have."""

    missing: dict[str, None]
    names: set[str] = field(factory=set)

    def add(self, keys: tuple[str, ...]) -> None:
        present = set(keys)
        self.missing = {column: None for column in self.missing if column not in present}
        self.names.update(keys[: _MOST_NAMES - len(self.names)])


def _first(lines: Iterator[bytes]) -> Iterator[bytes]:
    """The lines of the first look."""
    taken = 0
    for number, line in enumerate(lines, start=1):
        yield line
        taken += len(line)
        if number == FIRST_LOOK_LINES or taken >= FIRST_LOOK_BYTES:
            return


def _keys(lines: Iterable[bytes]) -> Iterator[tuple[str, ...]]:
    for line in lines:
        record = parse_object(line) if line_text(line) else None
        if record is not None:
            yield tuple(record)


def _find(seen: _Seen, lines: Iterable[bytes]) -> None:
    """Look for the missing columns in further lines, until nothing is missing."""
    quoted = {column: f'"{column}"'.encode("utf-8", "surrogatepass") for column in seen.missing}
    for line in lines:
        if (
            b"\\" in line
            or any(quoted[column] in line for column in seen.missing)
            or not seen.names
        ):
            for keys in _keys([line]):
                seen.add(keys)
            if not seen.missing:
                return
