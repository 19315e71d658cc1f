"""Plain data (from YAML, JSON or a table item) -> JobSpec, with errors that name the key."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from attrs import evolve, fields
from cattrs import BaseValidationError, Converter, ForbiddenExtraKeysError, transform_error

from ndr_core.errors import SpecError, nearest, shown
from ndr_core.flow import MAX_PORT
from ndr_core.input_mapping import PRESETS, FieldSource, InputMapping
from ndr_core.job_spec import JobSpec
from ndr_core.measures import measures_for, select_measures
from ndr_core.roles import ROLES, Role

_MOST_PROBLEMS: Final = 20


def parse_job_spec(data: Any, origin: str = "JobSpec") -> JobSpec:
    """JobSpec from plain data; a complete and consistent one, or SpecError.

    `origin` names the source (file or table item) in messages. Every problem found is listed, each
    with its key and, for an unknown key, the nearest known one.
    """
    if not isinstance(data, Mapping):
        raise SpecError(f"{origin}: holds {_kind(data)} where a mapping of keys is due")
    try:
        spec = _CONVERTER.structure(data, JobSpec)
    except BaseValidationError as error:
        raise SpecError(_listed(origin, [_keyed(line) for line in _messages(error)])) from None
    problems = spec.problems()
    if not problems:
        problems = select_measures(measures_for(spec), spec.delta.measures)[1]
    if problems:
        raise SpecError(_listed(origin, [f"{key}: {message}" for key, message in problems]))
    return spec


def _listed(origin: str, lines: list[str]) -> str:
    more = [f".. and {len(lines) - _MOST_PROBLEMS} more"] if len(lines) > _MOST_PROBLEMS else []
    return "\n".join(f"{origin}: {line}" for line in [*lines[:_MOST_PROBLEMS], *more])


def _messages(error: BaseValidationError) -> list[str]:
    return transform_error(error, path="", format_exception=_describe)


def _keyed(line: str) -> str:
    message, _, path = line.rpartition(" @ ")
    key = path.replace("['", ".").replace("']", "").lstrip(".")
    return f"{key}: {message}" if key else message


def _describe(error: BaseException, _expected: type | None) -> str:
    match error:
        case ForbiddenExtraKeysError(cl=cls, extra_fields=extra):
            known = [attribute.name for attribute in fields(cls)]
            unknown = sorted(map(str, extra))[:_MOST_PROBLEMS]
            return "; ".join(f"unknown key {shown(key)}, {nearest(key, known)}" for key in unknown)
        case KeyError(args=(str(key),)):
            return f"the key {shown(key)} is missing"
    return str(error)


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    names = {bool: "true/false", int: "a number", float: "a number", str: "text", list: "a list"}
    return names.get(
        type(value), "a mapping" if isinstance(value, Mapping) else type(value).__name__
    )


def _scalar(value: Any, cls: type) -> Any:
    if cls is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not cls:
        due = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}[cls]
        raise TypeError(f"{shown(value)} is {_kind(value)} where {due} is due")
    return value


def _enum(value: Any, cls: type[Enum]) -> Enum:
    try:
        return cls(value)
    except ValueError:
        raise ValueError(
            f"unknown value {shown(value)}, {nearest(shown(value), [member.value for member in cls])}"
        ) from None


def _ports(value: Any, _cls: object) -> frozenset[int]:
    """Ports from a list of numbers and 'low-high' ranges."""
    if not isinstance(value, list | tuple | set | frozenset):
        raise TypeError(f"{shown(value)} is {_kind(value)} where a list of ports is due")
    ports: set[int] = set()
    ranges: set[tuple[int, int]] = set()
    for item in value:
        if isinstance(item, int) and not isinstance(item, bool):
            ports.add(item)
            continue
        low, dash, high = str(item).partition("-")
        if not (
            dash and low.isdecimal() and high.isdecimal() and _port(low) <= _port(high) <= MAX_PORT
        ):
            raise ValueError(f"{shown(item)} is neither a port nor a range such as '5900-5910'")
        ranges.add((int(low), int(high)))
    covered = -1
    for first, last in sorted(ranges):  # each port once, however many ranges hold it
        ports.update(range(max(first, covered + 1), last + 1))
        covered = max(covered, last)
    return frozenset(ports)


def _port(text: str) -> int:
    """The number of a port, or one that is none."""
    return int(text) if len(text) <= len(str(MAX_PORT)) else MAX_PORT + 1


def _make_converter() -> Converter:
    converter = Converter(forbid_extra_keys=True)
    for scalar in (str, int, float, bool):
        converter.register_structure_hook(scalar, _scalar)
    converter.register_structure_hook_func(
        lambda cls: isinstance(cls, type) and issubclass(cls, Enum), _enum
    )
    converter.register_structure_hook_func(lambda cls: cls == frozenset[int], _ports)
    structured = converter.get_structure_hook

    def field_source(value: Any, _cls: type) -> FieldSource:
        if isinstance(value, str):
            return FieldSource(column=value)
        _require_mapping(value, "a column name or a mapping")
        source: FieldSource = plain_source(value, FieldSource)
        return source

    def input_mapping(value: Any, _cls: type) -> InputMapping:
        _require_mapping(value, "a mapping")
        preset_name = value.get("preset")
        if preset_name is None:
            mapping: InputMapping = plain_input(value, InputMapping)
            return mapping
        if preset_name not in PRESETS:
            raise ValueError(
                f"unknown preset {shown(preset_name)}, {nearest(shown(preset_name), PRESETS)}"
            )
        preset = PRESETS[preset_name]
        own: InputMapping = plain_input({"fields": {}, **value}, InputMapping)
        merged = evolve(own, fields={**preset.fields, **own.fields})
        return merged if "null_values" in value else evolve(merged, null_values=preset.null_values)

    def role(value: Any, _cls: type) -> Role:
        if isinstance(value, str):
            if value not in ROLES:
                raise ValueError(f"unknown role {shown(value)}, {nearest(value, ROLES)}")
            return ROLES[value]
        _require_mapping(value, "a role name or a mapping")
        own: Role = plain_role(value, Role)
        return own

    plain_source = structured(FieldSource)
    plain_role = structured(Role)
    converter.register_structure_hook(FieldSource, field_source)
    converter.register_structure_hook(Role, role)
    plain_input = converter.get_structure_hook(InputMapping, cache_result=False)
    converter.register_structure_hook(InputMapping, input_mapping)
    return converter


def _require_mapping(value: Any, due: str) -> None:
    if not isinstance(value, Mapping):
        raise TypeError(f"{shown(value)} is {_kind(value)} where {due} is due")


_CONVERTER = _make_converter()
