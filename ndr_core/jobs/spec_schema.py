"""The JSON Schema of a spec, made from its classes: what an editor needs to complete, explain and check a file."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from attrs import NOTHING, Attribute, field, fields, frozen, has

from ndr_core.names import whole
from ndr_core.times import DURATION, Duration, duration_text

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_KINDS: Final[Mapping[Any, Schema]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    Duration: {"type": "string", "pattern": whole(DURATION)},
}


@frozen
class Forms:
    """What the classes of a spec do not say of how it is written."""

    types: Mapping[Any, Schema] = field(factory=dict)
    """Type -> the schema of its values, where they are written in another way than by its class."""
    keys: Mapping[tuple[type[Any], str], Schema] = field(factory=dict)
    """Class and key -> what its schema says beside what the type does, as the `schema` of a field's metadata."""


def class_schema(cls: type[Any], forms: Forms) -> Schema:
    """Give the JSON Schema of a class of a spec: its keys with what they may hold, their texts and their defaults.

    The text of a key is the `doc` of its metadata, or the docstring below it. Raises TypeError, naming class and key,
    for a type of which no schema is known.
    """
    hints, texts = get_type_hints(cls), _docstrings(cls)
    properties: dict[str, Schema] = {}
    for one in fields(cls):
        more = one.metadata.get("schema", {}) | forms.keys.get((cls, one.name), {})
        try:
            schema = _type_schema(hints[one.name], forms, more)
        except TypeError as error:
            raise TypeError(f"{cls.__name__}.{one.name}: {error}") from error
        text = one.metadata.get("doc") or texts.get(one.name)
        about = {} if text is None else {"description": " ".join(text.split())}
        properties[one.name] = about | schema | about | _default(one, hints[one.name])
    required = [one.name for one in fields(cls) if one.default is NOTHING]
    return {
        "type": "object",
        "description": (cls.__doc__ or "").partition("\n")[0],
        "properties": properties,
        "additionalProperties": False,
        **({"required": required} if required else {}),
    }


def _type_schema(hint: Any, forms: Forms, more: Schema) -> Schema:
    """The schema of a type. `more`: what is known beside it."""
    parts = get_args(hint)
    if get_origin(hint) in (Union, UnionType):
        options = [_type_schema(part, forms, more) for part in parts if part is not NoneType]
        return {"anyOf": [*options, *([{"type": "null"}] if NoneType in parts else [])]}
    return _plain_schema(hint, forms) | more


def _plain_schema(hint: Any, forms: Forms) -> Schema:
    if hint in forms.types:
        return forms.types[hint]
    if hint in _KINDS:
        return _KINDS[hint]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"enum": [member.value for member in hint]}
    if isinstance(hint, type) and has(hint):
        return class_schema(hint, forms)
    origin, parts = get_origin(hint), get_args(hint)
    if origin is tuple and parts[1:] == (...,):
        return {"type": "array", "items": _type_schema(parts[0], forms, {})}
    if origin is Mapping and parts[0] is str:
        return {"type": "object", "additionalProperties": _type_schema(parts[1], forms, {})}
    raise TypeError(f"no schema is known of {hint}; give it one in `Forms.types`")


def _default(attribute: Attribute[Any], hint: Any) -> Schema:
    """The default of a key, where a file can hold it as one value."""
    value: Any = attribute.default
    if hint is Duration:
        return {"default": duration_text(value)}
    if isinstance(value, Enum) and value is not NOTHING:
        return {"default": value.value}
    return {"default": value} if isinstance(value, str | bool | int | float) else {}


def _docstrings(cls: type[Any]) -> dict[str, str]:
    """The docstrings below the fields of a class."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(body, ast.ClassDef)
    found = {}
    for line, below in zip(body.body, body.body[1:], strict=False):
        match line, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = text
    return found
