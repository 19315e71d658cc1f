"""The JSON Schema of the parts of an input mapping, as `mapping_reader` reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ndr_core.flows.leaf import MAX_LEAF_NAMES, Leaf
from ndr_core.flows.selection import Selection
from ndr_core.flows.time_format import Format, TimeFormat
from ndr_core.flows.value_map import ValueMap
from ndr_core.jobs.spec_schema import Schema

_TEXT: Final[Schema] = {"type": "string"}
_RESULT: Final[Schema] = {"type": ["string", "null"]}
_CELL: Final[Schema] = {"type": ["string", "integer", "boolean"]}
"""A value of the source: YAML takes 6 for a number, and true for no text."""

_PATH: Final[Schema] = {
    "type": "array",
    "items": _TEXT,
    "minItems": 1,
    "maxItems": MAX_LEAF_NAMES,
}
_LEAVES: Final[Schema] = {"type": "array", "items": {"anyOf": [_TEXT, _PATH]}}

_FORMAT: Final[Schema] = {
    "anyOf": [
        {"enum": [one.value for one in TimeFormat]},
        {"type": "string", "pattern": "%"},
    ]
}
_FORMATS: Final[Schema] = {
    "anyOf": [*_FORMAT["anyOf"], {"type": "array", "items": _FORMAT, "minItems": 1}]
}

_ROW: Final[Schema] = {
    "type": "array",
    "items": {"type": [*_CELL["type"], "null"]},
    "minItems": 2,
}
_VALUES: Final[Schema] = {"type": "object", "additionalProperties": _RESULT}
_MAP: Final[Schema] = {
    "anyOf": [
        _VALUES,
        {
            "type": "object",
            "properties": {
                "columns": _LEAVES,
                "values": {"anyOf": [{"type": "array", "items": _ROW}, _VALUES]},
                "default": _RESULT,
            },
            "required": ["values"],
            "additionalProperties": False,
        },
    ]
}

_SOME: Final[Schema] = {"type": "array", "items": _CELL, "minItems": 1}
_PRESENT: Final[Schema] = {"type": "boolean"}


def _object(required: list[str], **properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


_ONLY: Final[Schema] = {
    "anyOf": [
        {
            "type": "object",
            "additionalProperties": {"anyOf": [_SOME, _object(["present"], present=_PRESENT)]},
        },
        {
            "type": "array",
            "items": {
                "anyOf": [
                    _object(["path", "values"], path=_PATH, values=_SOME),
                    _object(["path", "present"], path=_PATH, present=_PRESENT),
                ]
            },
        },
    ]
}

MAPPING_TYPES: Final[Mapping[Any, Schema]] = {
    tuple[Format, ...]: _FORMATS,
    tuple[Leaf, ...]: _LEAVES,
    ValueMap: _MAP,
    Selection: _ONLY,
}
"""Type of a part of a mapping -> the schema of what people write."""
