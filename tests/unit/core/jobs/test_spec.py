"""Keys and places of a job are refused by the key at fault."""

from __future__ import annotations

import pytest

from ndr_core.errors import Problem, SpecError, UsageError
from ndr_core.jobs.spec import JobKey, Storage, hash_of_plain
from ndr_core.publishing.location import S3Address


def test_a_key_of_names_that_can_be_paths_has_no_problem() -> None:
    assert JobKey("my-network", "delta_builder", "v1.2").problems() == []


def test_each_part_of_a_key_that_can_be_no_path_is_a_problem() -> None:
    problems = JobKey("../etc", "", "a/b").problems()

    assert [problem.key for problem in problems] == [
        "project_name",
        "job_name",
        "feature_spec_version",
    ]
    assert all(problem.message.startswith("may hold letters") for problem in problems)


@pytest.mark.parametrize(
    "storage",
    [
        Storage(),
        Storage(input_prefix="s3://bucket/in"),
        Storage(output_prefix="s3://bucket/out"),
        Storage("s3://bucket/in", "s3://bucket/out"),
        Storage("s3://bucket/in", "s3://bucket/input"),
        Storage("s3://bucket-in", "s3a://bucket-out"),
    ],
)
def test_places_apart_have_no_problem(storage: Storage) -> None:
    assert storage.problems() == []


@pytest.mark.parametrize("output", ["s3://bucket/in/out", "s3://bucket/in/", "s3a://bucket"])
def test_a_job_can_not_publish_into_its_own_input(output: str) -> None:
    assert Storage("s3://bucket/in", output).problems() == [
        Problem("output_prefix", "must not lie in input_prefix, nor hold it")
    ]


def test_each_wrong_prefix_is_a_problem_of_its_key() -> None:
    problems = Storage("b/in", "b/in").problems()

    assert [problem.key for problem in problems] == ["input_prefix", "output_prefix"]
    assert problems[0].message.startswith("'b/in' is no address in S3")


def test_a_prefix_without_a_text_is_a_wrong_one() -> None:
    (problem,) = Storage("", None).problems()

    assert str(problem) == "input_prefix: '' is no address in S3; give s3://BUCKET/PREFIX"


def test_the_places_of_a_job_are_addresses() -> None:
    storage = Storage("s3://bucket/in/", "s3a://bucket/out")

    assert storage.input() == S3Address("bucket", "in")
    assert storage.output() == S3Address("bucket", "out")


def test_a_place_that_a_deployed_job_needs_and_does_not_have_is_named() -> None:
    with pytest.raises(SpecError, match=r"^storage\.input_prefix: missing"):
        Storage().input()
    with pytest.raises(SpecError, match=r"^storage\.output_prefix: missing"):
        Storage().output()


def test_a_place_that_is_none_is_named_when_it_is_asked_for() -> None:
    with pytest.raises(UsageError, match=r"^storage\.input_prefix: 'in' is no address"):
        Storage("in").input()


def test_a_key_may_be_named_without_places_and_is_refused_by_its_own_name() -> None:
    assert Storage(kms_key="alias/ndr").problems() == []

    (problem,) = Storage("s3://bucket/in", "s3://bucket/out", "ndr").problems()

    assert str(problem).startswith("kms_key: 'ndr' is no key of KMS")


def test_by_which_key_objects_are_encrypted_changes_no_hash_but_where_they_lie_does() -> None:
    places = {"input_prefix": "s3://bucket/in"}
    plain = {"job_name": "x", "storage": places}
    with_key = {"job_name": "x", "storage": {**places, "kms_key": "alias/a"}}

    assert hash_of_plain(with_key) == hash_of_plain(plain) != hash_of_plain({"job_name": "x"})
    assert hash_of_plain({"job_name": "x", "storage": {"kms_key": "alias/a"}}) == hash_of_plain(
        {"job_name": "x"}
    )
