"""Reading the JobSpec of a job of baselines from plain data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from cattrs import Converter

from ndr_core.baselines.settings import Period
from ndr_core.baselines.spec import KIND, FgBSpec
from ndr_core.features.kinds import without_kind
from ndr_core.jobs.spec_reader import read_spec, wrong_kind
from ndr_core.windows.spec_reader import calendar_spec_converter


def parse_fg_b_spec(data: Any, origin: str = "JobSpec") -> FgBSpec:
    """Read a JobSpec from plain data; give a complete and consistent one, or raise SpecError.

    `origin` names the source (file or table item) in messages.
    """
    return read_spec(without_kind(data, KIND, origin), FgBSpec, _CONVERTER, origin)


def _make_converter() -> Converter:
    converter = calendar_spec_converter()
    plain_period = converter.get_structure_hook(Period)
    periods = tuple[Period, ...]
    plain_periods = converter.get_structure_hook(periods)

    def period(value: Any, cls: Any) -> Any:
        # YAML reads a time such as 2025-12-25T10:00:00Z as a time, not as a text.
        if isinstance(value, Mapping):
            value = {
                key: item.isoformat() if isinstance(item, date) else item
                for key, item in value.items()
            }
        return plain_period(value, cls)

    def listed(value: Any, cls: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise TypeError(wrong_kind(value, "a list of periods, each with start and end"))
        return plain_periods(value, cls)

    converter.register_structure_hook(Period, period)
    converter.register_structure_hook_func(lambda cls: cls == periods, listed)
    return converter


_CONVERTER = _make_converter()
