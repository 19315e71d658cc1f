"""AWS clients with bounded retries.

Endpoint, region and credentials come from where every AWS tool takes them: environment, profile, role.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ndr_adapters.aws import limits
from ndr_adapters.aws.encryption import encrypt_writes
from ndr_adapters.aws.errors import aws_errors_named
from ndr_core.errors import UsageError

try:
    import boto3
    from botocore.config import Config
except ImportError as error:
    raise UsageError("AWS needs boto3: pip install 'ndr-delta-builder[aws]'") from error

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


def s3_client(
    region: str | None = None, endpoint: str | None = None, *, kms_key: str | None = None
) -> S3Client:
    """An S3 client. Raises UsageError where region or profile are not set up.

    `region`, `endpoint`: of another client that this one is to be like; default: of the environment. `kms_key`: what
    the client writes, and the engines that are set up by it, is encrypted by this key; default: as the bucket says.
    """
    with aws_errors_named("S3"):
        client = boto3.client("s3", region_name=region, endpoint_url=endpoint, config=_config())
    if kms_key is not None:
        encrypt_writes(client, kms_key)
    return client


def dynamodb_client() -> DynamoDBClient:
    """A DynamoDB client. Raises UsageError where region or profile are not set up."""
    with aws_errors_named("DynamoDB"):
        return boto3.client("dynamodb", config=_config())


def _config() -> Config:
    return Config(
        retries={"mode": "standard", "total_max_attempts": limits.ATTEMPTS},
        connect_timeout=limits.CONNECT_SECONDS,
        read_timeout=limits.READ_SECONDS,
        max_pool_connections=2 * limits.THREADS,
    )
