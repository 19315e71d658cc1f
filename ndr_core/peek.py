"""A first look at the input: are the columns that the JobSpec names there at all?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from ndr_core.errors import SpecError, nearest
from ndr_core.json_line import line_text, parse_object

FIRST_LOOK_LINES = 256


def look(lines: Iterable[bytes], required: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
    """Distinct key sequences of the first lines, most frequent first.

    `required`: source column -> key of the spec that names it. Reads on beyond the first look only
    while one of these columns has not been seen. Raises SpecError when the input ends before.
    """
    remaining = iter(lines)
    orders: dict[tuple[str, ...], int] = {}
    for keys in _keys(islice(remaining, FIRST_LOOK_LINES)):
        orders[keys] = orders.get(keys, 0) + 1
    seen = {key for keys in orders for key in keys}
    missing = [column for column in required if column not in seen]
    if missing:
        _find(missing, remaining, seen)
    if missing and seen:
        column = missing[0]
        raise SpecError(
            f"{required[column]}: no record of the input has a column {column!r}, "
            f"{nearest(column, seen)} (a column that may be absent from a whole mini-batch is marked "
            "'optional: true')"
        )
    return tuple(sorted(orders, key=lambda keys: -orders[keys]))


def _keys(lines: Iterable[bytes]) -> Iterator[tuple[str, ...]]:
    for line in lines:
        record = parse_object(line) if line_text(line) else None
        if record is not None:
            yield tuple(record)


def _find(missing: list[str], lines: Iterable[bytes], seen: set[str]) -> None:
    """Strike from `missing` what the lines hold; stop when nothing is left to find."""
    quoted = {column: f'"{column}"'.encode() for column in missing}
    for line in lines:
        if b"\\" in line or any(quoted[column] in line for column in missing) or not seen:
            for keys in _keys([line]):
                seen.update(keys)
            missing[:] = [column for column in missing if column not in seen]
            if not missing:
                return
