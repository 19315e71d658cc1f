"""The JSON Schema of the JobSpec of a job of windows."""

from __future__ import annotations

from typing import Final

from ndr_core.deltas.spec_schema import PORTS
from ndr_core.features.kinds import with_kind
from ndr_core.jobs.spec_schema import DIALECT, Forms, Schema, class_schema
from ndr_core.windows.spec import KIND, FgASpec

_FORMS: Final = Forms(types={frozenset[int]: PORTS})


def fg_a_spec_schema() -> Schema:
    """Give the JSON Schema (draft 2020-12) of the JobSpec, as `parse_fg_a_spec` reads it.

    Each spec that is read fits in it. Of what is wrong with others it finds unknown keys, values of another kind, and
    values out of their bounds, but not what several keys say together.
    """
    spec = with_kind(class_schema(FgASpec, _FORMS), KIND)
    about = {"title": "JobSpec of windows", "description": "Which windows one job builds, of what."}
    return {"$schema": DIALECT, **spec, **about}
