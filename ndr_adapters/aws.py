"""AWS clients with bounded retries, and their failures in words a user can act on.

Endpoint, region and credentials come from where every AWS tool takes them: environment, profile, role.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ndr_core.errors import NdrError, UsageError

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        NoCredentialsError,
        NoRegionError,
        ParamValidationError,
        PartialCredentialsError,
        ProfileNotFound,
    )
except ImportError as error:
    raise UsageError("AWS needs boto3: pip install 'ndr-delta-builder[aws]'") from error

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

ATTEMPTS: Final = 8
"""Tries of one request, the first included; waits between them double up to 20 s."""
CONNECT_SECONDS: Final = 10
READ_SECONDS: Final = 30
THREADS: Final = 16
"""Requests in flight where many small ones are due."""

_MISSING: Final = {
    "404": "not found",
    "NoSuchBucket": "no such bucket",
    "NoSuchKey": "no such object",
    "NotFound": "not found",
    "ResourceNotFoundException": "no such table",
    "ResourceNotFound": "no such resource",
}
_FORBIDDEN: Final = {
    "403",
    "AccessDenied",
    "AccessDeniedException",
    "AllAccessDisabled",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}


class AwsError(NdrError):
    """AWS did not do what was asked, for no fault of the call (throttling, outage, network)."""


def _config() -> Config:
    return Config(
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        max_pool_connections=2 * THREADS,
    )


def s3_client() -> S3Client:
    """An S3 client. Raises UsageError where region or profile are not set up."""
    with told("S3"):
        return boto3.client("s3", config=_config())


def dynamodb_client() -> DynamoDBClient:
    """A DynamoDB client. Raises UsageError where region or profile are not set up."""
    with told("DynamoDB"):
        return boto3.client("dynamodb", config=_config())


@contextmanager
def told(what: str) -> Iterator[None]:
    """Failures of AWS calls in the block, told of `what` (a table, an address).

    Raises UsageError for what the caller can mend (names, permissions, credentials), else AwsError.
    """
    try:
        yield
    except ClientError as error:
        raise _of_answer(what, error) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise UsageError(
            f"{what}: no AWS credentials; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or run under a role"
        ) from error
    except NoRegionError as error:
        raise UsageError(f"{what}: no AWS region; set AWS_DEFAULT_REGION") from error
    except (ParamValidationError, ProfileNotFound) as error:
        raise UsageError(f"{what}: {error}") from error
    except BotoCoreError as error:
        raise AwsError(f"{what}: AWS can't be reached: {error}") from error


def error_code(error: ClientError) -> str:
    """Code of an error that AWS answered with, e.g. `NoSuchKey`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _of_answer(what: str, error: ClientError) -> NdrError:
    code = error_code(error)
    call = error.operation_name
    if code in _MISSING:
        return UsageError(f"{what}: {_MISSING[code]} ({call}); check name, account and region")
    if code in _FORBIDDEN:
        return UsageError(
            f"{what}: {call} is not allowed ({code}); check the credentials and that the role's "
            "policy has this action on this resource"
        )
    message = error.response.get("Error", {}).get("Message", "")
    if code == "RequestTimeTooSkewed":
        return UsageError(f"{what}: the clock of this machine is wrong, set it: {message} ({call})")
    if code in ("ValidationException", "InvalidBucketName", "InvalidURI"):
        return UsageError(f"{what}: {message} ({call}: {code})")
    return AwsError(f"{what}: {call} failed after {ATTEMPTS} tries: {code}: {message}")
