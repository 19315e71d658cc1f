"""Reading the JobSpec of a delta job from plain data."""

from __future__ import annotations

from typing import Any, Final

from attrs import evolve
from cattrs import Converter

from ndr_core.deltas.roles import ROLES, Role
from ndr_core.deltas.spec import JobSpec
from ndr_core.errors import nearest, shown
from ndr_core.flows.mapping import FieldSource, InputMapping
from ndr_core.flows.presets.registry import PRESETS
from ndr_core.flows.record import MAX_PORT
from ndr_core.jobs.mapping_reader import register_mapping
from ndr_core.jobs.spec_reader import read_spec, require_mapping, spec_converter, wrong_kind

_INHERITED: Final = ("null_values", "only", "files", "timezone", "lost", "pairing")
"""Keys of a preset, beside its fields, that hold where a JobSpec does not give its own."""

_FORMAT_KEYS: Final = frozenset({"format", "separator", "header"})
"""Of an input. Who names one of them says what the files are; a preset's own are for its source's usual files."""


def parse_job_spec(data: Any, origin: str = "JobSpec") -> JobSpec:
    """Read a JobSpec from plain data; give a complete and consistent one, or raise SpecError.

    `origin` names the source (file or table item) in messages.
    """
    return read_spec(data, JobSpec, _CONVERTER, origin)


def read_ports(value: Any, _cls: object) -> frozenset[int]:
    """Read ports from a list of numbers and 'low-high' ranges."""
    if not isinstance(value, list | tuple | set | frozenset):
        raise TypeError(wrong_kind(value, "a list of ports"))
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
    """Read the number of a port; give one that is none for a text that is too long."""
    return int(text) if len(text) <= len(str(MAX_PORT)) else MAX_PORT + 1


def _make_converter() -> Converter:
    converter = spec_converter()
    converter.register_structure_hook_func(lambda cls: cls == frozenset[int], read_ports)
    register_mapping(converter)
    structured = converter.get_structure_hook

    def field_source(value: Any, _cls: type) -> FieldSource:
        if isinstance(value, str):
            return FieldSource(column=value)
        require_mapping(value, "a column name or a mapping")
        source: FieldSource = plain_source(value, FieldSource)
        return source

    def input_mapping(value: Any, _cls: type) -> InputMapping:
        require_mapping(value, "a mapping")
        preset_name = value.get("preset")
        if preset_name is None:
            mapping: InputMapping = plain_input(value, InputMapping)
            return mapping
        if preset_name not in PRESETS:
            raise ValueError(
                f"unknown preset {shown(preset_name)}, {nearest(shown(preset_name), PRESETS)}"
            )
        preset = PRESETS[preset_name].mapping
        given: InputMapping = plain_input({"fields": {}, **value}, InputMapping)
        inherited: dict[str, Any] = {
            key: getattr(preset, key) for key in _INHERITED if key not in value
        }
        if _FORMAT_KEYS.isdisjoint(value):
            inherited |= {key: getattr(preset, key) for key in _FORMAT_KEYS}
        return evolve(given, fields={**preset.fields, **given.fields}, **inherited)

    def role(value: Any, _cls: type) -> Role:
        if isinstance(value, str):
            if value not in ROLES:
                raise ValueError(f"unknown role {shown(value)}, {nearest(value, ROLES)}")
            return ROLES[value]
        require_mapping(value, "a role name or a mapping")
        custom: Role = plain_role(value, Role)
        return custom

    plain_source = structured(FieldSource)
    plain_role = structured(Role)
    converter.register_structure_hook(FieldSource, field_source)
    converter.register_structure_hook(Role, role)
    plain_input = converter.get_structure_hook(InputMapping, cache_result=False)
    converter.register_structure_hook(InputMapping, input_mapping)
    return converter


_CONVERTER = _make_converter()
