"""Reading the JobSpec of a job of correlations from plain data."""

from __future__ import annotations

from typing import Any

from ndr_core.correlations.spec import KIND, FgCSpec
from ndr_core.features.kinds import without_kind
from ndr_core.jobs.spec_reader import read_spec
from ndr_core.windows.spec_reader import calendar_spec_converter


def parse_fg_c_spec(data: Any, origin: str = "JobSpec") -> FgCSpec:
    """Read a JobSpec from plain data; give a complete and consistent one, or raise SpecError.

    `origin` names the source (file or table item) in messages.
    """
    return read_spec(without_kind(data, KIND, origin), FgCSpec, _CONVERTER, origin)


_CONVERTER = calendar_spec_converter()
