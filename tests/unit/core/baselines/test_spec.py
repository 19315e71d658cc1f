"""The JobSpec of baselines: read, refused, written, and its JSON Schema."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import jsonschema
import pytest

from ndr_core.baselines.horizon import Horizon
from ndr_core.baselines.metrics import DEFAULT_KEY_METRICS, DEFAULT_METRICS
from ndr_core.baselines.settings import Period
from ndr_core.baselines.spec import FgBSpec, fg_b_spec_of
from ndr_core.baselines.spec_reader import parse_fg_b_spec
from ndr_core.baselines.spec_schema import fg_b_spec_schema
from ndr_core.errors import SpecError
from ndr_core.features.networks import Hosts
from ndr_core.jobs.spec import JobKey
from ndr_core.windows.spec_reader import parse_fg_a_spec

LEAST: dict[str, Any] = {"kind": "fg_b", "project_name": "acme"}
PERIOD = {"start": "2025-03-01T10:00:00Z", "end": "2025-03-01T12:00:00Z"}
FULL: dict[str, Any] = {
    **LEAST,
    "job_name": "usual",
    "feature_spec_version": "v2",
    "windows": {"labels": {"w_15m": "15m", "w_24h": "6h"}},
    "inputs": {"fg_a_job": "windows"},
    "baselines": {
        "metrics": ["ext_bytes_sent_sum", "sessions_cnt", "bytes_sent_sum"],
        "key_metrics": ["sessions_cnt"],
        "gap_days_7d": 1,
        "gap_days_30d": 0,
    },
    "excluded_periods": [PERIOD],
    "names": {"table": "s3://bucket/names.csv", "non_persistent_prefixes": ["dhcp-"]},
    "networks": {"internal": ["10.0.0.0/8"], "segments": {"servers": ["10.1.0.0/16"]}},
    "calendar": {"zone": "Europe/Berlin", "weekend_days": [5, 6], "holidays": ["2025-12-25"]},
    "hosts": "all",
    "engine": {"one_machine_bytes": 1000},
    "storage": {"deltas_prefix": "s3://bucket/deltas", "features_prefix": "s3://bucket/features"},
}


def test_a_spec_needs_only_the_name_of_its_project() -> None:
    spec = parse_fg_b_spec(LEAST)

    assert spec.key == JobKey("acme", "fg_b", "v1")
    assert spec.inputs.fg_a_job == "fg_a"
    assert spec.baselines.metrics == DEFAULT_METRICS
    assert spec.baselines.key_metrics == DEFAULT_KEY_METRICS
    assert spec.baselines.horizons == (Horizon(7, 2), Horizon(30, 7))
    assert spec.excluded_periods == ()
    assert spec.names.table is None


def test_a_spec_says_all_that_it_can() -> None:
    spec = parse_fg_b_spec(FULL)

    assert [metric.name for metric in spec.baselines.chosen] == [
        "sessions_cnt",
        "bytes_sent_sum",
        "ext_bytes_sent_sum",
    ]
    assert spec.baselines.judging == ("sessions_cnt",)
    assert spec.baselines.week == Horizon(7, 1)
    assert spec.baselines.horizons == (Horizon(7, 1), Horizon(30, 0))
    assert spec.excluded_periods == (Period(**PERIOD),)
    assert spec.hosts is Hosts.ALL
    assert [label.every for label in spec.windows.window_labels] == [15, 360]


@pytest.mark.parametrize("data", [LEAST, FULL])
def test_a_spec_is_read_back_as_it_was_written(data: dict[str, Any]) -> None:
    spec = parse_fg_b_spec(data)

    again = parse_fg_b_spec(spec.to_plain())

    assert again == spec
    assert again.content_hash() == spec.content_hash()
    assert spec.content_hash() != parse_fg_b_spec(LEAST | {"job_name": "x"}).content_hash()


def test_a_period_may_be_of_times_as_yaml_reads_them() -> None:
    period = {"start": datetime(2025, 3, 1, 10, tzinfo=UTC), "end": date(2025, 3, 2)}

    (read,) = parse_fg_b_spec(LEAST | {"excluded_periods": [period]}).excluded_periods

    assert read.bounds == Period("2025-03-01T10:00:00Z", "2025-03-02").bounds


METRICS_OF = {"metrics": ["ext_bytes_sent_sum"], "key_metrics": ["ext_bytes_sent_sum"]}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"baseline": {}}, "unknown key 'baseline', did you mean 'baselines'?"),
        ({"kind": "fg_a"}, "kind: unknown value 'fg_a', did you mean 'fg_b'?"),
        ({"windows": {"labels": {"w_15m": "7m"}}}, "windows.labels.w_15m: must be whole minutes"),
        ({"windows": {"sources": []}}, "windows: unknown key 'sources'"),
        ({"inputs": {"fg_a_job": "a/b"}}, "inputs.fg_a_job: may hold letters"),
        ({"baselines": {"metrics": []}}, "baselines.metrics: needs at least one metric"),
        (
            {"baselines": METRICS_OF | {"metrics": ["ext_bytes_sent_sum", "sessions_count"]}},
            "baselines.metrics: 'sessions_count' is no metric, did you mean 'sessions_cnt'?",
        ),
        (
            {"baselines": METRICS_OF | {"key_metrics": ["sessions_cnt"]}},
            "baselines.key_metrics: sessions_cnt is none of the metrics; add it to them",
        ),
        (
            {"baselines": METRICS_OF | {"key_metrics": ["sessions"]}},
            "baselines.key_metrics: 'sessions' is no metric",
        ),
        (
            {"baselines": {"key_metrics": ["drop_ratio", "drop_ratio"]}},
            "baselines.key_metrics: names a metric more than once",
        ),
        (
            {"baselines": {"metrics": ["sessions_cnt"], "key_metrics": ["sessions_cnt"]}},
            "baselines.metrics: needs ext_bytes_sent_sum, of which exfil_score is made; add it",
        ),
        (
            {"baselines": {"gap_days_7d": -1}},
            "baselines.gap_days_7d: -1 days are not between 0 and 366",
        ),
        ({"excluded_periods": PERIOD}, "excluded_periods: "),
        ({"excluded_periods": ["noon"]}, "excluded_periods[0]: 'noon' is text, expected a mapping"),
        (
            {"excluded_periods": [PERIOD, PERIOD | {"start": "noon"}]},
            "excluded_periods[1]: start: 'noon' is no ISO-8601 time",
        ),
        (
            {"excluded_periods": [PERIOD | {"end": PERIOD["start"]}]},
            "excluded_periods[0].end: must be later than start",
        ),
        (
            {"excluded_periods": [PERIOD] * 10_001},
            "excluded_periods: has 10001 entries; at most 10000 are possible",
        ),
        (
            {"names": {"non_persistent_prefixes": ["dhcp-"]}},
            "names.table: missing; prefixes need a table of names",
        ),
        (
            {"names": {"table": "names.csv"}},
            "names.non_persistent_prefixes: needs at least one, such as dhcp-, for a table",
        ),
        (
            {"names": {"table": "", "non_persistent_prefixes": ["dhcp-"]}},
            "names.table: is empty; give the address of a table, or leave it out",
        ),
        (
            {"names": {"table": "names.csv", "non_persistent_prefixes": [""]}},
            "names.non_persistent_prefixes: an empty one is the beginning of every name",
        ),
        (
            {"names": {"table": "names.csv", "non_persistent_prefixes": ["x"] * 1001}},
            "names.non_persistent_prefixes: has 1001 entries; at most 1000 are possible",
        ),
        ({"calendar": {"zone": "Berlin"}}, "calendar.zone: unknown zone"),
        ({"job_name": "a b"}, "job_name: may hold letters"),
    ],
)
def test_what_is_wrong_is_refused_with_its_key(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(SpecError) as error:
        parse_fg_b_spec(LEAST | changes, "spec x.yaml")

    assert str(error.value).startswith(f"spec x.yaml: {problem}")


@pytest.mark.parametrize("data", [LEAST, FULL])
def test_the_schema_takes_specs_that_are_read(data: dict[str, Any]) -> None:
    schema = fg_b_spec_schema()

    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(data, schema)
    jsonschema.validate(parse_fg_b_spec(data).to_plain(), schema)


@pytest.mark.parametrize(
    "changes",
    [
        {"baseline": {}},
        {"kind": "fg_a"},
        {"baselines": {"metrics": ["sessions"]}},
        {"baselines": {"gap_days_7d": -1}},
        {"excluded_periods": [{"start": "2025-03-01"}]},
        {"names": {"table": "names.csv", "non_persistent_prefixes": [""]}},
    ],
)
def test_the_schema_refuses_what_is_no_spec(changes: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(LEAST | changes, fg_b_spec_schema())


def test_a_spec_of_windows_implies_that_of_their_baselines() -> None:
    windows = parse_fg_a_spec(
        {
            "kind": "fg_a",
            "project_name": "test",
            "job_name": "ours",
            "feature_spec_version": "v5",
            "windows": {"labels": {"w_1h": "15m"}, "sources": ["firewall"]},
            "calendar": {"zone": "Europe/Berlin"},
            "hosts": "all",
        }
    )

    baselines = fg_b_spec_of(windows)

    assert isinstance(baselines, FgBSpec)
    assert baselines.problems() == []
    assert baselines.key == JobKey("test", "fg_b", "v5")
    assert baselines.inputs.fg_a_job == "ours"
    assert baselines.windows.labels == windows.windows.labels
    assert (baselines.calendar, baselines.networks) == (windows.calendar, windows.networks)
    assert (baselines.hosts, baselines.engine) == (windows.hosts, windows.engine)
