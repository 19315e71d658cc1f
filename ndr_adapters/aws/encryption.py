"""The key of KMS by which an S3 client has S3 encrypt all that it writes.

The client carries it, so that no call that writes can leave it out, nor an engine that is set up by the client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ALGORITHM: Final = "aws:kms"
"""How S3 names the encryption by a key of KMS."""

_WRITES: Final = ("PutObject", "CopyObject", "CreateMultipartUpload")
"""The calls that say how a new object is encrypted. Parts of an upload are encrypted as its beginning says."""

_KEYS: Final[WeakKeyDictionary[S3Client, str]] = WeakKeyDictionary()


def encrypt_writes(client: S3Client, kms_key: str) -> None:
    """Have a client ask S3 to encrypt each object that it writes, in whatever way, by a key."""
    _KEYS[client] = kms_key

    def add_key(params: dict[str, Any], **_: Any) -> None:
        params |= {"ServerSideEncryption": ALGORITHM, "SSEKMSKeyId": kms_key}

    for call in _WRITES:
        client.meta.events.register(f"before-parameter-build.s3.{call}", add_key)


def kms_key_of(client: S3Client) -> str | None:
    """Give the key by which what a client writes is encrypted; None where the bucket's own rule says it."""
    return _KEYS.get(client)
