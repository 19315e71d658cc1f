"""Reading the JobSpec of a job of pair history from plain data."""

from __future__ import annotations

from typing import Any

from ndr_core.features.kinds import without_kind
from ndr_core.history.spec import KIND, PairHistorySpec
from ndr_core.jobs.spec_reader import read_spec, spec_converter


def parse_pair_history_spec(data: Any, origin: str = "JobSpec") -> PairHistorySpec:
    """Read a JobSpec from plain data; give a complete and consistent one, or raise SpecError.

    `origin` names the source (file or table item) in messages.
    """
    return read_spec(without_kind(data, KIND, origin), PairHistorySpec, _CONVERTER, origin)


_CONVERTER = spec_converter()
