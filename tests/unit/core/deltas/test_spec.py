"""What a JobSpec knows of itself: key, columns, measures, problems, and its normalised form."""

from __future__ import annotations

import json

import pytest
from attrs import evolve

from ndr_core.deltas.counters import Counter
from ndr_core.deltas.roles import INBOUND, OUTBOUND
from ndr_core.deltas.settings import Delta, Enrichment
from ndr_core.deltas.spec import JobSpec
from ndr_core.errors import Problem
from ndr_core.expressions.evaluate import evaluate
from ndr_core.flows.mapping import FieldSource, InputMapping
from ndr_core.jobs.spec import JobKey, Storage
from ndr_core.measures.kinds import Additive, Measure, Untold
from ndr_core.quality.settings import Quality
from tests.makers import make_spec

SPEC = make_spec()


def keys(spec: JobSpec) -> list[str]:
    return [problem.key for problem in spec.problems()]


def test_a_spec_has_the_defaults_of_the_first_job() -> None:
    assert SPEC.key == JobKey("test", "delta_builder", "v1")
    assert SPEC.roles == (OUTBOUND, INBOUND)
    assert SPEC.quality == Quality()
    assert SPEC.delta == Delta()
    assert SPEC.storage == Storage()


def test_the_columns_that_some_record_must_have_are_those_of_fields_that_are_not_optional() -> None:
    spec = make_spec(
        input={
            "preset": "fortigate",
            "fields": {
                "source_ip": "src",
                "source_port": {"column": "sport", "optional": True},
            },
        },
        quality={"deduplicate_on": ["uid", "source_ip"]},
    )

    columns = {one.leaves[0][0]: one.key for one in spec.wanted_columns() if not one.optional}

    assert columns["src"] == "input.fields.source_ip.column"
    assert columns["dstip"] == "input.fields.destination_ip.column"
    assert columns["uid"] == "quality.deduplicate_on"
    assert not {"srcip", "sport", "source_ip", "TRAFFIC", None} & set(columns)


def any_measure(spec: JobSpec, name: str) -> Measure:
    (found,) = [one for one in spec.measures() if one.name == name]
    return found


def measure(spec: JobSpec, name: str) -> Additive:
    found = any_measure(spec, name)
    assert isinstance(found, Additive)
    return found


def test_measures_follow_the_port_sets_and_the_short_session_of_the_spec() -> None:
    spec = make_spec(
        enrichment={"port_sets": {"games": [27015]}}, delta={"short_session_seconds": 3}
    )

    games = measure(spec, "games_sessions_cnt").contribution
    short = measure(spec, "short_session_cnt").contribution

    view = {"is_session": True, "end_known": True}
    assert [evaluate(games, view | {"peer_port": port}) for port in (27015, 80)] == [1, 0]
    assert [evaluate(short, view | {"duration_us": us}) for us in (2_999_999, 3_000_000)] == [1, 0]
    assert not [one for one in spec.measures() if one.name == "web_sessions_cnt"]


@pytest.mark.parametrize("field", ["source_packets", "destination_packets"])
def test_packets_are_summed_up_where_the_source_tells_those_of_a_side(field: str) -> None:
    start = {"column": "t", "format": "epoch_s"}
    fields = {"source_ip": "a", "destination_ip": "b", "event_start": start}
    told = make_spec(input={"fields": {**fields, field: "packets"}})
    untold = make_spec(input={"fields": fields})

    assert isinstance(any_measure(told, "packets_sent_sum"), Additive)
    assert isinstance(any_measure(told, "packets_recv_sum"), Additive)
    assert isinstance(any_measure(untold, "packets_sent_sum"), Untold)


def test_a_valid_spec_has_no_problems() -> None:
    assert SPEC.problems() == []


@pytest.mark.parametrize(
    ("spec", "key"),
    [
        (evolve(SPEC, job_name="a/b"), "job_name"),
        (evolve(SPEC, input=InputMapping({"source_ip": FieldSource("a")})), "input.fields.destin"),
        (evolve(SPEC, storage=Storage("nowhere")), "storage.input_prefix"),
        (evolve(SPEC, quality=Quality(min_records=-1)), "quality.min_records"),
        (evolve(SPEC, delta=Delta(short_session_seconds=-1)), "delta.short_session_seconds"),
        (evolve(SPEC, enrichment=Enrichment({"web": frozenset({-1})})), "enrichment.port_sets.web"),
        (evolve(SPEC, roles=(evolve(INBOUND, host="x"),)), "roles.inbound.host"),
    ],
)
def test_a_problem_of_a_part_is_named_by_the_key_of_the_part(spec: JobSpec, key: str) -> None:
    assert keys(spec)[0].startswith(key)


def test_problems_of_several_parts_are_listed_together() -> None:
    spec = evolve(SPEC, job_name="a/b", storage=Storage("nowhere"), roles=())

    assert keys(spec) == ["job_name", "storage.input_prefix", "roles"]


def test_at_most_16_roles_are_possible() -> None:
    roles = tuple(evolve(INBOUND, name=f"role{number}") for number in range(17))

    assert evolve(SPEC, roles=roles[:16]).problems() == []
    assert evolve(SPEC, roles=roles).problems() == [
        Problem("roles", "has 17 entries; at most 16 are possible")
    ]


def test_unknown_measures_are_looked_for_only_when_the_rest_is_right() -> None:
    unknown = evolve(SPEC, delta=Delta(measures=("sesions_cnt",)))

    assert keys(unknown) == ["delta.measures"]
    assert keys(evolve(unknown, job_name="a/b")) == ["job_name"]


@pytest.mark.parametrize(
    "name", ["allow_cnt", "web_sessions_cnt", "peer_ip", "bytes_sent_quantiles", "event_ts", "mm"]
)
def test_a_counter_with_the_name_of_another_measure_or_column_is_refused(name: str) -> None:
    counters = {name: Counter(peer_port=frozenset({53}))}

    assert list(evolve(SPEC, delta=Delta(counters=counters))._name_clashes()) == [
        Problem(f"delta.counters.{name}", "a measure or a column has this name; choose another one")
    ]


def test_a_clash_of_names_is_a_problem_of_the_spec() -> None:
    counters = {"rst_cnt": Counter(peer_port=frozenset({53}))}

    assert keys(evolve(SPEC, delta=Delta(counters=counters))) == ["delta.counters.rst_cnt"]


def test_counters_are_built_whichever_measures_are_chosen() -> None:
    counters = {"dns_tcp_cnt": {"peer_port": [53]}}
    chosen = make_spec(delta={"measures": ["allow_cnt"], "counters": counters})
    named = make_spec(delta={"measures": ["allow_cnt", "dns_tcp_cnt"], "counters": counters})

    names = [one.name for one in chosen.chosen_measures()]

    assert names == ["sessions_cnt", "allow_cnt", "dns_tcp_cnt"]
    assert named.chosen_measures() == chosen.chosen_measures()


def test_equal_specs_have_equal_hashes_however_they_are_written() -> None:
    one = make_spec(enrichment={"port_sets": {"v": [1, 2, 3]}})
    other = make_spec(enrichment={"port_sets": {"v": ["1-2", 3]}})

    assert one.content_hash() == other.content_hash() != SPEC.content_hash()
    day, hours = (make_spec(quality={"allowed_lateness": text}) for text in ("1d", "24h"))
    assert day.content_hash() == hours.content_hash()
    assert len(one.content_hash()) == 64


def test_the_normalised_form_is_json_without_what_is_absent() -> None:
    plain = make_spec(enrichment={"port_sets": {"v": [3, 1]}}).to_plain()

    assert json.loads(json.dumps(plain)) == plain
    assert plain["enrichment"] == {"port_sets": {"v": [1, 3]}}
    assert plain["quality"]["on_unreadable_file"] == "fail"
    assert plain["input"]["fields"]["source_ip"] == {
        "any_of": ["source_ip", "src", "SourceAddress"]
    }
    assert plain["delta"] == {
        "short_session_seconds": 1.0,
        "slice_minutes": 15,
        "moment": "event_end",
    }
    assert plain["pair"] == {"timing": True}
    assert plain["quality"]["allowed_lateness"] == "1d"
    assert plain["quality"]["allowed_earliness"] == "15m"
    assert "storage" not in plain


def test_the_normalised_form_keeps_what_differs_from_nothing() -> None:
    spec = make_spec(
        input={
            "preset": "paloalto",
            "fields": {
                "source_port": {"column": "p", "optional": True},
                "event_action": {"column": "a", "map": {"x": "allow"}},
            },
        },
        storage={"output_prefix": "s3://bucket/out"},
    )

    plain = spec.to_plain()

    assert plain["storage"] == {"output_prefix": "s3://bucket/out"}
    assert plain["input"]["fields"]["source_port"] == {"column": "p", "optional": True}
    assert plain["input"]["fields"]["event_action"]["map"] == {"x": "allow"}


def test_the_hash_of_a_spec_does_not_change_with_the_version_of_the_code() -> None:
    assert SPEC.content_hash() == "cbdbcf0b7f1c869a9837328facd420c5ab5c0e94b7427acaf778e70066e38aa7"
