"""The JobSpec of correlations: read, refused, written, and its JSON Schema."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from ndr_core.correlations.spec import FgCSpec, fg_c_spec_of
from ndr_core.correlations.spec_reader import parse_fg_c_spec
from ndr_core.correlations.spec_schema import fg_c_spec_schema
from ndr_core.errors import SpecError
from ndr_core.jobs.spec import JobKey
from ndr_core.windows.spec_reader import parse_fg_a_spec
from tests.unit.core.baselines.test_spec import FULL as FULL_BASELINES

LEAST: dict[str, Any] = {"kind": "fg_c", "project_name": "acme"}
SHARED = ("windows", "baselines", "networks", "calendar", "hosts", "engine", "storage")
FULL: dict[str, Any] = {
    **LEAST,
    "job_name": "departures",
    "feature_spec_version": "v2",
    "inputs": {"fg_a_job": "windows", "fg_b_job": "usual"},
    "anomaly": {"key_metrics": ["sessions_cnt"]},
    "exfil": {"min_bytes": 0},
    **{key: FULL_BASELINES[key] for key in SHARED},
}


def test_a_spec_needs_only_the_name_of_its_project() -> None:
    spec = parse_fg_c_spec(LEAST)

    assert spec.key == JobKey("acme", "fg_c", "v1")
    assert (spec.inputs.fg_a_job, spec.inputs.fg_b_job) == ("fg_a", "fg_b")
    assert spec.exfil.min_bytes == 10_000_000
    assert spec.anomaly.judging == (
        "sessions_cnt",
        "peer_ip_nunique",
        "peer_port_nunique",
        "drop_ratio",
    )


@pytest.mark.parametrize("data", [LEAST, FULL])
def test_a_spec_is_read_back_as_it_was_written(data: dict[str, Any]) -> None:
    spec = parse_fg_c_spec(data)

    again = parse_fg_c_spec(spec.to_plain())

    assert again == spec
    assert again.content_hash() == spec.content_hash()
    assert spec.content_hash() != parse_fg_c_spec(LEAST | {"job_name": "x"}).content_hash()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"exfill": {}}, "unknown key 'exfill', did you mean 'exfil'?"),
        ({"kind": "fg_b"}, "kind: unknown value 'fg_b', did you mean 'fg_c'?"),
        ({"inputs": {"fg_b_job": "a/b"}}, "inputs.fg_b_job: may hold letters"),
        ({"exfil": {"min_bytes": -1}}, "exfil.min_bytes: must lie between 0 and"),
        ({"anomaly": {"key_metrics": []}}, "anomaly.key_metrics: needs at least one metric"),
        (
            {"anomaly": {"key_metrics": ["allow_cnt"]}},
            "anomaly.key_metrics: allow_cnt is none of the metrics; add it to them",
        ),
        ({"exfil": {"min_bytes": 1 << 63}}, "exfil.min_bytes: must lie between 0 and"),
        ({"baselines": {"metrics": []}}, "baselines.metrics: needs at least one metric"),
        ({"calendar": {"zone": "Berlin"}}, "calendar.zone: unknown zone"),
    ],
)
def test_what_is_wrong_is_refused_with_its_key(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(SpecError) as error:
        parse_fg_c_spec(LEAST | changes, "spec x.yaml")

    assert str(error.value).startswith(f"spec x.yaml: {problem}")


@pytest.mark.parametrize("data", [LEAST, FULL])
def test_the_schema_takes_specs_that_are_read(data: dict[str, Any]) -> None:
    schema = fg_c_spec_schema()

    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(data, schema)
    jsonschema.validate(parse_fg_c_spec(data).to_plain(), schema)


@pytest.mark.parametrize(
    "changes", [{"exfil": {"min_bytes": -1}}, {"kind": "fg_b"}, {"excluded_periods": []}]
)
def test_the_schema_refuses_what_is_no_spec(changes: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(LEAST | changes, fg_c_spec_schema())


def test_a_spec_of_windows_implies_that_of_their_correlations() -> None:
    windows = parse_fg_a_spec(
        {"kind": "fg_a", "project_name": "test", "job_name": "ours", "feature_spec_version": "v5"}
    )

    correlations = fg_c_spec_of(windows)

    assert isinstance(correlations, FgCSpec)
    assert correlations.problems() == []
    assert correlations.key == JobKey("test", "fg_c", "v5")
    assert (correlations.inputs.fg_a_job, correlations.inputs.fg_b_job) == ("ours", "fg_b")
    assert correlations.windows.labels == windows.windows.labels
