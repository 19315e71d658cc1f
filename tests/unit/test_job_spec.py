"""A JobSpec is refused with the key at fault, or normalised."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ndr_adapters.local.spec_file import JobSpecFile
from ndr_adapters.local.spec_template import spec_template
from ndr_core.deltas.spec import JobSpec
from ndr_core.deltas.spec_reader import parse_job_spec
from ndr_core.errors import SpecError
from ndr_core.flows.presets.registry import PRESETS
from ndr_core.jobs.run import RuntimeParams
from ndr_core.times import parse_bound

VALID: dict[str, Any] = {"project_name": "p", "input": {"preset": "paloalto"}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"projct_name": "x"}, "unknown key 'projct_name', did you mean 'project_name'?"),
        (
            {"quality": {"min_record": 1}},
            "quality: unknown key 'min_record', did you mean 'min_rec",
        ),
        ({"quality": {"min_records": "many"}}, "quality.min_records: 'many' is text where a whole"),
        ({"quality": {"min_records": True}}, "quality.min_records: True is true/false where a wh"),
        ({"quality": {"min_records": -1}}, "quality.min_records: must not be negative"),
        ({"quality": {"max_rejected_fraction": 2}}, "quality.max_rejected_fraction: must lie"),
        ({"quality": {"on_unreadable_file": "skip"}}, "unknown value 'skip'"),
        ({"input": {"preset": "zeke"}}, "unknown preset 'zeke', did you mean 'zeek'?"),
        ({"input": {"fields": {}}}, "input.fields.source_ip: is required"),
        ({"input": {"preset": "zeek", "fields": {"sorce_ip": "a"}}}, "did you mean 'source_ip'?"),
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
        ({"roles": ["outbond"]}, "unknown role 'outbond', did you mean 'outbound'?"),
        ({"roles": []}, "roles: needs at least one role"),
        ({"roles": ["inbound", "inbound"]}, "roles: has two roles of one name"),
        ({"delta": {"measures": ["sesions_cnt"]}}, "unknown measure 'sesions_cnt', did you mean"),
        (
            {"delta": {"measures": ["games_sessions_cnt"]}},
            "delta.measures: unknown measure 'games_sessions_cnt', no port set 'games'",
        ),
        ({"enrichment": {"port_sets": {"web": [80, 70000]}}}, "ports lie between 0 and 65535"),
        ({"enrichment": {"port_sets": {"web": ["80-"]}}}, "'80-' is neither a port nor a range"),
        ({"project_name": "../etc"}, "project_name: may hold letters"),
        ({"feature_spec_version": "a/b"}, "feature_spec_version: may hold letters"),
    ],
)
def test_a_wrong_spec_is_refused_with_its_key(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError) as refused:
        parse_job_spec(VALID | change, "job.yaml")
    assert message in str(refused.value)
    assert str(refused.value).startswith("job.yaml: ")


def test_every_problem_is_listed_at_once() -> None:
    with pytest.raises(SpecError) as refused:
        parse_job_spec(VALID | {"a": 1, "quality": {"b": 2}, "roles": 3})
    assert len(str(refused.value).splitlines()) == 3


@pytest.mark.parametrize("data", [None, [], "text", 5])
def test_a_spec_that_is_no_mapping_is_refused(data: Any) -> None:
    with pytest.raises(SpecError, match="where a mapping of keys is due"):
        parse_job_spec(data)


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
            "quality": {"deduplicate_on": ["uid"], "max_rejected_fraction": 1},
            "enrichment": {"port_sets": {"vnc": [5900, "5901-5903"]}},
        }
    )


def test_the_normalised_form_reads_back_as_the_same_spec() -> None:
    spec = full()
    assert parse_job_spec(yaml.safe_load(yaml.safe_dump(spec.to_plain()))) == spec
    assert spec.enrichment.port_sets["vnc"] == {5900, 5901, 5902, 5903}


def test_equal_specs_have_equal_hashes_however_they_are_written() -> None:
    one = parse_job_spec(VALID | {"enrichment": {"port_sets": {"v": [1, 2, 3]}}})
    other = parse_job_spec({"enrichment": {"port_sets": {"v": ["1-2", 3]}}} | VALID)
    assert one.content_hash() == other.content_hash() != full().content_hash()


@pytest.mark.parametrize("preset", list(PRESETS))
def test_the_commented_template_is_the_preset_with_all_defaults(preset: str) -> None:
    template = yaml.safe_load(spec_template(preset))
    expected = parse_job_spec({"project_name": "my-network", "input": {"preset": preset}})
    assert parse_job_spec(template) == expected


def test_the_examples_are_valid() -> None:
    examples = Path(__file__).parents[2] / "examples"
    assert {JobSpecFile(path).load().project_name for path in examples.glob("*.yaml")} == {"demo"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "line 1"),
        ("project_name: p\nproject_name: q\n", "line 2: the key 'project_name' is given twice"),
        ("? [1]\n: 2\n", "unhashable key"),
        ("", "holds nothing where a mapping of keys is due"),
    ],
)
def test_a_broken_spec_file_is_told_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(text)
    with pytest.raises(SpecError, match=str(path)) as refused:
        JobSpecFile(path).load()
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ("2025-03-01T10:00:00Z", None, "give both"),
        ("2025-03-01T10:15:00Z", "2025-03-01T10:00:00Z", "must be later"),
        ("2025-03-01T10:00:00.5Z", "2025-03-01T10:15:00Z", "whole minute"),
        ("10 o'clock", "2025-03-01T10:15:00Z", "is no ISO-8601 time"),
    ],
)
def test_wrong_slice_bounds_are_refused(start: str, end: str | None, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        RuntimeParams(
            "mb",
            "run",
            parse_bound(start, "slice-start"),
            parse_bound(end, "slice-end") if end else None,
        )


@pytest.mark.parametrize("bad", ["", "../x", "a/b", "a b", ".hidden"])
def test_ids_that_could_leave_their_folder_are_refused(bad: str) -> None:
    with pytest.raises(SpecError, match="mini_batch_id"):
        RuntimeParams(bad, "run")


def test_a_long_id_is_cut_in_its_message() -> None:
    with pytest.raises(SpecError, match=r"128 at most") as caught:
        RuntimeParams("mb", "x" * 10_000)
    assert len(str(caught.value)) < 300
