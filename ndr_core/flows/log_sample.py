"""The first records of a log, by its first bytes: how they are read, and which columns they have."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from attrs import field, frozen

from ndr_core.flows.delimited import Header, told_by_mark
from ndr_core.flows.leaf import Leaf
from ndr_core.flows.looks_like import LOOK_BYTES, look_at, names_columns
from ndr_core.flows.mapping import InputMapping

SAMPLE_BYTES: Final = 256 << 10
"""So many first bytes of a file are looked at."""
_SAMPLE_LINES: Final = 200
"""So many lines of parts are enough; records of JSON may be of many kinds."""
_DEEPEST: Final = 4
"""Objects within objects are looked into so far."""
_LEAST_COLUMNS: Final = 3
"""Of a header, to be taken for one: two hosts and a time."""
_LEAST_WORDS: Final = 4
"""The same where blanks part them, as they part the words of a text."""
_BLANK: Final = " "
_SEPARATORS: Final = ("\t", ",", ";", "|", _BLANK)
_JSON: Final[Mapping[str, Any]] = {}
_ZEEK: Final[Mapping[str, Any]] = {"format": "delimited", "header": "zeek"}
_EXAMPLE: Final = 40
"""Characters of an example of a value."""


@frozen
class Sample:
    """The first records of a file, read in one of the ways in which they can be."""

    settings: Mapping[str, Any]
    """Keys of `input` that say how the file is read."""
    examples: Mapping[Leaf, str]
    """Place of a value -> such a value; of one that is never there, an empty text."""
    records: Sequence[Mapping[str, Any]] = field(default=(), eq=False, repr=False)

    @property
    def leaves(self) -> frozenset[Leaf]:
        return frozenset(self.examples)

    def filled(self, mapping: InputMapping) -> frozenset[Leaf]:
        """Give the places where a record that the mapping reads has a value."""
        read = (one for one in self.records if mapping.only.fits(one, mapping.null_values))
        return frozenset(leaf for leaf, example in _examples(read).items() if example)


def _sample(
    settings: Mapping[str, Any],
    records: Sequence[Mapping[str, Any]],
    names: Sequence[str] = (),
) -> Sample:
    """The sample of some records; `names`: of columns that they have, whether there are values or not."""
    return Sample(settings, _examples([*records, dict.fromkeys(names)]), records)


def samples_of(head: bytes) -> list[Sample]:
    """Read the first bytes of an unpacked text file in each way in which they make sense; none for other files."""
    look = look_at(head[:LOOK_BYTES])
    if look is not None and look.format is None:
        return []
    text = head.decode(errors="replace").lstrip("\ufeff \t\r\n")
    lines = [line.rstrip("\r") for line in text.split("\n")]
    if text.startswith("{"):
        return _json_samples(lines)
    lines = lines[:_SAMPLE_LINES]
    if look is not None and look.names:
        return [_sample_of_unnamed(lines, look.names)]
    if text.startswith("#"):
        return _zeek_samples(lines)
    return list(_separated_samples(lines))


def row_sample(rows: Sequence[Mapping[str, Any]]) -> Sample:
    """Give the sample of the first rows of a Parquet file, as objects."""
    return _sample({"format": "parquet"}, rows)


def _json_samples(lines: Sequence[str]) -> list[Sample]:
    found = list(_objects(lines))
    return [_sample(_JSON, found)] if found else []


def _objects(lines: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Objects that stand on a line each; the last line may be cut."""
    for line in lines:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            yield value


def _zeek_samples(lines: Sequence[str]) -> list[Sample]:
    header = Header((), "\t")
    rows: list[dict[str, Any]] = []
    for line in lines:
        if line.startswith("#"):
            header = told_by_mark(header, line)
        elif (found := header.object(line)) is not None:
            rows.append(found)
    return [_sample(_ZEEK, rows, header.names)] if header.names else []


def _sample_of_unnamed(lines: Sequence[str], names: tuple[str, ...]) -> Sample:
    """The sample of lines without a header, which have these columns."""
    rows = [row for line in lines for row in _row(names, line.split(_BLANK))]
    settings = {"format": "delimited", "separator": _BLANK, "header": list(names)}
    return _sample(settings, rows, names)


def _separated_samples(lines: Sequence[str]) -> Iterator[Sample]:
    first, *rest = [line for line in lines if line] or [""]
    for separator in _SEPARATORS:
        names = first.split(separator)
        is_text = separator == _BLANK
        if len(names) < (_LEAST_WORDS if is_text else _LEAST_COLUMNS) or not names_columns(names):
            continue
        rows = [row for line in rest for row in _row(names, line.split(separator))]
        if 2 * len(rows) >= len(rest) and (rows or not is_text):
            settings = {"format": "delimited", "separator": separator, "header": "first_line"}
            yield _sample(settings, rows, names)


def _row(names: Sequence[str], parts: Sequence[str]) -> list[dict[str, Any]]:
    return [dict(zip(names, parts, strict=True))] if len(names) == len(parts) else []


def _examples(records: Iterable[Mapping[str, Any]]) -> dict[Leaf, str]:
    found: dict[Leaf, str] = {}
    for record in records:
        for leaf, value in _leaves(record, ()):
            if not found.get(leaf):
                found[leaf] = "" if value is None else _text(value)
    return found


def _leaves(record: Mapping[str, Any], above: Leaf) -> Iterator[tuple[Leaf, Any]]:
    for name, value in record.items():
        leaf = (*above, name)
        if isinstance(value, Mapping) and value and len(leaf) < _DEEPEST:
            yield from _leaves(value, leaf)
        else:
            yield leaf, value


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _EXAMPLE else text[:_EXAMPLE] + " .."
