"""The form in which a source writes its records: which columns one has, and how its line is laid out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from attrs import field, frozen

Record = Mapping[str, Any]
"""A session by the canonical names; a spoilt one may hold anything."""
Columns: TypeAlias = "Mapping[str, str | Columns]"
"""Column -> its type (string, int32, int64), or the columns that lie inside of it."""


@frozen
class Form:
    """How a source writes one session, or one direction of it."""

    preset: str
    """The preset that reads it."""
    name: str
    """What users call it: json, text .."""
    convert: Callable[[Record], dict[str, Any]]
    """Session -> columns and values, as the source names and spells them."""
    columns: tuple[str, ...] = ()
    """Delimited lines: the columns in their order. None: a JSON object a line."""
    separator: str = ","
    """Delimited lines: between two parts."""
    header: tuple[str, ...] = ()
    """Lines at the start of each file."""
    unset: str = "-"
    """Delimited lines: what stands for no value."""
    typed: Columns = field(factory=dict, hash=False)
    """Parquet: its columns; a line is the row as a JSON object then. None: lines are lines."""
    counts_one_way: bool = False
    """A session is two records then: what was sent, and what came back."""
    suffix: str = ".json.gz"
    """End of the names of its files."""

    def line(self, record: Record) -> bytes:
        """Give the line of a record, without its line feed."""
        found = self.convert(record)
        if not self.columns:
            return json.dumps(found, separators=(",", ":")).encode()
        parts = (self._part(found.get(column)) for column in self.columns)
        return self.separator.join(parts).encode()

    def broken(self, record: Record) -> bytes:
        """Give a line that is no record of the format: it ends too early."""
        line = self.line(record)
        end = line.rindex(self.separator.encode()) if self.columns else -1
        return line[:end]

    def _part(self, value: Any) -> str:
        if value is None:
            return self.unset
        return value if isinstance(value, str) else json.dumps(value, separators=(";", ":"))


def directions(record: Record) -> list[Record]:
    """Give a session as records that count one direction each; no second one where nothing came back."""
    there = {**record, "destination_bytes": None}
    if not record["destination_bytes"]:
        return [there]
    ends = ("source", "destination")
    back = {
        **there,
        **{
            f"{end}_{what}": record[f"{other}_{what}"]
            for end, other in zip(ends, reversed(ends), strict=True)
            for what in ("ip", "port")
        },
        "source_bytes": record["destination_bytes"],
    }
    return [there, back]
