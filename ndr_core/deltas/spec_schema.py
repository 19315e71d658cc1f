"""The JSON Schema of the JobSpec of a delta job."""

from __future__ import annotations

from typing import Final

from ndr_core.deltas.counters import COUNTER_ENDING
from ndr_core.deltas.measures import FIXED_NAMES
from ndr_core.deltas.roles import ROLES, Role
from ndr_core.deltas.settings import Delta
from ndr_core.deltas.spec import JobSpec
from ndr_core.flows.leaf import MAX_LEAF_NAMES
from ndr_core.flows.mapping import FieldSource, InputMapping
from ndr_core.flows.presets.registry import PRESETS
from ndr_core.flows.record import FLOW_FIELDS, MAX_PORT
from ndr_core.jobs.mapping_schema import MAPPING_TYPES
from ndr_core.jobs.spec_schema import DIALECT, Forms, Schema, class_schema

PORTS: Final[Schema] = {
    "type": "array",
    "items": {
        "anyOf": [
            {"type": "integer", "minimum": 0, "maximum": MAX_PORT},
            {"type": "string", "pattern": "^[0-9]{1,5}-[0-9]{1,5}$"},
        ]
    },
}
_MEASURES: Final[Schema] = {
    "items": {
        "anyOf": [
            {"enum": sorted(FIXED_NAMES)},
            {"type": "string", "pattern": f"^[a-z][a-z0-9_]*{COUNTER_ENDING}$"},
        ]
    }
}
_FORMS: Final = Forms(
    types={frozenset[int]: PORTS, **MAPPING_TYPES},
    keys={
        (InputMapping, "fields"): {
            "propertyNames": {"enum": [flow_field.name for flow_field in FLOW_FIELDS]}
        },
        (FieldSource, "path"): {"minItems": 1, "maxItems": MAX_LEAF_NAMES},
        (InputMapping, "preset"): {"enum": sorted(PRESETS)},
        (Delta, "measures"): _MEASURES,
    },
)


def job_spec_schema() -> Schema:
    """Give the JSON Schema (draft 2020-12) of the JobSpec, as `parse_job_spec` reads it.

    Each spec that is read fits in it. Of what is wrong with others it finds unknown keys, values of another kind, and
    values out of their bounds, but not what several keys say together.
    """
    shorter = {
        FieldSource: {"anyOf": [{"type": "string"}, class_schema(FieldSource, _FORMS)]},
        Role: {"anyOf": [{"enum": sorted(ROLES)}, class_schema(Role, _FORMS)]},
    }
    forms = Forms({**_FORMS.types, **shorter}, _FORMS.keys)
    mapping = class_schema(InputMapping, forms)
    mapping["anyOf"] = [{"required": mapping.pop("required")}, {"required": ["preset"]}]
    spec = class_schema(JobSpec, Forms({**forms.types, InputMapping: mapping}, forms.keys))
    about = {"title": "JobSpec", "description": "What one delta job reads, keeps and measures."}
    return {"$schema": DIALECT, **spec, **about}
