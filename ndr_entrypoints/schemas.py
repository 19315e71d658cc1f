"""Schemas as JSON-ready rows."""

from __future__ import annotations

from collections.abc import Sequence

from ndr_core.delta import PAIR_COLUMNS, compile_plan
from ndr_core.flow import FLOW_FIELDS
from ndr_core.job_spec import JobSpec, RuntimeParams
from ndr_core.measures import OutputColumn


def schemas(spec: JobSpec) -> dict[str, list[dict[str, str]]]:
    """The flow record, and the tables that the spec builds."""
    plan = compile_plan(spec, RuntimeParams("schema", "schema"))
    flow = [
        {
            "field": field.name,
            "type": field.kind.value,
            "required": "yes" if field.required else "",
            "note": field.note,
        }
        for field in FLOW_FIELDS
    ]
    return {
        "Flow record": flow,
        "Delta table": _columns(plan.delta_columns),
        "Pair table": _columns(PAIR_COLUMNS),
    }


def _columns(columns: Sequence[OutputColumn]) -> list[dict[str, str]]:
    return [
        {
            "column": column.name,
            "type": column.type.value,
            "merges by": column.merge.value,
            "meaning": column.meaning,
        }
        for column in columns
    ]
