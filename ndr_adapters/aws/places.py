"""The S3 client for places that may lie in S3, or in folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ndr_core.publishing.location import is_s3

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def client_for(*places: str) -> S3Client | None:
    """Give an S3 client where one of these addresses lies in S3, else None. Raises as `s3_client`."""
    if not any(map(is_s3, places)):
        return None
    # Only who has a place in S3 needs boto3.
    from ndr_adapters.aws.clients import s3_client

    return s3_client()
