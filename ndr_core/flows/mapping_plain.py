"""An input mapping as plain data, as people write it in a JobSpec."""

from __future__ import annotations

from typing import Any, Final

from ndr_core.flows.formats import FileFormat, HeaderKind, HeaderPlace
from ndr_core.flows.leaf import Leaf
from ndr_core.flows.mapping import FieldSource, InputMapping, Lost
from ndr_core.flows.presets.registry import PRESETS
from ndr_core.flows.selection import Condition, Selection
from ndr_core.flows.time_format import Format, TimePattern
from ndr_core.flows.value_map import Default, ValueMap

_NOTHING: Final[dict[str, Any]] = {
    "only": {},
    "files": [],
    "timezone": None,
    "lost": None,
    "pairing": None,
    "format": FileFormat.JSON.value,
}
"""What is said of a key of a preset that a mapping does without."""


def mapping_to_plain(mapping: InputMapping) -> dict[str, Any]:
    """Give plain data (dicts, lists, scalars) from which an equal mapping is read."""
    plain = _given(
        fields={name: source_to_plain(source) for name, source in mapping.fields.items()},
        null_values=list(mapping.null_values),
        preset=mapping.preset,
        only=_selection(mapping.only) or None,
        files=list(mapping.files) or None,
        timezone=mapping.timezone,
        format=None if mapping.format is FileFormat.JSON else mapping.format.value,
        separator=mapping.separator,
        header=_header(mapping.header),
        lost=None if mapping.lost is None else _lost(mapping.lost),
        pairing=None if mapping.pairing is None else mapping.pairing.value,
    )
    preset = PRESETS.get(mapping.preset or "")
    if preset is not None:
        given = {key for key in _NOTHING if getattr(mapping, key) != getattr(preset.mapping, key)}
        plain |= {key: _NOTHING[key] for key in given.difference(plain)}
    return plain


def source_to_plain(source: FieldSource) -> dict[str, Any]:
    """Give the source of one field as plain data, without what it does not say."""
    formats = [_format(one) for one in source.format]
    return _given(
        column=source.column,
        path=None if source.path is None else list(source.path),
        any_of=[_leaf(leaf) for leaf in source.any_of] or None,
        constant=source.constant,
        format=(formats[0] if len(formats) == 1 else formats) or None,
        map=None if source.map is None else _map(source.map),
        optional=source.optional or None,
    )


def _given(**parts: Any) -> dict[str, Any]:
    return {key: value for key, value in parts.items() if value is not None}


def _lost(lost: Lost) -> dict[str, Any]:
    return _given(column=lost.column, value=lost.value, also=list(lost.also) or None)


def _header(place: HeaderPlace | None) -> str | list[str] | None:
    if isinstance(place, HeaderKind):
        return place.value
    return None if place is None else list(place)


def _leaf(leaf: Leaf) -> str | list[str]:
    return leaf[0] if len(leaf) == 1 else list(leaf)


def _format(one: Format) -> str:
    return one.text if isinstance(one, TimePattern) else one.value


def _map(found: ValueMap) -> dict[str, Any]:
    results = {row.values[0]: row.result for row in found.rows}
    keeps = found.default is Default.KEEP
    if keeps and not found.columns and None not in results.values():
        return results
    plain: dict[str, Any] = {"values": [[*row.values, row.result] for row in found.rows]}
    if found.columns:
        plain["columns"] = [_leaf(leaf) for leaf in found.columns]
    return plain if keeps else {**plain, "default": found.default}


def _selection(only: Selection) -> dict[str, Any] | list[dict[str, Any]]:
    if all(len(one.leaf) == 1 for one in only.conditions):
        return {one.leaf[0]: _condition(one) for one in only.conditions}
    return [
        {
            "path": list(one.leaf),
            **({"values": list(one.values)} if one.present is None else {"present": one.present}),
        }
        for one in only.conditions
    ]


def _condition(one: Condition) -> list[str] | dict[str, bool]:
    return list(one.values) if one.present is None else {"present": one.present}
