"""The domain of the delta builder: values and pure functions, no engine and no cloud SDK."""

from ndr_core.delta import DeltaPlan, Quarantined, compile_plan
from ndr_core.errors import NdrError, SpecError
from ndr_core.flow import FLOW_FIELDS, FlowRecord
from ndr_core.input_mapping import PRESETS, FieldSource, InputMapping, TimeFormat
from ndr_core.job_spec import JobSpec, RuntimeParams
from ndr_core.json_line import LineReader
from ndr_core.measures import Measure, OutputColumn, count, count_where, quantiles, sum_of
from ndr_core.merge import merge_deltas, merge_pairs
from ndr_core.quality import QualityReport
from ndr_core.reference import Tables, build_tables
from ndr_core.roles import INBOUND, OUTBOUND, Role
from ndr_core.spec_reader import parse_job_spec

__all__ = [
    "FLOW_FIELDS",
    "INBOUND",
    "OUTBOUND",
    "PRESETS",
    "DeltaPlan",
    "FieldSource",
    "FlowRecord",
    "InputMapping",
    "JobSpec",
    "LineReader",
    "Measure",
    "NdrError",
    "OutputColumn",
    "QualityReport",
    "Quarantined",
    "Role",
    "RuntimeParams",
    "SpecError",
    "Tables",
    "TimeFormat",
    "build_tables",
    "compile_plan",
    "count",
    "count_where",
    "merge_deltas",
    "merge_pairs",
    "parse_job_spec",
    "quantiles",
    "sum_of",
]
