"""What is a JobSpec fits in its JSON Schema; unknown keys, and values of another kind, do not."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ndr_core.deltas.roles import INBOUND
from ndr_core.deltas.spec_reader import parse_job_spec
from ndr_core.deltas.spec_schema import job_spec_schema
from ndr_core.errors import SpecError
from ndr_core.flows.presets.registry import PRESETS

SCHEMA = job_spec_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
VALID: dict[str, Any] = {"project_name": "p", "input": {"preset": "paloalto"}}
FIELDS = {
    "source_ip": "a",
    "destination_ip": {"column": "b", "optional": True},
    "event_start": {"column": "c", "format": "epoch_ms"},
}
CUSTOM = {
    "name": "inbound",
    "host": "destination_ip",
    "peer": "source_ip",
    "sent": "destination_bytes",
    "received": "source_bytes",
}


def problems(data: Any) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(data)]


def test_it_is_a_json_schema_of_the_draft_that_it_names() -> None:
    Draft202012Validator.check_schema(SCHEMA)

    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


def test_each_call_gives_a_schema_of_its_own() -> None:
    first = job_spec_schema()
    before = copy.deepcopy(first)
    first["properties"]["input"]["properties"].clear()

    assert job_spec_schema() == before


def test_every_key_of_every_part_says_what_it_is() -> None:
    for name, part in SCHEMA["properties"].items():
        assert part["description"], name
        for key, inner in part.get("properties", {}).items():
            assert inner["description"], f"{name}.{key}"


VALID_PARTS: list[dict[str, Any]] = [
    {},
    *({"input": {"preset": preset}} for preset in PRESETS),
    {"input": {"fields": FIELDS, "null_values": ["-"]}},
    {"input": {"preset": "zeek", "fields": {"event_name": {"constant": "TRAFFIC"}}}},
    {"input": {"preset": "zeek", "fields": {"event_action": {"column": "a", "map": {"x": "y"}}}}},
    {"roles": ["outbound", CUSTOM]},
    {"delta": {"measures": None}},
    {
        "delta": {
            "measures": ["sessions_cnt", "web_sessions_cnt", "dns_tcp_cnt", "bytes_sent_quantiles"],
            "short_session_seconds": 1,
            "slice_minutes": 60,
            "moment": "event_start",
            "counters": {
                "dns_tcp_cnt": {"network_transport": ["TCP"], "peer_port": [53, "1024-65535"]},
                "brief_cnt": {"event_reason": ["tcp-rst*"], "duration_s": ">= 0.1 <0.2"},
            },
        }
    },
    {"enrichment": {"port_sets": {"web": [80, "8000-8080"], "none": []}}},
    {"engine": {"one_machine_bytes": 0}},
    {"storage": {"input_prefix": "s3://bucket/in", "output_prefix": "s3://bucket/out"}},
    {
        "quality": {
            "deduplicate_on": ["uid", "source_ip"],
            "max_rejected_fraction": 1,
            "min_records": 5,
            "allowed_lateness": "7d",
            "allowed_earliness": "0s",
            "on_unreadable_file": "quarantine",
        }
    },
]


@pytest.mark.parametrize("part", VALID_PARTS, ids=str)
def test_a_spec_that_is_read_fits_as_it_is_written_and_with_all_defaults(
    part: dict[str, Any],
) -> None:
    data = VALID | part

    spec = parse_job_spec(data)

    assert problems(data) == []
    assert problems(spec.to_plain()) == []


@pytest.mark.parametrize(
    "part",
    [
        {"projct_name": "x"},
        {"project_name": "../etc"},
        {"project_name": None},
        {"feature_spec_version": "a/b"},
        {"quality": 5},
        {"quality": {"min_record": 1}},
        {"quality": {"min_records": "many"}},
        {"quality": {"min_records": True}},
        {"quality": {"min_records": -1}},
        {"quality": {"max_rejected_fraction": 2}},
        {"quality": {"allowed_lateness": 24}},
        {"quality": {"allowed_earliness": "soon"}},
        {"quality": {"deduplicate_on": "uid"}},
        {"quality": {"on_unreadable_file": "skip"}},
        {"delta": {"slice_minutes": 7}},
        {"delta": {"moment": "event_ende"}},
        {"delta": {"short_session_seconds": -1}},
        {"delta": {"measures": ["sesions"]}},
        {"delta": {"counters": [1]}},
        {"delta": {"counters": {"dns_tcp": {"peer_port": [53]}}}},
        {"delta": {"counters": {"A_cnt": {"peer_port": [53]}}}},
        {"delta": {"counters": {"a_cnt": {"peer_prot": [53]}}}},
        {"delta": {"counters": {"a_cnt": {"peer_port": []}}}},
        {"delta": {"counters": {"a_cnt": {"peer_port": [70000]}}}},
        {"delta": {"counters": {"a_cnt": {"network_transport": "TCP"}}}},
        {"delta": {"counters": {"a_cnt": {"duration_s": "0.2"}}}},
        {"delta": {"counters": {"a_cnt": {"duration_s": 0.2}}}},
        {"input": []},
        {"input": {}},
        {"input": {"preset": "zeke"}},
        {"input": {"preset": "zeek", "fields": {"sorce_ip": "a"}}},
        {"input": {"preset": "zeek", "fields": {"source_ip": 5}}},
        {"input": {"preset": "zeek", "fields": {"source_ip": {"colum": "a"}}}},
        {
            "input": {
                "preset": "zeek",
                "fields": {"event_start": {"column": "a", "format": "epoch"}},
            }
        },
        {"roles": []},
        {"roles": ["outbond"]},
        {"roles": ["inbound", "inbound"]},
        {"roles": [{"name": "x"}]},
        {"enrichment": {"port_sets": {"web": [80, 70000]}}},
        {"enrichment": {"port_sets": {"web": ["http"]}}},
        {"enrichment": {"port_sets": {"Web": [80]}}},
        {"engine": {"one_machine_bytes": -1}},
        {"storage": {"input_prefix": "b/in"}},
    ],
    ids=str,
)
def test_a_wrong_spec_that_is_refused_does_not_fit(part: dict[str, Any]) -> None:
    data = VALID | part

    with pytest.raises(SpecError):
        parse_job_spec(data)
    assert problems(data)


def test_a_known_role_is_given_by_its_name() -> None:
    assert {"enum": ["inbound", "outbound"]} in SCHEMA["properties"]["roles"]["items"]["anyOf"]
    assert INBOUND.name == "inbound"
