"""What the pipelines of one deployment are made with, checked before anything is asked of AWS."""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

from ndr_adapters.sagemaker.package import JobPackage
from ndr_adapters.sagemaker.wheels import Wheel, digest_of
from ndr_adapters.wheel_bundle import BUNDLE
from ndr_core.errors import UsageError, shown
from ndr_core.names import PATH_SEGMENT_RULE, is_path_segment
from ndr_core.publishing.location import S3Address

CONTAINER_VERSION: Final = "1.3"
"""Of the Spark image. Before 1.3, `python3` of the py312 image is Python 3.9."""

_DAILY: Final = "-daily"
_NAME: Final = re.compile(rf"[A-Za-z0-9](-*[A-Za-z0-9]){{0,{255 - len(_DAILY)}}}")
_ROLE_ARN: Final = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[^\s]+")


@frozen
class PipelineSettings:
    """What one deployment of the pipelines is made with."""

    name: str
    """Of the pipeline of mini-batches; that of the daily one is made from it."""
    role_arn: str
    """Role of the jobs, and of the pipelines themselves."""
    code: S3Address
    """Prefix at which the package of the jobs lies."""
    job_spec_table: str
    instance_type: str = "ml.m5.xlarge"
    instance_count: int = 1
    max_runtime_seconds: int = 3600
    volume_gb: int = 30
    container_version: str = CONTAINER_VERSION
    kms_key: str | None = None
    subnets: tuple[str, ...] = ()
    security_group_ids: tuple[str, ...] = ()
    has_features: bool = True
    """Whether feature jobs run after the deltas."""
    fg_a_job: str = "fg_a"
    history_job: str = "pair_history"
    fg_b_job: str = "fg_b"
    fg_c_job: str = "fg_c"
    features_instance_type: str = "ml.m5.xlarge"
    """Of the feature jobs, each of which runs on one instance."""

    def __attrs_post_init__(self) -> None:
        """Raise UsageError, naming the option, for what can't be deployed."""
        if not _NAME.fullmatch(self.name):
            raise UsageError(
                f"name: {shown(self.name)} may hold letters, digits and '-' only, "
                f"{256 - len(_DAILY)} at most, a letter or digit first and last"
            )
        if not _ROLE_ARN.fullmatch(self.role_arn):
            raise UsageError(
                f"role-arn: {shown(self.role_arn)} is no ARN of a role, such as "
                "arn:aws:iam::123456789012:role/NAME"
            )
        for key in ("instance_count", "max_runtime_seconds", "volume_gb"):
            if getattr(self, key) < 1:
                raise UsageError(f"{key.replace('_', '-')}: {getattr(self, key)} is below 1")
        for key in ("fg_a_job", "history_job", "fg_b_job", "fg_c_job"):
            if not is_path_segment(getattr(self, key)):
                raise UsageError(
                    f"{key.replace('_', '-')}: {shown(getattr(self, key))} {PATH_SEGMENT_RULE}"
                )
        if self.security_group_ids and not self.subnets:
            raise UsageError("security-group: needs --subnet, in whose VPC the group is")

    @property
    def daily_name(self) -> str:
        """Name of the pipeline that runs once a day."""
        return self.name + _DAILY


def code_address(code: S3Address, package: JobPackage, file: str) -> S3Address:
    """Where a script or the archive of a package lies: equal packages at equal places."""
    return code / package.digest / file


def wheels_address(code: S3Address, wheels: tuple[Wheel, ...]) -> S3Address | None:
    """Where some wheels lie, None if there are none: other code with the same wheels finds them there."""
    return code / digest_of(wheels) / BUNDLE if wheels else None
