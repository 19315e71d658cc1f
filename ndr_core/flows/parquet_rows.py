"""What a row of a Parquet file means: the object that stands for it.

=====================  ==========================================================================
boolean, text          itself; text by a dictionary too
integer                itself, of any size and sign
float                  itself, as a double; NaN and the infinities are null
timestamp              text, to the microsecond (digits after it are cut), `2025-03-01T10:00:00.000000Z`;
                       without the `Z` where the column is of local time
decimal                text, all digits of its scale
binary                 text of hexadecimal digits
struct, map by text    an object, its members in their order; of a key that a map has twice the last value
list                   an array
=====================  ==========================================================================

A column of another type (a date, say) makes the file unreadable. A time before the year 1 or after 9999 is spelt as
its microseconds since 1970, however many: no time in ISO-8601.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Final, TypeAlias

from attrs import frozen

from ndr_core.times import SECOND_US


class Scalar(Enum):
    """Types of single values. What comes for them: as it is, or as the docstring of each says."""

    PLAIN = "plain"
    """Booleans, integers, text."""
    FLOAT = "float"
    DECIMAL = "decimal"
    """A `Decimal`."""
    BINARY = "binary"


class Unit(Enum):
    """Of timestamps. The value: how many of it a second has."""

    MS = 10**3
    US = 10**6
    NS = 10**9


@frozen
class TimeIn:
    """The type of a timestamp, which comes as a number of a unit since 1970-01-01, whatever its size."""

    unit: Unit
    is_local: bool = False
    """Whether it is of local time, not of UTC."""


@frozen
class ArrayOf:
    """The type of a list."""

    item: RowType


@frozen
class MapOf:
    """The type of a map whose keys are text."""

    value: RowType


@frozen
class ObjectOf:
    """The type of a struct, or of a whole row."""

    members: Mapping[str, RowType]


RowType: TypeAlias = Scalar | TimeIn | ArrayOf | MapOf | ObjectOf

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def row_object(row: Mapping[str, Any], types: ObjectOf) -> dict[str, Any]:
    """Give the object of a row, or of a struct: its values as JSON has them."""
    return {name: _value(row[name], kind) for name, kind in types.members.items()}


def _value(value: Any, kind: RowType) -> Any:
    if value is None:
        return None
    match kind:
        case ObjectOf():
            return row_object(value, kind)
        case ArrayOf(item):
            return [_value(part, item) for part in value]
        case MapOf(item):
            return {name: _value(part, item) for name, part in value.items()}
        case Scalar.FLOAT:
            return value if math.isfinite(value) else None
        case TimeIn(unit, is_local):
            text = time_text(value * SECOND_US // unit.value)
            return text if is_local else text + "Z"
        case Scalar.DECIMAL:
            return f"{value:f}"
        case Scalar.BINARY:
            return value.hex()
    return value


def time_text(time_us: int) -> str:
    """Spell a time, us since 1970, as a Parquet timestamp is read: always six digits behind the seconds."""
    try:
        moment = _EPOCH + timedelta(microseconds=time_us)
    except OverflowError:
        return str(time_us)
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds")


def type_problem(column: str, type_name: str) -> str:
    """Say that a file can't be read for the type of a column."""
    return (
        f"its column {column!r} is of the type {type_name}, which stands for no value of JSON; "
        "write it as text, a number or a timestamp"
    )
