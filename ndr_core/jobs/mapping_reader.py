"""Reading the parts of an input mapping from plain data, with errors that say what was expected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from cattrs import Converter

from ndr_core.errors import nearest, shown
from ndr_core.flows.formats import HeaderKind, HeaderPlace
from ndr_core.flows.leaf import Leaf
from ndr_core.flows.selection import Condition, Selection
from ndr_core.flows.time_format import Format, TimeFormat, TimePattern
from ndr_core.flows.value_map import Default, MapRow, Result, ValueMap, value_map
from ndr_core.jobs.spec_reader import require_mapping, wrong_kind

_NAMES: Final = "a list of names such as [flow, bytes_toserver]"
_COLUMNS: Final = "a list of columns and paths"
_ROWS: Final = "a list of rows such as [tcp, S0, drop]"
_MAP_KEYS: Final = ("columns", "values", "default")
_CONDITION: Final = "a list of values, or {present: true}"


def register_mapping(converter: Converter) -> None:
    """Teach a converter the parts of an input mapping."""
    hooks: list[tuple[object, Callable[[Any], Any]]] = [
        (tuple[Format, ...], _formats),
        (tuple[Leaf, ...], _leaves),
        (ValueMap | None, _map),
        (Selection, _selection),
        (HeaderPlace | None, _header),
    ]
    for known, read in hooks:
        converter.register_structure_hook_func(*_hook(known, read))


def _hook(
    known: object, read: Callable[[Any], Any]
) -> tuple[Callable[[Any], bool], Callable[[Any, Any], Any]]:
    """Whether a type is the known one, and how a value becomes one of that type."""
    return lambda cls: cls == known, lambda value, _cls: read(value)


def _listed(value: Any, expected: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise TypeError(wrong_kind(value, expected))
    return list(value)


def _text(value: Any, expected: str = "text") -> str:
    if not isinstance(value, str):
        raise TypeError(wrong_kind(value, expected))
    value.encode()  # half of a surrogate pair is no text
    return value


def _formats(value: Any) -> tuple[Format, ...]:
    expected = "a format of times, or a list of them"
    given = _listed(value, expected) if isinstance(value, list | tuple) else [value]
    if not given:
        raise ValueError("an empty list of formats fits no time")
    return tuple(_format(_text(one, expected)) for one in given)


def _format(text: str) -> Format:
    if "%" in text:
        return TimePattern(text)
    known = {one.value: one for one in TimeFormat}
    if text not in known:
        raise ValueError(
            f"unknown format {shown(text)}, {nearest(text, known)} (or a pattern such as "
            "'%Y/%m/%d %H:%M:%S')"
        )
    return known[text]


def _leaf(value: Any) -> Leaf | None:
    return None if value is None else tuple(_text(name, _NAMES) for name in _listed(value, _NAMES))


def _leaves(value: Any) -> tuple[Leaf, ...]:
    return tuple(
        (one,) if isinstance(one, str) else _leaf(_listed(one, f"a column, or {_NAMES}")) or ()
        for one in _listed(value, _COLUMNS)
    )


def _map(value: Any) -> ValueMap | None:
    if value is None:
        return None
    require_mapping(value, "a mapping of values")
    if not isinstance(value.get("values"), list | tuple | Mapping):
        return value_map({_cell(key): _result(result) for key, result in value.items()})
    for key in value:
        if key not in _MAP_KEYS:
            raise ValueError(f"unknown key {shown(key)}, {nearest(str(key), _MAP_KEYS)}")
    columns = _leaves(value.get("columns", ()))
    width = max(len(columns), 1)
    rows = value["values"]
    if isinstance(rows, Mapping):
        rows = [[key, result] for key, result in rows.items()]
    read = [_row(row, width) for row in _listed(rows, _ROWS)]
    default = _result(value["default"]) if "default" in value else Default.KEEP
    return ValueMap(tuple(read), columns, default)


def _row(row: Any, width: int) -> MapRow:
    cells = _listed(row, _ROWS)
    if len(cells) != width + 1:
        raise ValueError(
            f"{shown(row)} has {len(cells)} entries, expected {width + 1}: "
            f"{'one value' if width == 1 else f'{width} values'}, and what they become"
        )
    return MapRow(tuple(_cell(cell) for cell in cells[:-1]), _result(cells[-1]))


def _cell(value: Any) -> str:
    """A value of the source, as a map sees it: YAML takes 6 for a number, and true for no text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return _text(value, "a value of the source: text, a whole number, true or false")


def _result(value: Any) -> Result:
    return None if value is None else _text(value, "text or null, what the value becomes")


def _selection(value: Any) -> Selection:
    if isinstance(value, list | tuple):
        return Selection(tuple(_path_condition(one) for one in value))
    require_mapping(value, "a mapping of columns")
    return Selection(
        tuple(_condition((_text(name, "a column"),), one) for name, one in value.items())
    )


def _path_condition(value: Any) -> Condition:
    require_mapping(value, "a mapping such as {path: [flow, state], values: [closed]}")
    rest = {key: one for key, one in value.items() if key != "path"}
    leaf = _leaf(value.get("path"))
    if not leaf:
        raise ValueError(f"path: expected {_NAMES}")
    return _condition(leaf, rest["values"] if list(rest) == ["values"] else rest)


def _condition(leaf: Leaf, value: Any) -> Condition:
    if isinstance(value, Mapping):
        present = value.get("present")
        if list(value) != ["present"] or not isinstance(present, bool):
            raise ValueError(f"{leaf[-1]}: {shown(value)} says nothing, expected {_CONDITION}")
        return Condition(leaf, present=present)
    values = tuple(_cell(one) for one in _listed(value, f"{leaf[-1]}: {_CONDITION}"))
    if not values:
        raise ValueError(f"{leaf[-1]}: an empty list selects no record; expected {_CONDITION}")
    return Condition(leaf, values)


def _header(value: Any) -> HeaderPlace | None:
    """Read where the names of columns stand, or the names themselves."""
    kinds = [kind.value for kind in HeaderKind]
    match value:
        case None:
            return None
        case str() if value in kinds:
            return HeaderKind(value)
        case list() | tuple() if all(isinstance(name, str) for name in value):
            return tuple(value)
    raise TypeError(wrong_kind(value, f"{', '.join(kinds)} or a list of the columns' names"))
