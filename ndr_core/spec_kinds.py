"""The kinds of JobSpecs: which job a file or an item is for, and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from attrs import frozen

from ndr_core.baselines.spec import KIND as FG_B
from ndr_core.baselines.spec import FgBSpec
from ndr_core.baselines.spec_reader import parse_fg_b_spec
from ndr_core.baselines.spec_schema import fg_b_spec_schema
from ndr_core.correlations.spec import KIND as FG_C
from ndr_core.correlations.spec import FgCSpec
from ndr_core.correlations.spec_reader import parse_fg_c_spec
from ndr_core.correlations.spec_schema import fg_c_spec_schema
from ndr_core.deltas.spec import JobSpec
from ndr_core.deltas.spec_reader import parse_job_spec
from ndr_core.deltas.spec_schema import job_spec_schema
from ndr_core.errors import SpecError
from ndr_core.features.kinds import KIND_KEY, unknown_kind, without_kind
from ndr_core.history.spec import KIND as PAIR_HISTORY
from ndr_core.history.spec import PairHistorySpec
from ndr_core.history.spec_reader import parse_pair_history_spec
from ndr_core.history.spec_schema import pair_history_spec_schema
from ndr_core.jobs.spec_schema import Schema
from ndr_core.windows.spec import KIND as FG_A
from ndr_core.windows.spec import FgASpec
from ndr_core.windows.spec_reader import parse_fg_a_spec
from ndr_core.windows.spec_schema import fg_a_spec_schema

DELTA: Final = "delta"
"""The kind of a spec that names none."""

AnySpec = JobSpec | FgASpec | PairHistorySpec | FgBSpec | FgCSpec
SpecT = TypeVar("SpecT", bound=AnySpec)


@frozen
class SpecKind:
    """How the specs of one kind are read and written."""

    cls: type[AnySpec]
    parse: Callable[[Any, str], AnySpec]
    """Plain data and the name of its source -> the spec."""
    schema: Callable[[], Schema]


def _delta(data: Any, origin: str) -> JobSpec:
    return parse_job_spec(without_kind(data, DELTA, origin), origin)


KINDS: Final[Mapping[str, SpecKind]] = {
    DELTA: SpecKind(JobSpec, _delta, job_spec_schema),
    FG_A: SpecKind(FgASpec, parse_fg_a_spec, fg_a_spec_schema),
    PAIR_HISTORY: SpecKind(PairHistorySpec, parse_pair_history_spec, pair_history_spec_schema),
    FG_B: SpecKind(FgBSpec, parse_fg_b_spec, fg_b_spec_schema),
    FG_C: SpecKind(FgCSpec, parse_fg_c_spec, fg_c_spec_schema),
}
"""Kind, as the key `kind` names it -> how its specs are read."""


def parse_spec(data: Any, origin: str = "JobSpec") -> AnySpec:
    """Read a JobSpec of any kind from plain data. Data without `kind` is of a delta job.

    `origin` names the source (file or table item) in messages. Raises SpecError for anything but a complete and
    consistent spec of a known kind.
    """
    kind = data.get(KIND_KEY, DELTA) if isinstance(data, Mapping) else DELTA
    if not isinstance(kind, str) or kind not in KINDS:
        raise unknown_kind(kind, list(KINDS), origin)
    return KINDS[kind].parse(data, origin)


def kind_of(spec: AnySpec) -> str:
    """Name the kind of a spec."""
    return next(name for name, kind in KINDS.items() if isinstance(spec, kind.cls))


def expect(spec: AnySpec, cls: type[SpecT], origin: str) -> SpecT:
    """Give a spec that must be of one kind. Raises SpecError, naming `origin`, for one of another kind."""
    if isinstance(spec, cls):
        return spec
    wanted = next(name for name, kind in KINDS.items() if kind.cls is cls)
    raise SpecError(
        f"{origin}: is the JobSpec of another kind of job: {KIND_KEY} is {kind_of(spec)}, expected {wanted}"
    )
