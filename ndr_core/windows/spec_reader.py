"""Reading the JobSpec of a job of windows from plain data."""

from __future__ import annotations

from datetime import date
from typing import Any

from cattrs import Converter

from ndr_core.deltas.spec_reader import read_ports
from ndr_core.features.kinds import without_kind
from ndr_core.jobs.spec_reader import read_spec, spec_converter, wrong_kind
from ndr_core.windows.spec import KIND, FgASpec


def parse_fg_a_spec(data: Any, origin: str = "JobSpec") -> FgASpec:
    """Read a JobSpec from plain data; give a complete and consistent one, or raise SpecError.

    `origin` names the source (file or table item) in messages.
    """
    return read_spec(without_kind(data, KIND, origin), FgASpec, _CONVERTER, origin)


def _days(value: Any, _cls: object) -> tuple[int, ...]:
    """Read a list of days of the week."""
    if not isinstance(value, list | tuple) or any(type(day) is not int for day in value):
        raise TypeError(wrong_kind(value, "a list of days, Monday is 1"))
    return tuple(value)


def calendar_spec_converter() -> Converter:
    """Make a converter of specs that hold a calendar, labels of windows, or sets of ports."""
    converter = spec_converter()
    converter.register_structure_hook_func(lambda cls: cls == frozenset[int], read_ports)
    converter.register_structure_hook_func(lambda cls: cls == tuple[int, ...], _days)
    plain_texts = converter.get_structure_hook(tuple[str, ...])

    def texts(value: Any, cls: Any) -> Any:
        # YAML reads a date such as 2025-12-25 as a date, not as a text.
        if isinstance(value, list | tuple):
            value = [item.isoformat() if type(item) is date else item for item in value]
        return plain_texts(value, cls)

    converter.register_structure_hook_func(lambda cls: cls == tuple[str, ...], texts)
    return converter


_CONVERTER = calendar_spec_converter()
