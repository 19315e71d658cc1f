"""How Spark reaches the S3 that a boto3 client reaches: endpoint, region, retries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ndr_adapters.aws.endpoint import foreign_endpoint
from ndr_adapters.aws.limits import ATTEMPTS, CONNECT_SECONDS, READ_SECONDS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def hadoop_settings(client: S3Client) -> dict[str, str]:
    """Settings of a Spark session for `s3a://`, whose connector takes credentials its own way."""
    settings = {
        # Markers of empty folders stay where they are; what an engine stages is removed as a whole.
        "fs.s3a.directory.marker.retention": "keep",
        "fs.s3a.attempts.maximum": str(ATTEMPTS),
        "fs.s3a.connection.establish.timeout": str(CONNECT_SECONDS * 1000),
        "fs.s3a.connection.timeout": str(READ_SECONDS * 1000),
    }
    endpoint = foreign_endpoint(client)
    if endpoint is not None:
        settings["fs.s3a.endpoint"] = endpoint
        settings["fs.s3a.endpoint.region"] = client.meta.region_name
        settings["fs.s3a.path.style.access"] = "true"
        settings["fs.s3a.connection.ssl.enabled"] = str(endpoint.startswith("https://")).lower()
    return settings
