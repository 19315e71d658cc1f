"""What names a key of KMS, and what does not."""

from __future__ import annotations

import re

import pytest

from ndr_core.jobs.kms_key import KMS_KEY, kms_key_problem

ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
OF_SEVERAL_REGIONS = "mrk-" + "0123456789abcdef" * 2
ARN = "arn:aws:kms:eu-west-1:123456789012:"

NAMES = [
    ID,
    OF_SEVERAL_REGIONS,
    "alias/my-network",
    "alias/aws/s3",
    f"{ARN}key/{ID}",
    f"{ARN}key/{OF_SEVERAL_REGIONS}",
    f"{ARN}alias/my-network",
    f"arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/{ID}",
    f"arn:aws-cn:kms:cn-north-1:123456789012:key/{ID}",
]
OTHERS = [
    "",
    "my-network",
    "alias/",
    "alias/a b",
    f"key/{ID}",
    ID.upper(),
    f"{ID} ",
    f"{ID}\n",
    f"{ARN}{ID}",
    f"arn:aws:kms:eu-west-1:1234:key/{ID}",
    f"arn:aws:s3:eu-west-1:123456789012:key/{ID}",
    "arn:aws:kms:eu-west-1:123456789012:key/*",
]


@pytest.mark.parametrize("name", NAMES)
def test_an_id_an_alias_and_the_arn_of_either_name_a_key(name: str) -> None:
    assert kms_key_problem(name) is None


@pytest.mark.parametrize("name", OTHERS)
def test_what_names_no_key_is_told_with_the_forms_that_do(name: str) -> None:
    problem = kms_key_problem(name)

    assert problem is not None
    assert problem.startswith(f"{name!r} is no key of KMS; give its ARN (arn:aws:kms:")


@pytest.mark.parametrize("name", NAMES + [one for one in OTHERS if not one.endswith("\n")])
def test_the_schema_says_the_same(name: str) -> None:
    found = re.search(KMS_KEY["schema"]["pattern"], name)  # type: ignore[index]

    assert (found is None) == (kms_key_problem(name) is not None)
