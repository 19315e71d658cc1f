"""What the JobSpecs of all feature jobs say alike."""

from __future__ import annotations

import pytest

from ndr_core.errors import SpecError
from ndr_core.features.settings import FeatureStorage, Inputs


def problems(part: Inputs | FeatureStorage) -> list[str]:
    return [str(problem) for problem in part.problems()]


def test_deltas_of_the_job_s_own_version_are_read_unless_another_is_named() -> None:
    assert Inputs().deltas_version("v1") == "v1"
    assert Inputs("v2").deltas_version("v1") == "v2"
    assert problems(Inputs()) == problems(Inputs("v2", "our_history")) == []


def test_names_of_inputs_can_be_parts_of_paths() -> None:
    found = problems(Inputs("../v1", ""))

    assert [one.partition(":")[0] for one in found] == ["feature_spec_version", "history_job"]


def test_features_lie_among_the_deltas_unless_said_otherwise() -> None:
    storage = FeatureStorage("s3://bucket/out")

    assert str(storage.deltas()) == "s3://bucket/out"
    assert str(storage.features()) == "s3://bucket/out/features"
    assert str(FeatureStorage("s3://bucket/out", "s3://other/f").features()) == "s3://other/f"
    assert problems(storage) == problems(FeatureStorage()) == []


def test_a_deployed_job_needs_the_prefix_of_the_deltas() -> None:
    with pytest.raises(
        SpecError, match=r"^storage.deltas_prefix: missing; a deployed job needs it"
    ):
        FeatureStorage().features()


def test_a_prefix_is_an_address_in_s3() -> None:
    found = problems(FeatureStorage("out", "s3://B/f"))

    assert [one.partition(":")[0] for one in found] == ["deltas_prefix", "features_prefix"]


@pytest.mark.parametrize(
    ("features", "is_free"),
    [
        ("s3://bucket/out/features", True),
        ("s3://bucket/other", True),
        ("s3://bucket/out", False),
        ("s3://bucket/out/delta", False),
        ("s3://bucket", False),
    ],
)
def test_of_the_deltas_output_only_the_folder_of_features_is_free(
    features: str, is_free: bool
) -> None:
    found = problems(FeatureStorage("s3://bucket/out", features))

    expected = ["features_prefix: in deltas_prefix only its folder `features` is free"]
    assert found == ([] if is_free else expected)


def test_a_key_may_be_named_without_places_and_is_refused_by_its_own_name() -> None:
    assert problems(FeatureStorage(kms_key="alias/ndr")) == []

    (problem,) = problems(FeatureStorage("s3://bucket/out", kms_key="ndr"))

    assert problem.startswith("kms_key: 'ndr' is no key of KMS")
