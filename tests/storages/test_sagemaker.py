"""What is deployed on SageMaker: the pipeline's definition and the package that it runs."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import boto3
import pytest
from attrs import evolve
from botocore.session import get_session

from ndr_adapters.sagemaker.package import (
    DELTA_BUILDER,
    FG_B_BUILDER,
    SCRIPTS,
    STALE_RENEWAL,
    JobPackage,
    build_package,
)
from ndr_adapters.sagemaker.pipeline import (
    DAILY_PARAMETERS,
    RUN_PARAMETERS,
    build_daily_pipeline,
    build_delta_builder_pipeline,
)
from ndr_adapters.sagemaker.settings import PipelineSettings
from ndr_adapters.sagemaker.steps import SDK_CONFIG
from ndr_adapters.sagemaker.wheels import digest_of, pinned_wheels
from ndr_adapters.wheel_bundle import FOR_BASELINES
from ndr_core.errors import UsageError
from ndr_core.publishing.location import S3Address
from ndr_entrypoints import (
    run_delta_builder,
    run_fg_a_builder,
    run_fg_b_builder,
    run_fg_c_builder,
    run_pair_history,
    run_stale_renewal,
)
from ndr_entrypoints.commands import pipeline as commands
from tests.e2e.cli import ndr
from tests.lock_wheels import COMPILED
from tests.storages.test_deploy import RUN
from tests.storages.wheels import PackageIndex, pin_of, write_wheel
from tests.support import objects

ROLE = "arn:aws:iam::123456789012:role/ndr-job"
WITHOUT = ("--without-wheels", "--without-features")
COMMANDS = {
    "DeltaBuilder": run_delta_builder.main,
    "FgABuilder": run_fg_a_builder.main,
    "FgCBuilder": run_fg_c_builder.main,
    "PairHistory": run_pair_history.main,
    "FgBBuilder": run_fg_b_builder.main,
    "StaleRenewal": run_stale_renewal.main,
}
"""Step -> the command that it runs."""


def settings(bucket: str = "code-bucket", **changes: Any) -> PipelineSettings:
    return PipelineSettings("ndr", ROLE, S3Address(bucket, "ndr"), "specs", **changes)


def definition(package: JobPackage | None = None, **changes: Any) -> Any:
    pipeline = build_delta_builder_pipeline(settings(**changes), package or build_package())
    return json.loads(pipeline.definition())


def daily_definition(**changes: Any) -> Any:
    return json.loads(build_daily_pipeline(settings(**changes), build_package()).definition())


def parameters_of(pipeline: Any) -> dict[str, Any]:
    """Parameter -> its default, None where it must be given."""
    return {each["Name"]: each.get("DefaultValue") for each in pipeline["Parameters"]}


def options_of(step: Any) -> dict[str, Any]:
    """Option that the job of a step is given -> its value."""
    given = step["Arguments"]["AppSpecification"]["ContainerArguments"]
    return dict(zip(given[::2], given[1::2], strict=True))


def from_parameters(**names: str) -> dict[str, Any]:
    """Options that are given the values of parameters."""
    return {
        f"--{option.replace('_', '-')}": {"Get": f"Parameters.{name}"}
        for option, name in names.items()
    }


def test_the_pipeline_has_all_parameters_and_defaults_for_those_that_may_be_left_out() -> None:
    assert parameters_of(definition()) == {
        "project_name": None,
        "job_name": "delta_builder",
        "mini_batch_id": None,
        "mini_batch_s3_prefix": None,
        "feature_spec_version": None,
        "run_id": None,
        "job_spec_ddb_table_name": "specs",
        "slice_start_ts": "",
        "slice_end_ts": "",
        "instance_type": "ml.m5.xlarge",
        "instance_count": 1,
        "fg_a_job_name": "fg_a",
        "fg_c_job_name": "fg_c",
        "features_instance_type": "ml.m5.xlarge",
    }


def test_the_daily_pipeline_has_its_parameters_with_defaults_likewise() -> None:
    names = {"history_job": "pairs", "fg_b_job": "usual", "fg_c_job": "departures"}
    assert parameters_of(daily_definition(**names)) == {
        "project_name": None,
        "feature_spec_version": None,
        "run_id": None,
        "job_spec_ddb_table_name": "specs",
        "day": "",
        "scheduled_ts": "",
        "history_job_name": "pairs",
        "fg_b_job_name": "usual",
        "fg_c_job_name": "departures",
        "features_instance_type": "ml.m5.xlarge",
    }


def test_windows_follow_the_deltas_and_correlations_the_windows() -> None:
    delta, fg_a, fg_c = definition()["Steps"]

    assert [each["Name"] for each in (delta, fg_a, fg_c)] == list(COMMANDS)[:3]
    assert "DependsOn" not in delta
    assert fg_a["DependsOn"] == ["DeltaBuilder"]
    assert fg_c["DependsOn"] == ["FgABuilder"]


def test_history_and_baselines_do_not_wait_for_each_other_and_the_stale_is_renewed_last() -> None:
    history, fg_b, renewal = daily_definition()["Steps"]

    assert [each["Name"] for each in (history, fg_b, renewal)] == list(COMMANDS)[3:]
    assert "DependsOn" not in history
    assert "DependsOn" not in fg_b
    assert renewal["DependsOn"] == ["PairHistory", "FgBBuilder"]


def test_each_step_gives_its_job_the_options_that_it_takes() -> None:
    delta, fg_a, fg_c = definition()["Steps"]
    history, fg_b, renewal = daily_definition()["Steps"]

    run = {name: name for name in ("project_name", "feature_spec_version", "run_id")}
    run["job_spec_ddb_table_name"] = "job_spec_ddb_table_name"
    assert options_of(delta) == from_parameters(**{name: name for name in RUN_PARAMETERS})
    batch = {"delta_job_name": "job_name", "mini_batch_id": "mini_batch_id"}
    for step, job in ((fg_a, "fg_a_job_name"), (fg_c, "fg_c_job_name")):
        assert options_of(step) == from_parameters(**run, **batch, job_name=job)
    day = {name: name for name in DAILY_PARAMETERS}
    of_days = (history, "history_job_name"), (fg_b, "fg_b_job_name"), (renewal, "fg_c_job_name")
    for step, job in of_days:
        assert options_of(step) == from_parameters(**day, job_name=job)
    for step in (delta, fg_a, fg_c, history, fg_b, renewal):
        taken = {option for each in COMMANDS[step["Name"]].params for option in each.opts}
        assert set(options_of(step)) == taken - {"--debug", "-h", "--help"}


def test_each_step_runs_the_script_of_its_job() -> None:
    steps = [*definition()["Steps"], *daily_definition()["Steps"]]
    entrypoints = [each["Arguments"]["AppSpecification"]["ContainerEntrypoint"] for each in steps]
    assert tuple(each[-1].rpartition("/")[2] for each in entrypoints) == SCRIPTS


def test_feature_jobs_run_on_one_instance_of_a_type_of_their_own() -> None:
    steps = [*definition()["Steps"][1:], *daily_definition()["Steps"]]
    for step in steps:
        cluster = step["Arguments"]["ProcessingResources"]["ClusterConfig"]
        assert cluster["InstanceType"] == {"Get": "Parameters.features_instance_type"}
        assert cluster["InstanceCount"] == 1


def test_a_pipeline_without_features_builds_deltas_alone() -> None:
    alone = definition(has_features=False)
    assert [step["Name"] for step in alone["Steps"]] == ["DeltaBuilder"]
    assert not {"fg_a_job_name", "fg_c_job_name", "features_instance_type"} & set(
        parameters_of(alone)
    )


@pytest.mark.parametrize("key", ["fg_a_job", "history_job", "fg_b_job", "fg_c_job"])
def test_a_job_name_that_can_be_no_key_is_refused(key: str) -> None:
    with pytest.raises(UsageError, match=f"{key.replace('_', '-')}: 'a/b' may hold letters"):
        settings(**{key: "a/b"})


def test_the_step_runs_the_spark_image() -> None:
    (step,) = definition(max_runtime_seconds=1800, has_features=False)["Steps"]
    assert step["Type"] == "Processing"
    job = step["Arguments"]
    image = job["AppSpecification"]["ImageUri"]
    assert "/sagemaker-spark-processing:3.5-cpu-py312-v" in image
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": 1800}
    cluster = job["ProcessingResources"]["ClusterConfig"]
    assert cluster["InstanceType"] == {"Get": "Parameters.instance_type"}
    assert cluster["InstanceCount"] == {"Get": "Parameters.instance_count"}


def test_only_what_is_nobodys_fault_is_tried_again() -> None:
    for step in (*definition()["Steps"], *daily_definition()["Steps"]):
        retried = {kind for policy in step["RetryPolicies"] for kind in policy["ExceptionType"]}
        assert retried == {
            "Step.SERVICE_FAULT",
            "Step.THROTTLING",
            "SageMaker.CAPACITY_ERROR",
            "SageMaker.RESOURCE_LIMIT",
            "SageMaker.JOB_INTERNAL_ERROR",
        }


def test_the_code_lies_at_an_address_of_its_own_content() -> None:
    package = build_package()
    job = definition()["Steps"][0]["Arguments"]
    place = f"s3://code-bucket/ndr/{package.digest}"
    entrypoint = job["AppSpecification"]["ContainerEntrypoint"]
    assert entrypoint[entrypoint.index("--py-files") + 1] == f"{place}/ndr-delta-builder.zip"
    (code,) = [i for i in job["ProcessingInputs"] if i["InputName"] == "code"]
    assert code["S3Input"]["S3Uri"] == f"{place}/run_delta_builder.py"
    assert build_package().archive == package.archive
    assert "--files" not in entrypoint


def test_the_wheels_lie_at_an_address_of_their_own_content_which_executors_get_too() -> None:
    package = build_package(pinned_wheels())
    entrypoint = definition(package)["Steps"][0]["Arguments"]["AppSpecification"][
        "ContainerEntrypoint"
    ]
    place = f"s3://code-bucket/ndr/{digest_of(package.wheels_of(DELTA_BUILDER))}"
    assert entrypoint[entrypoint.index("--files") + 1] == f"{place}/ndr-wheels.zip"
    assert package.digest == build_package().digest, "other code finds them at the same place"
    assert len({digest_of(package.wheels), digest_of(package.wheels[1:]), digest_of(())}) == 3


def test_only_jobs_that_make_baselines_are_given_what_compiles_loops() -> None:
    package = build_package(pinned_wheels())

    given = {script: {wheel.name for wheel in package.wheels_of(script)} for script in SCRIPTS}

    assert given.pop(FG_B_BUILDER) == given.pop(STALE_RENEWAL) == {*COMPILED}
    assert set(map(frozenset, given.values())) == {frozenset(COMPILED) - set(FOR_BASELINES)}


def test_what_a_definition_names_is_no_longer_than_sagemaker_takes() -> None:
    longest = settings("b" * 63)
    longest = evolve(longest, code=S3Address(longest.code.bucket, "p" * 100))
    pipeline = build_delta_builder_pipeline(longest, build_package(pinned_wheels()))
    job = json.loads(pipeline.definition())["Steps"][0]["Arguments"]
    limit = get_session().get_service_model("sagemaker").shape_for("ContainerEntrypointString")
    texts = job["AppSpecification"]["ContainerEntrypoint"]
    assert [text for text in texts if len(text) > limit.metadata["max"]] == []


def test_the_job_knows_its_region() -> None:
    job = definition()["Steps"][0]["Arguments"]
    assert job["Environment"] == {"AWS_DEFAULT_REGION": "eu-west-1"}


def test_a_private_network_can_be_given() -> None:
    job = definition(subnets=("subnet-1",), security_group_ids=("sg-1",))["Steps"][0]["Arguments"]
    assert job["NetworkConfig"]["VpcConfig"] == {
        "Subnets": ["subnet-1"],
        "SecurityGroupIds": ["sg-1"],
    }


def test_the_archive_holds_plain_python_and_no_paths_of_this_machine() -> None:
    with zipfile.ZipFile(io.BytesIO(build_package().archive)) as archive:
        names = archive.namelist()
        assert not [name for name in names if name.endswith((".so", ".pyc", "direct_url.json"))]
        assert {
            name.split("/")[0] for name in names if not name.split("/")[0].endswith("info")
        } == {
            *(
                "ndr_core",
                "ndr_adapters",
                "ndr_entrypoints",
                "attr",
                "attrs",
                "cattr",
                "cattrs",
                "tzdata",
            ),
            *("click", "typing_extensions.py"),
        }
        here = str(Path(__file__).parents[2]).encode()
        assert not [name for name in names if here in archive.read(name)]


def test_definition_and_upsert_of_the_command_line(bucket: str) -> None:
    common = (
        *("--role-arn", ROLE, "--code-prefix", f"s3://{bucket}/ndr", "--name", bucket),
        *WITHOUT,
    )
    printed = json.loads(ndr("pipeline", "definition", *common).output)
    assert not objects(bucket)
    for _ in range(2):  # created, then changed
        assert ndr("pipeline", "upsert", *common).exit_code == 0
    digest = build_package().digest
    assert set(objects(bucket)) == {
        f"ndr/{digest}/{name}" for name in ("ndr-delta-builder.zip", *SCRIPTS)
    }
    found = boto3.client("sagemaker").describe_pipeline(PipelineName=bucket)
    assert json.loads(found["PipelineDefinition"]) == printed


def test_upsert_uploads_the_wheels_of_each_job_where_its_definition_says(
    bucket: str, index: PackageIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_baselines = write_wheel(index.fetched, FOR_BASELINES[0])
    pins = (index.wheel, pin_of(of_baselines))
    monkeypatch.setattr(commands, "pinned_wheels", lambda: pins)
    common = ("--role-arn", ROLE, "--code-prefix", f"s3://{bucket}/ndr", "--name", bucket)
    printed = json.loads(ndr("pipeline", "definition", *common).output)
    daily = json.loads(ndr("pipeline", "definition", *common, "--daily").output)
    answer = ndr("pipeline", "upsert", *common)
    assert answer.exit_code == 0
    assert answer.errors.count(": runs package ") == 2
    client = boto3.client("sagemaker")
    for name, shown in ((bucket, printed), (f"{bucket}-daily", daily)):
        found = client.describe_pipeline(PipelineName=name)
        assert json.loads(found["PipelineDefinition"]) == shown
    for step in (*printed["Steps"], *daily["Steps"]):
        entrypoint = step["Arguments"]["AppSpecification"]["ContainerEntrypoint"]
        address = entrypoint[entrypoint.index("--files") + 1]
        uploaded = objects(bucket)[address.removeprefix(f"s3://{bucket}/")]
        with zipfile.ZipFile(io.BytesIO(uploaded)) as bundle:
            names = set(bundle.namelist())
        makes_baselines = step["Name"] in ("FgBBuilder", "StaleRenewal")
        assert names == {index.wheel.file_name, *[of_baselines.name] * makes_baselines}


def test_feature_jobs_are_not_deployed_without_their_wheels(bucket: str) -> None:
    common = ("--role-arn", ROLE, "--code-prefix", f"s3://{bucket}/ndr", "--name", bucket)

    answer = ndr("pipeline", "upsert", *common, "--without-wheels")

    assert answer.exit_code == 2
    assert "feature jobs compute by Polars" in answer.errors
    assert "--without-features" in answer.errors
    assert not objects(bucket)


def test_there_is_no_daily_definition_without_features() -> None:
    common = ("--role-arn", ROLE, "--code-prefix", "s3://code-bucket/ndr")

    answer = ndr("pipeline", "definition", *common, *WITHOUT, "--daily")

    assert answer.exit_code == 2
    assert "no daily pipeline without features" in answer.errors


def test_the_package_command_writes_what_upsert_uploads(
    tmp_path: Path, index: PackageIndex
) -> None:
    assert ndr("pipeline", "package", "--output", tmp_path / "new").exit_code == 0
    package = build_package()
    assert (tmp_path / "new" / "ndr-delta-builder.zip").read_bytes() == package.archive
    for name in SCRIPTS:
        assert (tmp_path / "new" / name).read_bytes() == package.scripts[name]
    with zipfile.ZipFile(tmp_path / "new" / "ndr-wheels.zip") as bundle:
        assert bundle.read(index.wheel.file_name) == index.file.read_bytes()


def test_a_package_without_wheels_has_none_of_an_earlier_one(
    tmp_path: Path, index: PackageIndex
) -> None:
    assert ndr("pipeline", "package", "--output", tmp_path).exit_code == 0
    index.file.unlink()
    assert ndr("pipeline", "package", "--output", tmp_path, "--without-wheels").exit_code == 0
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {
        "ndr-delta-builder.zip",
        *SCRIPTS,
    }


def test_a_package_whose_wheels_can_not_be_had_says_which_and_what_to_do(
    tmp_path: Path, index: PackageIndex
) -> None:
    index.file.unlink()
    answer = ndr("pipeline", "package", "--output", tmp_path / "new")
    assert answer.exit_code == 1
    assert "tiny==1.0: pip can't fetch the wheels for the cluster" in answer.errors
    assert "--without-wheels" in answer.errors


def test_the_local_pipeline_session_takes_its_first_step_as_far_as_docker(
    bucket: str, aws: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from sagemaker.workflow.pipeline_context import LocalPipelineSession

    monkeypatch.setenv("PATH", str(tmp_path))  # whether or not this machine has Docker
    make_session: Any = LocalPipelineSession
    session = make_session(boto_session=boto3.Session(), default_bucket=bucket, s3_endpoint_url=aws)
    session.sagemaker_config = SDK_CONFIG
    deployed = settings(bucket, instance_type="local")
    pipeline = build_delta_builder_pipeline(deployed, build_package(), session)
    pipeline.create(role_arn=ROLE)
    execution = pipeline.start(parameters={**RUN, "run_id": "run-1"})
    steps = execution.list_steps()["PipelineExecutionSteps"]
    assert steps[0]["StepName"] == "DeltaBuilder"
    assert "docker" in steps[0]["FailureReason"].lower()
    assert [step["StepName"] for step in steps if step.get("StartTime")] == ["DeltaBuilder"]
