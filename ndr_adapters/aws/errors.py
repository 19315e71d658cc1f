"""Failures of AWS calls, in words a user can act on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from ndr_adapters.aws import limits
from ndr_core.errors import NdrError, UsageError

try:
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


@contextmanager
def aws_errors_named(what: str) -> Iterator[None]:
    """Let failures of AWS calls in the block name `what` was asked for (a table, an address).

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
    return AwsError(f"{what}: {call} failed after {limits.ATTEMPTS} tries: {code}: {message}")
