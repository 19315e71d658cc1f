"""`ndr catalog` says what each column is; its feature groups are what SageMaker Feature Store takes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import botocore.session
import polars as pl
import pytest
from botocore.model import ListShape, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator

from ndr_adapters.outputs import open_output
from ndr_adapters.polars.features.readers import (
    read_beacons,
    read_fg_a,
    read_fg_c,
    wide_fg_a,
)
from ndr_core.deltas.measures import FIXED_NAMES
from ndr_core.windows.tables import fg_a_table
from tests.e2e.cli import ndr, write_spec
from tests.makers import make_spec

WITHOUT_SPARK = True

ROOT: Final = Path(__file__).parents[2]
RESERVED: Final = {"is_deleted", "write_time", "api_invocation_time"}
"""What the documentation of `create_feature_group` says of names, and its model does not."""


def test_the_catalogue_of_a_table_says_of_each_column_what_it_is() -> None:
    answer = ndr("catalog", "--table", "fg_a")

    assert answer.exit_code == 0
    lines = answer.output.splitlines()
    place = lines.index(
        "  drop_ratio (float64, ratio): sessions dropped, denied or reset / sessions; null without any"
        "; null where sessions_cnt <= 0"
    )
    assert lines[place + 1] == (
        "    = drop_cnt / sessions_cnt if sessions_cnt > 0, else null  [drop_cnt, sessions_cnt]"
    )
    assert "Numbers that formulas of fg_a read and no column holds" in lines


def test_json_has_all_tables_and_columns() -> None:
    tables = ndr("catalog", "--json").json()

    assert {"fg_a", "beacon", "pair_history", "baseline", "fg_c"} <= {
        one["table"] for one in tables
    }
    columns = {one["name"]: one for table in tables for one in table["columns"]}
    assert columns["new_peer_cnt"]["null"] == "where history_days < 7; history_days is null"
    assert len(columns) > 400


def test_markdown_is_the_page_of_the_manual() -> None:
    answer = ndr("catalog", "--markdown")

    assert answer.output == (ROOT / "docs" / "FEATURES.md").read_text()


def test_the_measures_are_those_of_a_jobspec(tmp_path: Path) -> None:
    spec = write_spec(tmp_path / "job.json", delta={"measures": ["allow_cnt"]})

    (table,) = ndr("catalog", "--table", "delta", "--spec", spec, "--json").json()

    names = {one["name"] for one in table["columns"]}
    assert names & FIXED_NAMES == {"sessions_cnt", "allow_cnt"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--table", "fg_b"), "--table: 'fg_b' is none of delta, pair, fg_a, beacon"),
        (
            ("--table", "prevalence", "--feature-store"),
            "--table: 'prevalence' is none of fg_a, beacon, fg_c, wide_fg_a",
        ),
        (("--json", "--markdown"), "--markdown: can't be given with --json or --feature-store"),
    ],
)
def test_what_can_not_be_printed_is_an_error(arguments: tuple[str, ...], said: str) -> None:
    answer = ndr("catalog", *arguments)

    assert answer.exit_code == 2
    assert said in answer.errors


GROUPS: Final = {one["FeatureGroupName"]: one for one in ndr("catalog", "--feature-store").json()}


@pytest.fixture(scope="module")
def request_model() -> StructureShape:
    """What boto3 knows of `create_feature_group`; it needs no network and no account."""
    service = botocore.session.get_session().get_service_model("sagemaker")
    shape = service.operation_model("CreateFeatureGroup").input_shape
    assert isinstance(shape, StructureShape)
    return shape


def test_feature_groups_are_made_of_windows_and_correlations() -> None:
    assert list(GROUPS) == ["fg_a", "beacon", "fg_c", "wide_fg_a"]
    assert {one["RecordIdentifierFeatureName"] for one in GROUPS.values()} == {"record_id"}
    assert {one["EventTimeFeatureName"] for one in GROUPS.values()} == {"window_end_ts"}


@pytest.mark.parametrize("name", list(GROUPS))
def test_boto3_takes_a_feature_group(name: str, request_model: StructureShape) -> None:
    report = ParamValidator().validate(GROUPS[name], request_model)

    assert not report.has_errors(), report.generate_report()


@pytest.mark.parametrize("name", list(GROUPS))
def test_a_feature_group_is_within_the_limits_that_the_service_checks(
    name: str, request_model: StructureShape
) -> None:
    # boto3 checks what is there and its type, and leaves patterns, enumerations and upper limits to the service.
    assert list(faults(GROUPS[name], request_model, name)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"FeatureGroupName": "a b"},
        {"FeatureDefinitions": [{"FeatureName": "a" * 65, "FeatureType": "String"}]},
        {"FeatureDefinitions": [{"FeatureName": "a", "FeatureType": "Text"}]},
        {"FeatureDefinitions": [{"FeatureName": "a", "FeatureType": "String"}] * 2501},
    ],
    ids=["name of the group", "name", "type", "number"],
)
def test_the_check_of_limits_finds_faults(
    change: dict[str, Any], request_model: StructureShape
) -> None:
    assert len(list(faults(GROUPS["fg_a"] | change, request_model, "any"))) == 1


def faults(value: Any, shape: Shape, place: str) -> Any:
    """What of a request is not within the limits of its model."""
    limits = shape.metadata
    if isinstance(shape, StructureShape):
        for name, part in value.items():
            yield from faults(part, shape.members[name], f"{place}.{name}")
    elif isinstance(shape, ListShape):
        if len(value) > limits["max"]:
            yield f"{place}: {len(value)}"
        for number, part in enumerate(value):
            yield from faults(part, shape.member, f"{place}[{number}]")
    elif isinstance(shape, StringShape):
        # The pattern is Java's: what it says is the same here.
        fits = re.fullmatch(limits.get("pattern", ".*"), value)
        if fits is None or not limits.get("min", 0) <= len(value) <= limits.get("max", len(value)):
            yield f"{place}: {value}"
        elif shape.enum and value not in shape.enum:
            yield f"{place}: {value} is none of {shape.enum}"


@pytest.mark.parametrize("name", list(GROUPS))
def test_names_are_told_apart_and_are_none_of_the_services_own(name: str) -> None:
    names = [one["FeatureName"].lower() for one in GROUPS[name]["FeatureDefinitions"]]

    assert len(set(names)) == len(names)
    assert not RESERVED.intersection(names)


@pytest.mark.parametrize(
    ("name", "read"), [("fg_c", read_fg_c), ("beacon", read_beacons), ("fg_a", read_fg_a)]
)
def test_a_reader_gives_the_record_id_and_no_column_that_is_no_feature(
    name: str, read: Callable[[Any], pl.LazyFrame], tmp_path: Path
) -> None:
    names = read(open_output(str(tmp_path))).collect_schema().names()

    assert "record_id" in names
    assert set(names) <= {one["FeatureName"] for one in GROUPS[name]["FeatureDefinitions"]}


def test_features_of_wide_rows_are_the_columns_that_the_reader_gives() -> None:
    types = {"string": pl.String(), "int64": pl.Int64(), "float64": pl.Float64()}
    columns = fg_a_table(make_spec().chosen_measures()).columns
    schema = {one.name: types.get(one.type.value, pl.Datetime("us", "UTC")) for one in columns}

    wide = wide_fg_a(pl.LazyFrame(schema=schema | {"record_id": pl.String()}))

    given = {one["FeatureName"] for one in GROUPS["wide_fg_a"]["FeatureDefinitions"]}
    assert given == set(wide.collect_schema().names())
