"""The key `kind` of a JobSpec: what its job builds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ndr_core.errors import SpecError, nearest, shown
from ndr_core.jobs.spec_schema import Schema

KIND_KEY: Final = "kind"


def without_kind(data: Any, kind: str, origin: str) -> Any:
    """Give the plain data of a spec without its kind. Raises SpecError, naming `origin`, for one of another kind."""
    if not isinstance(data, Mapping):
        return data
    found = data.get(KIND_KEY, kind)
    if found != kind:
        raise unknown_kind(found, [kind], origin)
    return {key: value for key, value in data.items() if key != KIND_KEY}


def unknown_kind(found: object, known: list[str], origin: str) -> SpecError:
    """Make the error that a spec is of a kind that is not among the known ones."""
    return SpecError(
        f"{origin}: {KIND_KEY}: unknown value {shown(found)}, {nearest(shown(found), known)}"
    )


def with_kind(schema: Schema, kind: str) -> Schema:
    """Give the JSON Schema of a spec that names its kind."""
    about = {"const": kind, "description": "what the job builds"}
    return {
        **schema,
        "properties": {KIND_KEY: about, **schema["properties"]},
        "required": [KIND_KEY, *schema.get("required", [])],
    }
