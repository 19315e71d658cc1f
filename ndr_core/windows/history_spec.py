"""The JobSpec of the history that a job of windows reads: all that the history means is in the spec of the windows."""

from __future__ import annotations

from ndr_core.history.spec import PairHistorySpec, PairInputs
from ndr_core.windows.spec import FgASpec


def history_spec_of(spec: FgASpec) -> PairHistorySpec:
    """Give the spec of the history job whose rows a job of windows reads: it agrees in all that they must agree in."""
    return PairHistorySpec(
        project_name=spec.project_name,
        job_name=spec.inputs.history_job,
        feature_spec_version=spec.feature_spec_version,
        inputs=PairInputs(spec.inputs.feature_spec_version),
        networks=spec.networks,
        hosts=spec.hosts,
        engine=spec.engine,
        storage=spec.storage,
    )
