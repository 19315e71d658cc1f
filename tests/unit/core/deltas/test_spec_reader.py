"""A JobSpec is refused with the key at fault, or normalised."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.deltas.roles import INBOUND, OUTBOUND, Role
from ndr_core.deltas.spec import JobSpec
from ndr_core.deltas.spec_reader import parse_job_spec
from ndr_core.errors import SpecError
from ndr_core.flows.mapping import FieldSource, Lost, Pairing
from ndr_core.flows.presets.registry import PRESETS
from ndr_core.flows.time_format import TimeFormat

VALID: dict[str, Any] = {"project_name": "p", "input": {"preset": "paloalto"}}


def refused(change: dict[str, Any]) -> list[str]:
    with pytest.raises(SpecError) as caught:
        parse_job_spec(VALID | change, "job.yaml")
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"projct_name": "x"}, "unknown key 'projct_name', did you mean 'project_name'?"),
        (
            {"quality": {"min_record": 1}},
            "quality: unknown key 'min_record', did you mean 'min_rec",
        ),
        ({"quality": {"min_records": "many"}}, "quality.min_records: 'many' is text, expected a w"),
        ({"quality": {"min_records": True}}, "quality.min_records: True is true/false, expected a"),
        ({"quality": {"min_records": -1}}, "quality.min_records: must not be negative"),
        ({"quality": {"max_rejected_fraction": 2}}, "quality.max_rejected_fraction: must lie"),
        (
            {"quality": {"allowed_lateness": 24}},
            "quality.allowed_lateness: 24 is a number, expected a duration such as 15m or 24h",
        ),
        (
            {"quality": {"allowed_earliness": "soon"}},
            "quality.allowed_earliness: 'soon' is no duration such as 15m or 24h",
        ),
        ({"delta": {"slice_minutes": 7}}, "delta.slice_minutes: 7 does not divide 60"),
        ({"delta": {"slice_minutes": 7.5}}, "delta.slice_minutes: 7.5 is a number, expected a w"),
        ({"delta": {"moment": "event_ende"}}, "delta.moment: unknown value 'event_ende', did you"),
        (
            {"quality": {"on_unreadable_file": "skip"}},
            "quality.on_unreadable_file: unknown value 'skip'",
        ),
        ({"input": []}, "input: [] is a list, expected a mapping"),
        ({"input": {"preset": "zeke"}}, "input: unknown preset 'zeke', did you mean 'zeek'?"),
        ({"input": {"fields": {}}}, "input.fields.source_ip: is required"),
        ({"input": {}}, "input.fields: is missing"),
        (
            {"input": {"preset": "zeek", "fields": {"sorce_ip": "a"}}},
            "input.fields.sorce_ip: unknown field, did you mean 'source_ip'?",
        ),
        (
            {"input": {"preset": "zeek", "fields": {"source_ip": 5}}},
            "input.fields.source_ip: 5 is a number, expected a column name or a mapping",
        ),
        (
            {"input": {"preset": "zeek", "fields": {"source_ip": {"colum": "a"}}}},
            "input.fields.source_ip: unknown key 'colum', did you mean 'column'?",
        ),
        (
            {"input": {"preset": "zeek", "fields": {"event_start": "ts"}}},
            "input.fields.event_start.format: is required for a time",
        ),
        (
            {
                "input": {
                    "preset": "zeek",
                    "fields": {"source_port": {"column": "p", "map": {"a": "b"}}},
                }
            },
            "input.fields.source_port.map: a value map is for text fields only",
        ),
        ({"roles": ["outbond"]}, "roles[0]: unknown role 'outbond', did you mean 'outbound'?"),
        ({"roles": ["inbound", 5]}, "roles[1]: 5 is a number, expected a role name or a mapping"),
        ({"roles": [{"name": "x"}]}, "roles[0].host: is missing"),
        ({"roles": []}, "roles: needs at least one role"),
        ({"roles": ["inbound", "inbound"]}, "roles: has two roles of one name"),
        (
            {"delta": {"measures": ["sesions_cnt"]}},
            "delta.measures: unknown measure 'sesions_cnt', did you mean",
        ),
        (
            {"delta": {"measures": ["games_sessions_cnt"]}},
            "delta.measures: unknown measure 'games_sessions_cnt', no port set 'games'",
        ),
        (
            {"enrichment": {"port_sets": {"web": [80, 70000]}}},
            "enrichment.port_sets.web: ports lie between 0 and 65535",
        ),
        ({"project_name": "../etc"}, "project_name: may hold letters"),
        ({"feature_spec_version": "a/b"}, "feature_spec_version: may hold letters"),
        (
            {"storage": {"input_prefix": "b/in"}},
            "storage.input_prefix: 'b/in' is no address in S3",
        ),
        (
            {"storage": {"input_prefix": "s3://bucket/in", "output_prefix": "s3a://bucket"}},
            "storage.output_prefix: must not lie in input_prefix",
        ),
    ],
)
def test_a_wrong_spec_is_refused_with_its_key(change: dict[str, Any], message: str) -> None:
    assert refused(change)[0].startswith(f"job.yaml: {message}")


def test_every_problem_is_listed_at_once() -> None:
    assert len(refused({"a": 1, "quality": {"b": 2}, "roles": 3})) == 3


@pytest.mark.parametrize("data", [None, [], "text", 5])
def test_a_spec_that_is_no_mapping_is_refused(data: Any) -> None:
    with pytest.raises(SpecError, match=r"^JobSpec: .* expected a mapping of keys"):
        parse_job_spec(data)


def test_a_field_is_given_by_its_column_or_by_a_mapping() -> None:
    spec = with_fields(
        {"source_ip": "src", "event_end": {"column": "took", "format": "duration_ms"}}
    )

    assert spec.input.fields["source_ip"] == FieldSource(column="src")
    assert spec.input.fields["event_end"] == FieldSource(
        column="took", format=TimeFormat.DURATION_MS
    )


def with_fields(fields: dict[str, Any], **more: Any) -> JobSpec:
    return parse_job_spec(VALID | {"input": {"preset": "zeek", "fields": fields, **more}})


def test_given_fields_replace_those_of_the_preset_and_leave_the_others() -> None:
    preset = PRESETS["zeek"].mapping

    spec = with_fields({"source_ip": "src"})

    assert spec.input.fields == {**preset.fields, "source_ip": FieldSource(column="src")}
    assert spec.input.preset == "zeek"


def test_null_values_of_the_preset_stay_unless_others_are_given() -> None:
    preset = PRESETS["vpcflow"].mapping

    assert preset.null_values
    assert parse_job_spec(VALID | {"input": {"preset": "vpcflow"}}).input == preset
    assert with_fields({}, null_values=["(empty)"]).input.null_values == ("(empty)",)
    without = parse_job_spec(VALID | {"input": {"preset": "vpcflow", "null_values": []}})
    assert without.input.null_values == ()


def test_what_tells_of_lost_data_is_a_column_and_a_text() -> None:
    lost = {"column": "log_status", "value": "SKIPDATA"}

    spec = parse_job_spec(VALID | {"input": {"preset": "vpcflow", "lost": lost}})

    assert spec.input.lost == Lost("log_status", "SKIPDATA")
    assert spec.input.lost_columns == ("log_status",)


def test_what_tells_of_lost_data_may_have_other_names() -> None:
    lost = {"column": "log-status", "value": "SKIPDATA", "also": ["log_status"]}

    spec = parse_job_spec(VALID | {"input": {"preset": "zeek", "lost": lost}})

    assert spec.input.lost == Lost("log-status", "SKIPDATA", ("log_status",))
    assert spec.input.lost_columns == ("log-status", "log_status")
    assert spec.to_plain()["input"]["lost"] == lost
    assert parse_job_spec(spec.to_plain()) == spec
    assert with_fields({}).input.lost_columns == ()


def test_an_input_without_a_preset_has_the_given_fields_only() -> None:
    fields = {
        "source_ip": "a",
        "destination_ip": "b",
        "event_start": {"column": "t", "format": "epoch_s"},
    }

    spec = parse_job_spec(VALID | {"input": {"fields": fields}})

    assert set(spec.input.fields) == set(fields)
    assert spec.input.preset is None


def test_a_role_is_given_by_its_name_or_by_its_fields() -> None:
    client = {
        "name": "client",
        "host": "source_ip",
        "peer": "destination_ip",
        "sent": "source_bytes",
        "received": "destination_bytes",
    }

    spec = parse_job_spec(VALID | {"roles": ["inbound", "outbound", client]})

    assert spec.roles == (
        INBOUND,
        OUTBOUND,
        Role(
            "client",
            "source_ip",
            "destination_ip",
            "source_bytes",
            "destination_bytes",
            "destination_port",
        ),
    )


def ports(*items: Any) -> frozenset[int]:
    spec = parse_job_spec(VALID | {"enrichment": {"port_sets": {"x": list(items)}}})
    return spec.enrichment.port_sets["x"]


def test_ports_are_numbers_and_ranges() -> None:
    assert ports(5900, "5901-5903", "80-80", "0-1", "65534-65535") == {
        *(5900, 5901, 5902, 5903),
        *(80, 0, 1, 65534, 65535),
    }


@pytest.mark.parametrize(
    "item",
    [
        "80-",
        "-80",
        "80",
        "",
        "a-b",
        "90-80",
        "1-65536",
        "0-" + "9" * 5000,
        "1-2-3",
        True,
        1.5,
        "1--2",
    ],
)
def test_what_is_neither_a_port_nor_a_range_is_refused(item: Any) -> None:
    (line,) = refused({"enrichment": {"port_sets": {"web": [443, item]}}})

    assert line.startswith("job.yaml: enrichment.port_sets.web: ")
    assert line.endswith("is neither a port nor a range such as '5900-5910'")
    assert len(line) < 250


def test_ports_that_are_no_list_are_refused() -> None:
    assert refused({"enrichment": {"port_sets": {"web": "80-90"}}}) == [
        "job.yaml: enrichment.port_sets.web: '80-90' is text, expected a list of ports"
    ]


RANGES = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 20)).map(lambda pair: (pair[0], sum(pair))),
    max_size=6,
)


@settings(max_examples=40)
@given(RANGES)
def test_ranges_hold_each_of_their_ports_however_they_overlap(
    ranges: list[tuple[int, int]],
) -> None:
    expected = {port for low, high in ranges for port in range(low, high + 1)}

    assert ports(*(f"{low}-{high}" for low, high in ranges)) == expected


def full() -> JobSpec:
    return parse_job_spec(
        VALID
        | {
            "input": {"preset": "zeek", "null_values": ["(empty)"]},
            "roles": [
                "inbound",
                {
                    "name": "client",
                    "host": "source_ip",
                    "peer": "destination_ip",
                    "sent": "source_bytes",
                    "received": "destination_bytes",
                    "peer_port": "source_port",
                },
            ],
            "quality": {
                "deduplicate_on": ["uid"],
                "max_rejected_fraction": 1,
                "on_unreadable_file": "quarantine",
            },
            "delta": {"measures": ["sessions_cnt", "vnc_sessions_cnt"]},
            "enrichment": {"port_sets": {"vnc": [5900, "5901-5903"]}},
            "storage": {"input_prefix": "s3://bucket/in"},
        }
    )


@pytest.mark.parametrize(
    "spec", [full(), *(parse_job_spec(VALID | {"input": {"preset": name}}) for name in PRESETS)]
)
def test_the_normalised_form_reads_back_as_the_same_spec(spec: JobSpec) -> None:
    assert parse_job_spec(spec.to_plain()) == spec


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize(
    "nothing",
    [
        {"null_values": []},
        {"only": {}},
        {"files": []},
        {"timezone": None},
        {"lost": None},
        {"pairing": None},
        {"format": "json"},
    ],
    ids=str,
)
def test_a_spec_that_does_without_a_key_of_its_preset_reads_back_without_it(
    preset: str, nothing: dict[str, Any]
) -> None:
    spec = parse_job_spec({"project_name": "p", "input": {"preset": preset, **nothing}})

    assert parse_job_spec(spec.to_plain()) == spec


def test_pairing_is_that_of_the_preset_unless_it_is_given() -> None:
    def pairing_of(**given: Any) -> Pairing | None:
        return parse_job_spec({"project_name": "p", "input": given}).input.pairing

    assert pairing_of(preset="vpcflow") is Pairing.BIFLOW
    assert pairing_of(preset="vpcflow", pairing=None) is None
    assert pairing_of(preset="zeek") is None
    assert pairing_of(preset="zeek", pairing="biflow") is Pairing.BIFLOW


def test_a_text_that_is_none_in_utf_8_is_refused_with_its_key() -> None:
    fields = {"source_ip": {"column": "\ud800", "optional": True}}

    with pytest.raises(SpecError, match=r"source_ip\.column: '\\ud800' holds half of a surrogate"):
        parse_job_spec({"project_name": "p", "input": {"preset": "zeek", "fields": fields}})
