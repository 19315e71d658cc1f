"""How engines reach the S3 that a boto3 client reaches: endpoint, region, retries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ndr_adapters.aws.limits import ATTEMPTS, CONNECT_SECONDS, READ_SECONDS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def polars_options(client: S3Client) -> dict[str, Any]:
    """`storage_options` for Polars, which takes credentials by way of boto3 itself."""
    options: dict[str, Any] = {
        "max_retries": ATTEMPTS,
        "retry_timeout_ms": 120_000,
        "connect_timeout": f"{CONNECT_SECONDS}s",
        "timeout": f"{READ_SECONDS}s",
        "aws_region": client.meta.region_name,
    }
    endpoint = _own_endpoint(client)
    if endpoint is not None:
        options["aws_endpoint_url"] = endpoint
        options["aws_allow_http"] = str(endpoint.startswith("http://")).lower()
    return options


def hadoop_settings(client: S3Client) -> dict[str, str]:
    """Settings of a Spark session for `s3a://`, whose connector takes credentials its own way."""
    settings = {
        # Markers of empty folders stay where they are; what an engine stages is removed as a whole.
        "fs.s3a.directory.marker.retention": "keep",
        "fs.s3a.attempts.maximum": str(ATTEMPTS),
        "fs.s3a.connection.establish.timeout": str(CONNECT_SECONDS * 1000),
        "fs.s3a.connection.timeout": str(READ_SECONDS * 1000),
    }
    endpoint = _own_endpoint(client)
    if endpoint is not None:
        settings["fs.s3a.endpoint"] = endpoint
        settings["fs.s3a.endpoint.region"] = client.meta.region_name
        settings["fs.s3a.path.style.access"] = "true"
        settings["fs.s3a.connection.ssl.enabled"] = str(endpoint.startswith("https://")).lower()
    return settings


def _own_endpoint(client: S3Client) -> str | None:
    """The endpoint where it is not Amazon's own: a stand-in, another vendor's S3, a private link."""
    url = client.meta.endpoint_url
    host = urlsplit(url).hostname or ""
    return None if host.endswith((".amazonaws.com", ".amazonaws.com.cn")) else url
