"""By which key of KMS objects are encrypted, and whether each request that makes an object asked for it."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterable
from typing import Final

from ndr_adapters.aws.clients import s3_client
from tests.stand_in import Request
from tests.support import objects

KEY: Final = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"

_ALGORITHM: Final = "x-amz-server-side-encryption"
_KEY: Final = "x-amz-server-side-encryption-aws-kms-key-id"


def keys_of_objects(bucket: str, prefix: str) -> dict[str, tuple[str | None, str | None]]:
    """Object below a prefix -> how it is encrypted and by which key, as S3 tells by its head."""
    client = s3_client()
    heads = {key: client.head_object(Bucket=bucket, Key=key) for key in objects(bucket, prefix)}
    return {
        key: (head.get("ServerSideEncryption"), head.get("SSEKMSKeyId"))
        for key, head in heads.items()
    }


def other_keys(bucket: str, prefix: str) -> list[str]:
    """Objects below a prefix that are not encrypted by KEY. There must be some objects."""
    found = keys_of_objects(bucket, prefix)
    assert found
    return [key for key, how in found.items() if how != ("aws:kms", KEY)]


def makes_object(request: Request) -> bool:
    """Whether a request to S3 makes an object: parts of an upload belong to the one that its beginning makes."""
    url = urllib.parse.urlsplit(request.path)
    query = urllib.parse.parse_qs(url.query, keep_blank_values=True)
    if request.method == "PUT":
        return "uploadId" not in query
    return request.method == "POST" and "uploads" in query


def asked_key(request: Request) -> str | None:
    """The key of KMS by which a request has its object encrypted."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    return headers.get(_KEY) if headers.get(_ALGORITHM) == "aws:kms" else None


def made_without_key(requests: Iterable[Request]) -> list[str]:
    """The requests that make an object, staged ones and claims included, and do not ask for KEY. Some must make one."""
    made = [request for request in requests if makes_object(request)]
    assert made
    return [request.path for request in made if asked_key(request) != KEY]
