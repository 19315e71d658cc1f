"""What all jobs of an output must agree in, and what they need not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ndr_core.deltas.meaning import MEANING_VERSION, meaning_of, measures_of
from tests.makers import make_spec

INBOUND = {
    "name": "inbound",
    "host": "destination_ip",
    "peer": "source_ip",
    "sent": "destination_bytes",
    "received": "source_bytes",
}
OUTBOUND = {
    "name": "outbound",
    "host": "source_ip",
    "peer": "destination_ip",
    "sent": "source_bytes",
    "received": "destination_bytes",
}


def test_what_a_column_means_hangs_on_these_keys() -> None:
    meaning = meaning_of(make_spec(delta={"short_session_seconds": 2.0}))

    assert list(meaning) == [
        "meaning_version",
        "delta.slice_minutes",
        "delta.moment",
        "roles",
        "delta.measures",
        "delta.short_session_seconds",
        "enrichment.port_sets",
        "delta.counters",
        "pair.timing",
    ]
    assert meaning["meaning_version"] == MEANING_VERSION == 4
    assert (meaning["delta.slice_minutes"], meaning["delta.moment"]) == (15, "event_end")
    assert meaning["delta.measures"] is None
    assert meaning["pair.timing"] is True
    assert meaning["delta.short_session_seconds"] == 2.0
    assert meaning["enrichment.port_sets"]["web"] == [80, 443, 8000, 8080, 8443]
    assert meaning["roles"]["inbound"]["host"] == "destination_ip"


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"delta": {"measures": ["sessions_cnt"]}, "roles": [INBOUND]},
        {"enrichment": {"port_sets": {}}},
        {"delta": {"counters": {"a_cnt": {"peer_port": [53, "60-70"], "duration_s": "<0.2"}}}},
    ],
)
def test_it_is_the_same_once_it_was_written_as_json_and_read_back(parts: dict[str, Any]) -> None:
    meaning = meaning_of(make_spec(**parts))

    assert json.loads(json.dumps(meaning)) == meaning


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"roles": [INBOUND, OUTBOUND]}, {"roles": [OUTBOUND, INBOUND]}),
        ({}, {"roles": [INBOUND, OUTBOUND]}),
        (
            {"delta": {"measures": ["sessions_cnt", "bytes_sent_sum"]}},
            {"delta": {"measures": ["bytes_sent_sum", "sessions_cnt", "sessions_cnt"]}},
        ),
        (
            {"enrichment": {"port_sets": {"a": [2, 1], "b": [3]}}},
            {"enrichment": {"port_sets": {"b": [3], "a": [1, 2, 2]}}},
        ),
        (
            {
                "delta": {
                    "counters": {
                        "a_cnt": {"peer_port": [53, 54, 55], "network_transport": ["tcp"]},
                        "b_cnt": {"duration_s": "<0.20"},
                    }
                }
            },
            {
                "delta": {
                    "counters": {
                        "b_cnt": {"duration_s": "< 0.2"},
                        "a_cnt": {"network_transport": ["TCP"], "peer_port": ["53-54", 55]},
                    }
                }
            },
        ),
        ({}, {"quality": {"min_records": 5}, "job_name": "other", "project_name": "other"}),
    ],
)
def test_specs_that_mean_the_same_have_equal_values(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert meaning_of(make_spec(**one)) == meaning_of(make_spec(**other))


def test_jobs_that_read_different_sources_agree() -> None:
    assert meaning_of(make_spec("zeek")) == meaning_of(make_spec("paloalto"))


@pytest.mark.parametrize(
    ("parts", "key"),
    [
        ({"roles": [INBOUND]}, "roles"),
        ({"roles": [INBOUND, OUTBOUND | {"peer_port": "source_port"}]}, "roles"),
        ({"delta": {"measures": ["sessions_cnt"]}}, "delta.measures"),
        ({"delta": {"short_session_seconds": 0.5}}, "delta.short_session_seconds"),
        ({"enrichment": {"port_sets": {"web": [80]}}}, "enrichment.port_sets"),
        ({"delta": {"counters": {"a_cnt": {"peer_port": [53]}}}}, "delta.counters"),
        ({"pair": {"timing": False}}, "pair.timing"),
    ],
)
def test_specs_that_mean_something_else_differ_in_the_key_that_says_so(
    parts: dict[str, Any], key: str
) -> None:
    usual, other = meaning_of(make_spec()), meaning_of(make_spec(**parts))

    assert [name for name in usual if usual[name] != other[name]] == [key]


def test_the_counters_of_published_columns_are_those_of_any_run_that_published_them() -> None:
    meanings = [
        meaning_of(make_spec(delta={"counters": {name: {"peer_port": [53]}}}))
        for name in ("dns_cnt", "other_cnt", "gone_cnt")
    ]
    columns = ["sessions_cnt", "other_cnt", "allow_cnt", "dns_cnt", "nobodys_cnt"]

    found = measures_of(columns, [{}, *meanings])

    assert [one.name for one in found] == ["sessions_cnt", "allow_cnt", "dns_cnt", "other_cnt"]
    assert [one.name for one in measures_of(columns, [{}])] == ["sessions_cnt", "allow_cnt"]
