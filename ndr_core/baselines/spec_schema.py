"""The JSON Schema of the JobSpec of a job of baselines."""

from __future__ import annotations

from ndr_core.baselines.spec import KIND, FgBSpec
from ndr_core.features.kinds import with_kind
from ndr_core.jobs.spec_schema import DIALECT, Forms, Schema, class_schema


def fg_b_spec_schema() -> Schema:
    """Give the JSON Schema (draft 2020-12) of the JobSpec, as `parse_fg_b_spec` reads it.

    Each spec that is read fits in it. Of what is wrong with others it finds unknown keys, values of another kind, and
    values out of their bounds, but not what several keys say together.
    """
    spec = with_kind(class_schema(FgBSpec, Forms()), KIND)
    about = {
        "title": "JobSpec of baselines",
        "description": "Of which windows and which of their numbers one job learns what is usual.",
    }
    return {"$schema": DIALECT, **spec, **about}
