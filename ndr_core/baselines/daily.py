"""Which baselines a daily run makes: those that are complete by then, and a day before they are needed."""

from __future__ import annotations

from ndr_core.baselines.runs import baseline_runs
from ndr_core.baselines.spec import FgBSpec
from ndr_core.publishing.published import FollowedOutput


def dates_to_make(spec: FgBSpec, date: int, features: FollowedOutput) -> tuple[int, ...]:
    """Give the local dates whose baselines the daily run of a date makes, once it has summed up that date.

    They are those of the date after the next one, which end before `date` does, and those of the next one where the
    run of the day before has not made them. Where a horizon has no gap, `date` itself is part of the baselines of the
    next one: then these alone are made. Raises as `FollowedOutput.of_owners`.
    """
    following = date + 1
    if not all(horizon.gap for horizon in spec.baselines.horizons):
        return (following,)
    known = baseline_runs(features, spec.feature_spec_version, spec.job_name, [following])
    return (following + 1,) if following in known else (following, following + 1)
