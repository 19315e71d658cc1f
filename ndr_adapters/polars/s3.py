"""How Polars reaches the S3 that a boto3 client reaches: endpoint, region, retries, the key of what is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ndr_adapters.aws.encryption import ALGORITHM, kms_key_of
from ndr_adapters.aws.endpoint import foreign_endpoint
from ndr_adapters.aws.limits import ATTEMPTS, CONNECT_SECONDS, READ_SECONDS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def polars_options(client: S3Client | None) -> dict[str, Any]:
    """`storage_options` for Polars, which takes credentials by way of boto3 itself; none without a client."""
    if client is None:
        return {}
    options: dict[str, Any] = {
        "max_retries": ATTEMPTS,
        "retry_timeout_ms": 120_000,
        "connect_timeout": f"{CONNECT_SECONDS}s",
        "timeout": f"{READ_SECONDS}s",
        "aws_region": client.meta.region_name,
    }
    endpoint = foreign_endpoint(client)
    if endpoint is not None:
        options["aws_endpoint_url"] = endpoint
        options["aws_allow_http"] = str(endpoint.startswith("http://")).lower()
    kms_key = kms_key_of(client)
    if kms_key is not None:
        options["aws_server_side_encryption"] = ALGORITHM
        options["aws_sse_kms_key_id"] = kms_key
    return options
