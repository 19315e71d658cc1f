"""The JSON Schema of the JobSpec of a job of correlations."""

from __future__ import annotations

from ndr_core.correlations.spec import KIND, FgCSpec
from ndr_core.features.kinds import with_kind
from ndr_core.jobs.spec_schema import DIALECT, Forms, Schema, class_schema


def fg_c_spec_schema() -> Schema:
    """Give the JSON Schema (draft 2020-12) of the JobSpec, as `parse_fg_c_spec` reads it.

    Each spec that is read fits in it. Of what is wrong with others it finds unknown keys, values of another kind, and
    values out of their bounds, but not what several keys say together.
    """
    spec = with_kind(class_schema(FgCSpec, Forms()), KIND)
    about = {
        "title": "JobSpec of correlations",
        "description": "Which windows one job compares with what is usual.",
    }
    return {"$schema": DIALECT, **spec, **about}
