"""Where S3 is reached, for those who reach it without boto3."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def foreign_endpoint(client: S3Client) -> str | None:
    """The client's endpoint where it is not Amazon's: a stand-in, another vendor's S3, a private link."""
    url = client.meta.endpoint_url
    host = urlsplit(url).hostname or ""
    return None if host.endswith((".amazonaws.com", ".amazonaws.com.cn")) else url
