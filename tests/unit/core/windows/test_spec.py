"""The JobSpec of windows: read, refused, written, and its JSON Schema."""

from __future__ import annotations

from datetime import date
from typing import Any

import jsonschema
import pytest

from ndr_core.errors import SpecError
from ndr_core.features.networks import Hosts
from ndr_core.jobs.spec import JobKey
from ndr_core.windows.spec_reader import parse_fg_a_spec
from ndr_core.windows.spec_schema import fg_a_spec_schema

LEAST: dict[str, Any] = {"kind": "fg_a", "project_name": "acme"}
FULL: dict[str, Any] = {
    **LEAST,
    "job_name": "windows",
    "feature_spec_version": "v2",
    "windows": {"labels": {"w_15m": "15m", "w_24h": "6h"}, "sources": ["firewall", "zeek"]},
    "inputs": {"feature_spec_version": "v1", "history_job": "history"},
    "networks": {"internal": ["10.0.0.0/8"], "segments": {"servers": ["10.1.0.0/16"]}},
    "calendar": {
        "zone": "Europe/Berlin",
        "work_from": 8,
        "work_until": 18,
        "off_until": 23,
        "weekend_days": [5, 6],
        "holidays": ["2025-12-25"],
    },
    "port_sets": {"auth": [22, "3389-3390"], "admin": [22], "fileshare": [], "directory": [389]},
    "hosts": "all",
    "engine": {"one_machine_bytes": 1000},
    "storage": {"deltas_prefix": "s3://bucket/deltas", "features_prefix": "s3://bucket/features"},
}


def test_a_spec_needs_only_the_name_of_its_project() -> None:
    spec = parse_fg_a_spec(LEAST)

    assert spec.key == JobKey("acme", "fg_a", "v1")
    assert [label.name for label in spec.windows.window_labels] == [
        "w_15m",
        "w_30m",
        "w_1h",
        "w_8h",
        "w_24h",
    ]
    assert spec.hosts is Hosts.INTERNAL
    assert spec.calendar.zone == "UTC"


def test_a_spec_says_all_that_it_can() -> None:
    spec = parse_fg_a_spec(FULL)

    assert spec.port_sets.auth == {22, 3389, 3390}
    assert spec.hosts is Hosts.ALL
    assert spec.networks.segments == {"servers": ("10.1.0.0/16",)}
    assert [(label.name, label.every) for label in spec.windows.window_labels] == [
        ("w_15m", 15),
        ("w_24h", 360),
    ]


@pytest.mark.parametrize("data", [LEAST, FULL])
def test_a_spec_is_read_back_as_it_was_written(data: dict[str, Any]) -> None:
    spec = parse_fg_a_spec(data)

    again = parse_fg_a_spec(spec.to_plain())

    assert again == spec
    assert again.content_hash() == spec.content_hash()
    assert spec.content_hash() != parse_fg_a_spec(LEAST | {"job_name": "x"}).content_hash()


def test_a_holiday_may_be_a_date_as_yaml_reads_it() -> None:
    spec = parse_fg_a_spec(LEAST | {"calendar": {"holidays": [date(2025, 12, 25)]}})

    assert spec.calendar.holidays == ("2025-12-25",)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"windos": {}}, "unknown key 'windos', did you mean 'windows'?"),
        ({"windows": {"lables": {}}}, "windows: unknown key 'lables', did you mean 'labels'?"),
        ({"kind": "fg_b"}, "kind: unknown value 'fg_b', did you mean 'fg_a'?"),
        ({"windows": {"labels": {"w_15m": 15}}}, "windows.labels.w_15m: 15 is a number, expected a duration"),
        ({"windows": {"labels": {"w_15m": "7m"}}}, "windows.labels.w_15m: must be whole minutes"),
        ({"calendar": {"weekend_days": "Sunday"}}, "calendar.weekend_days: 'Sunday' is text, expected a list of days"),
        ({"calendar": {"weekend_days": [6, True]}}, "calendar.weekend_days: [6, True] is a list, expected"),
        ({"calendar": {"holidays": "2025-12-25"}}, "calendar.holidays: '2025-12-25' is text, expected a list of texts"),
        ({"calendar": {"holidays": ["Christmas"]}}, "calendar.holidays: 'Christmas' is no date such as 2025-12-25"),
        ({"port_sets": {"web": [80]}}, "port_sets: unknown key 'web', known: admin, auth, directory, fileshare"),
        ({"port_sets": {"auth": [70000]}}, "port_sets.auth: ports lie between 0 and 65535"),
        ({"networks": {"internal": "10.0.0.0/8"}}, "networks.internal: '10.0.0.0/8' is text, expected a list of texts"),
        ({"hosts": "some"}, "hosts: unknown value 'some', known: all, internal"),
        ({"inputs": {"feature_spec_version": "a/b"}}, "inputs.feature_spec_version: may hold letters"),
        ({"job_name": "a b"}, "job_name: may hold letters"),
        ({"storage": {"deltas_prefix": "/tmp"}}, "storage.deltas_prefix: "),
        ({"engine": {"one_machine_bytes": -1}}, "engine.one_machine_bytes: must not be negative"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_its_key(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(SpecError) as error:
        parse_fg_a_spec(LEAST | changes, "spec x.yaml")

    assert str(error.value).startswith(f"spec x.yaml: {problem}")


def test_a_spec_without_a_project_is_refused() -> None:
    with pytest.raises(SpecError, match=r"^JobSpec: project_name: is missing$"):
        parse_fg_a_spec({"kind": "fg_a"})


@pytest.mark.parametrize("data", [LEAST, FULL])
def test_the_schema_takes_specs_that_are_read(data: dict[str, Any]) -> None:
    schema = fg_a_spec_schema()

    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(data, schema)
    jsonschema.validate(parse_fg_a_spec(data).to_plain(), schema)


@pytest.mark.parametrize(
    "changes",
    [
        {"windos": {}},
        {"kind": "fg_b"},
        {"windows": {"labels": {"w_1d": "1h"}}},
        {"calendar": {"weekend_days": [8]}},
        {"calendar": {"holidays": ["Christmas"]}},
        {"port_sets": {"auth": ["x"]}},
        {"networks": {"internal": []}},
    ],
)
def test_the_schema_refuses_what_is_no_spec(changes: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(LEAST | changes, fg_a_spec_schema())
