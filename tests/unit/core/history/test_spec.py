"""The JobSpec of pair history: what it holds, what it refuses, and its JSON Schema."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from ndr_core.errors import SpecError
from ndr_core.features.networks import DEFAULT_INTERNAL, Hosts, Networks
from ndr_core.features.settings import FeatureStorage
from ndr_core.history.spec import PairHistorySpec, PairInputs
from ndr_core.history.spec_reader import parse_pair_history_spec
from ndr_core.history.spec_schema import pair_history_spec_schema
from ndr_core.jobs.choice import EngineSettings
from ndr_core.jobs.spec import JobKey

LEAST: dict[str, Any] = {"kind": "pair_history", "project_name": "acme"}
WHOLE: dict[str, Any] = {
    "kind": "pair_history",
    "project_name": "acme",
    "job_name": "history_2",
    "feature_spec_version": "v2",
    "inputs": {"feature_spec_version": "v1"},
    "networks": {"internal": ["10.0.0.0/8"], "segments": {"lab": ["10.1.0.0/16"]}},
    "hosts": "all",
    "engine": {"one_machine_bytes": 1000},
    "storage": {"deltas_prefix": "s3://bucket/deltas"},
}


def test_a_project_is_all_that_it_needs() -> None:
    spec = parse_pair_history_spec(LEAST)

    assert spec == PairHistorySpec("acme")
    assert spec.key == JobKey("acme", "pair_history", "v1")
    assert spec.hosts is Hosts.INTERNAL
    assert spec.networks.internal == DEFAULT_INTERNAL
    assert spec.inputs.deltas_version("v1") == "v1"


def test_every_key_is_read() -> None:
    assert parse_pair_history_spec(WHOLE) == PairHistorySpec(
        "acme",
        "history_2",
        "v2",
        PairInputs("v1"),
        Networks(("10.0.0.0/8",), {"lab": ("10.1.0.0/16",)}),
        Hosts.ALL,
        EngineSettings(1000),
        FeatureStorage("s3://bucket/deltas"),
    )


@pytest.mark.parametrize("data", [LEAST, WHOLE])
def test_plain_data_are_read_back_as_an_equal_spec(data: dict[str, Any]) -> None:
    spec = parse_pair_history_spec(data)

    again = parse_pair_history_spec(spec.to_plain())

    assert again.to_plain() == spec.to_plain()
    assert again.content_hash() == spec.content_hash()


def test_specs_that_differ_have_other_hashes() -> None:
    assert (
        parse_pair_history_spec(LEAST).content_hash()
        != parse_pair_history_spec(WHOLE).content_hash()
    )


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"host": "all"}, "unknown key 'host', did you mean 'hosts'?"),
        ({"hosts": "external"}, "hosts: unknown value 'external', did you mean 'internal'?"),
        ({"kind": "fg_a"}, "kind: unknown value 'fg_a'"),
        ({"inputs": {"history_job": "x"}}, "inputs: unknown key 'history_job'"),
        ({"inputs": {"feature_spec_version": "a/b"}}, "inputs.feature_spec_version: may hold"),
        ({"job_name": ""}, "job_name: may hold"),
        ({"networks": {"internal": []}}, "networks.internal: needs at least one network"),
        ({"engine": {"one_machine_bytes": -1}}, "engine.one_machine_bytes: must not be negative"),
        ({"storage": {"deltas_prefix": "/tmp"}}, "storage.deltas_prefix: "),
    ],
)
def test_what_is_wrong_is_named_by_its_key(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(SpecError) as error:
        parse_pair_history_spec(LEAST | change, "history.yaml")

    assert f"history.yaml: {problem}" in str(error.value)


def test_a_project_name_must_be_given() -> None:
    with pytest.raises(SpecError, match=r"^JobSpec: project_name: is missing$"):
        parse_pair_history_spec({"kind": "pair_history"})


@pytest.mark.parametrize("data", [LEAST, WHOLE])
def test_each_spec_that_is_read_fits_its_schema(data: dict[str, Any]) -> None:
    schema = pair_history_spec_schema()

    jsonschema.validate(data, schema)
    jsonschema.validate(parse_pair_history_spec(data).to_plain(), schema)
    assert schema["title"] == "JobSpec of pair history"


@pytest.mark.parametrize("change", [{"host": "all"}, {"hosts": "external"}, {"kind": "delta"}])
def test_the_schema_refuses_unknown_keys_and_values(change: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(LEAST | change, pair_history_spec_schema())
