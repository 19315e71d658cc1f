"""A first look at the input: are the columns that the JobSpec names there at all, and how are lines spelt?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from attrs import define, field, frozen

from ndr_core.errors import SpecError, shown
from ndr_core.flows.json_text import line_text, parse_object
from ndr_core.flows.key_order import KeyOrder, key_order
from ndr_core.flows.leaf import Leaf, holds, leaves_of, value_at
from ndr_core.flows.mapping import InputMapping
from ndr_core.flows.selection import Condition
from ndr_core.flows.wanted import Wanted

FIRST_LOOK_LINES: Final = 256
FIRST_LOOK_BYTES: Final = 4 << 20
MOST_KEYS: Final = 256
"""A line of more keys gives no hint for fast reading; what lines hold must not decide what a look takes."""
_MOST_NAMES: Final = 1000
_MOST_VALUES: Final = 3
"""So many are named as examples."""


@frozen
class FirstLook:
    """What a first look at an input shows."""

    key_orders: tuple[KeyOrder, ...] = ()
    """The distinct key orders of the first lines, most frequent first."""
    notices: tuple[str, ...] = ()
    """What people should hear of."""


def first_look(
    lines: Iterable[bytes], mapping: InputMapping, wanted: Iterable[Wanted] = ()
) -> FirstLook:
    """Look at the first lines of an input, of which the mapping selects those to read.

    Reads on beyond the first look only while a wanted column that is not optional has not been seen. Raises
    SpecError when the input ends before.
    """
    remaining = iter(lines)
    seen = _Seen(mapping, [one for one in wanted if one.leaves])
    orders: Counter[KeyOrder] = Counter()
    for record in _records(_first(remaining)):
        order = key_order(record)
        if len(leaves_of(record, MOST_KEYS + 1)) <= MOST_KEYS:
            orders[order] += 1
        seen.add(record)
    notices = seen.notices()
    if seen.missing:
        _find(seen, remaining)
    seen.refuse_missing()
    found = tuple(order for order, _ in orders.most_common())
    return FirstLook(found, notices + seen.nothing_selected())


def look_at_objects(
    objects: Iterable[Mapping[str, Any]], mapping: InputMapping, wanted: Iterable[Wanted] = ()
) -> FirstLook:
    """Look at the first records of an input that is no JSON, as `first_look`. `objects`: what they stand for."""
    remaining = iter(objects)
    seen = _Seen(mapping, [one for one in wanted if one.leaves])
    for record in islice(remaining, FIRST_LOOK_LINES):
        seen.add(record)
    notices = seen.notices()
    for record in remaining if seen.missing else ():
        seen.add(record)
        if not seen.missing:
            break
    seen.refuse_missing()
    return FirstLook(notices=notices + seen.nothing_selected())


@define
class _Seen:
    """Which wanted columns have not been seen yet, and some names of columns that have."""

    mapping: InputMapping
    wanted: Sequence[Wanted]
    missing: list[Wanted] = field(init=False)
    names: dict[Leaf, None] = field(factory=dict)
    """Of columns of the records to read."""
    other_names: dict[Leaf, None] = field(factory=dict)
    """Of columns of those that `input.only` leaves out."""
    unfit: dict[Condition, dict[str, None]] = field(init=False)
    """Conditions of `input.only` that no record fits so far, and some values that records have there."""
    records: int = 0
    """How many were looked at, of those to read."""
    all_records: int = 0

    @missing.default
    def _all_wanted(self) -> list[Wanted]:
        return list(self.wanted)

    @unfit.default
    def _all_conditions(self) -> dict[Condition, dict[str, None]]:
        return {condition: {} for condition in self.mapping.only.conditions}

    def add(self, record: Mapping[str, Any]) -> None:
        if not record:
            return
        self.all_records += 1
        fits = self._fits(record)
        self.records += fits
        self.missing = [
            one
            for one in self.missing
            if not ((fits or one.of_all) and any(holds(record, leaf) for leaf in one.leaves))
        ]
        names = self.names if fits else self.other_names
        for leaf in leaves_of(record, _MOST_NAMES - len(names)):
            names[leaf] = None

    def _fits(self, record: Mapping[str, Any]) -> bool:
        """Whether a record is one to read; notes what those have that are not."""
        null_values = self.mapping.null_values
        for condition, values in list(self.unfit.items()):
            if condition.fits(record, null_values):
                del self.unfit[condition]
            elif len(values) < _MOST_VALUES and holds(record, condition.leaf):
                values[shown(value_at(record, condition.leaf))] = None
        return self.mapping.only.fits(record, null_values)

    def notices(self) -> tuple[str, ...]:
        """Say which optional columns no record has so far, and look for them no more."""
        found = [
            f"{one.key}: none of the first {records} records has {one.missing_text(self._named(one))}"
            for one in self.missing
            if one.optional and (records := self._looked_at(one))
        ]
        self.missing = [one for one in self.missing if not one.optional]
        return tuple(found)

    def _looked_at(self, one: Wanted) -> int:
        return self.all_records if one.of_all else self.records

    def _named(self, one: Wanted) -> list[Leaf]:
        """Names of columns that a missing one may be meant to be: none that the spec names itself."""
        if one.of_all:
            return [*self.names, *self.other_names]
        known = {leaf for other in self.wanted if one.optional for leaf in other.leaves}
        return [name for name in self.names if name not in known]

    def nothing_selected(self) -> tuple[str, ...]:
        """Say so where `input.only` leaves out every record of an input that was read to its end, and why."""
        if self.records or not (self.all_records and self.missing):
            return ()
        for condition, values in self.unfit.items():
            if values:
                key, there = ".".join(condition.leaf), ", ".join(values)
                return (f"input.only.{key}: no record of the input fits, they have {there} there",)
        return ("input.only: no record of the input fits",)

    def refuse_missing(self) -> None:
        """Raise SpecError for a column that no record has."""
        if self.missing and self.records:
            one = self.missing[0]
            message = f"{one.key}: no record of the input has {one.missing_text(self._named(one))}"
            if one.may_be_optional:
                message += " (a column that may be absent from a whole mini-batch is marked 'optional: true')"
            raise SpecError(message)


def _first(lines: Iterator[bytes]) -> Iterator[bytes]:
    """The lines of the first look."""
    taken = 0
    for number, line in enumerate(lines, start=1):
        yield line
        taken += len(line)
        if number == FIRST_LOOK_LINES or taken >= FIRST_LOOK_BYTES:
            return


def _records(lines: Iterable[bytes]) -> Iterator[Mapping[str, Any]]:
    for line in lines:
        record = parse_object(line) if line_text(line) else None
        if record is not None:
            yield record


def _find(seen: _Seen, lines: Iterable[bytes]) -> None:
    """Look for the missing columns in further lines, until nothing is missing."""
    quoted = {
        leaf: f'"{leaf[-1]}"'.encode("utf-8", "surrogatepass")
        for one in seen.missing
        for leaf in one.leaves
    }
    for line in lines:
        if (
            b"\\" in line
            or any(quoted[leaf] in line for one in seen.missing for leaf in one.leaves)
            or not seen.records
        ):
            for record in _records([line]):
                seen.add(record)
            if not seen.missing:
                return
