"""Which JobSpec a job of `ndr features` takes: one of its own kind, or that which one of windows implies."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ndr_adapters.local.spec_file import JobSpecFile
from ndr_core.baselines.spec import FgBSpec, fg_b_spec_of
from ndr_core.correlations.chain import Chain
from ndr_core.correlations.spec import FgCSpec, fg_c_spec_of
from ndr_core.deltas.spec import JobSpec
from ndr_core.errors import SpecError
from ndr_core.history.spec import PairHistorySpec
from ndr_core.spec_kinds import AnySpec
from ndr_core.windows.history_spec import history_spec_of
from ndr_core.windows.spec import FgASpec

FG_A: Final = "fg-a"
HISTORY: Final = "history"
FG_B: Final = "fg-b"
FG_C: Final = "fg-c"
JOBS: Final = (FG_A, HISTORY, FG_B, FG_C)


def job_of(job: str | None, spec: AnySpec) -> str:
    """Give the job that is asked for, else the one of the kind of the spec."""
    if job is not None:
        return job
    match spec:
        case PairHistorySpec():
            return HISTORY
        case FgBSpec():
            return FG_B
        case FgCSpec():
            return FG_C
    return FG_A


def windows_spec(spec: AnySpec, what: str = "windows") -> FgASpec:
    """Give a spec of windows. Raises SpecError for one of another kind; `what`: what is to be built by it."""
    if not isinstance(spec, FgASpec):
        raise SpecError(f"spec: is of another kind of job; {what} need one with kind: fg_a")
    return spec


def history_spec(spec: AnySpec) -> PairHistorySpec:
    """Give the spec of a history: one for itself, or the one that a spec of windows implies."""
    return spec if isinstance(spec, PairHistorySpec) else history_spec_of(windows_spec(spec))


def baselines_spec(spec: AnySpec) -> FgBSpec:
    """Give the spec of baselines, likewise."""
    if isinstance(spec, FgBSpec):
        return spec
    return fg_b_spec_of(windows_spec(spec, "baselines need one with kind: fg_b; those of windows"))


def correlations_spec(spec: AnySpec) -> FgCSpec:
    """Give the spec of correlations, likewise."""
    if isinstance(spec, FgCSpec):
        return spec
    return fg_c_spec_of(windows_spec(spec, "correlations"))


def chain_of(spec: AnySpec, others: Iterable[Path]) -> Chain:
    """Give the chain of jobs of a spec of windows. `others`: files of the JobSpecs of other jobs of it.

    Raises SpecError for a spec that does not belong to it.
    """
    given = [_of_features(path) for path in others]
    return Chain.of(windows_spec(spec), given)


def _of_features(path: Path) -> FgASpec | PairHistorySpec | FgBSpec | FgCSpec:
    spec = JobSpecFile(path).load_any()
    if isinstance(spec, JobSpec):
        raise SpecError(f"spec {path}: is of deltas; give one of a feature job")
    return spec
