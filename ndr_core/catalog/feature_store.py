"""Tables of features as feature groups of SageMaker Feature Store: what `create_feature_group` takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from attrs import frozen

from ndr_core.errors import Problem, SpecError
from ndr_core.tables.columns import ColumnType, OutputColumn
from ndr_core.tables.table import RECORD_ID, Table
from ndr_core.windows.wide import WIDE_FG_A, WIDE_KEYS, wide_columns

EVENT_TIME: Final = "window_end_ts"
"""The column that tells when the features of a row hold, as ISO-8601 text in UTC: `2025-03-01T10:15:00Z`."""

MOST_FEATURES: Final = 2_500
MOST_CHARACTERS: Final = 64
RESERVED: Final = frozenset({"is_deleted", "write_time", "api_invocation_time"})
"""Names that Feature Store has columns of its own for."""

_NAME: Final = re.compile("[a-zA-Z0-9]([_-]*[a-zA-Z0-9]){0,63}")
_TYPES: Final = {
    ColumnType.INT64: "Integral",
    ColumnType.FLOAT64: "Fractional",
    ColumnType.STRING: "String",
    ColumnType.TIMESTAMP: "String",
}
"""A time is ISO-8601 text; a histogram is no feature."""


@frozen
class FeatureGroup:
    """A feature group."""

    name: str
    features: tuple[OutputColumn, ...]
    """Without the identifier of records."""

    def plain(self) -> dict[str, Any]:
        """Give what `create_feature_group` takes, as JSON data: all that it requires, and no place or role."""
        return {
            "FeatureGroupName": self.name,
            "RecordIdentifierFeatureName": RECORD_ID,
            "EventTimeFeatureName": EVENT_TIME,
            "FeatureDefinitions": [
                {"FeatureName": RECORD_ID, "FeatureType": _TYPES[ColumnType.STRING]},
                *(
                    {"FeatureName": one.name, "FeatureType": _TYPES[one.type]}
                    for one in self.features
                ),
            ],
        }


def long_groups(table: Table) -> tuple[FeatureGroup, ...]:
    """Give the groups of a table with a row for each window: one, or several where it has too many columns.

    Raises SpecError that lists the columns whose names Feature Store does not take.
    """
    return _groups(table.name, table.keys, table.columns)


def wide_groups(table: Table, labels: Sequence[str]) -> tuple[FeatureGroup, ...]:
    """Give the groups of the table of windows as one row for each host and end. `labels`: the windows in it.

    Raises as `long_groups`.
    """
    return _groups(WIDE_FG_A, WIDE_KEYS, wide_columns(table, labels))


def _groups(
    name: str, keys: Iterable[str], columns: Iterable[OutputColumn]
) -> tuple[FeatureGroup, ...]:
    """Each group has the key and the time of its rows, and its share of the rest."""
    features = [column for column in columns if column.type in _TYPES]
    problems = [one for column in features for one in _problems(name, column.name)]
    if problems:
        raise SpecError("\n".join(map(str, problems)))
    known = {*keys, EVENT_TIME}
    key = [column for column in features if column.name in known]
    rest = [column for column in features if column.name not in known]
    if 1 + len(features) <= MOST_FEATURES:
        return (FeatureGroup(name, tuple(features)),)
    share = MOST_FEATURES - 1 - len(key)
    return tuple(
        FeatureGroup(f"{name}_{number}", (*key, *rest[start : start + share]))
        for number, start in enumerate(range(0, len(rest), share), start=1)
    )


def _problems(table: str, name: str) -> list[Problem]:
    """Why Feature Store does not take the name of a column."""
    why = None
    if name in RESERVED:
        why = "Feature Store has a column of this name of its own"
    elif len(name) > MOST_CHARACTERS:
        why = f"the name has {len(name)} characters, and Feature Store takes {MOST_CHARACTERS}"
    elif _NAME.fullmatch(name) is None:
        why = "the name must begin and end with a letter or digit for Feature Store"
    remedy = "; give the counter or port set that it is made of another name"
    return [] if why is None else [Problem(f"{table}.{name}", why + remedy)]
