"""How Spark reaches the S3 that a boto3 client reaches: endpoint, region, retries, the key of what is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from pyspark.sql import SparkSession

from ndr_adapters.aws.encryption import kms_key_of
from ndr_adapters.aws.endpoint import foreign_endpoint
from ndr_adapters.aws.limits import ATTEMPTS, CONNECT_SECONDS, READ_SECONDS
from ndr_adapters.spark.runtime.internals import hadoop_configuration, jvm_of
from ndr_core.errors import UsageError
from ndr_core.publishing.location import is_s3

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

KMS_KEY: Final = "fs.s3a.encryption.key"
"""Setting of the key by which what is written is encrypted."""


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
    kms_key = kms_key_of(client)
    if kms_key is not None:
        settings["fs.s3a.encryption.algorithm"] = "SSE-KMS"
        settings[KMS_KEY] = kms_key
    return settings


def refuse_other_key(session: SparkSession, address: str, settings: Mapping[str, str]) -> None:
    """Raise UsageError where Spark would not encrypt what it writes at an address as its settings ask.

    A process keeps how it reached a bucket first, whatever later settings say. Folders have no key.
    """
    wanted = settings.get(KMS_KEY)
    if wanted is None or not is_s3(address):
        return
    place = jvm_of(session).org.apache.hadoop.fs.Path(address)
    system = place.getFileSystem(hadoop_configuration(session))
    if system.getConf().get(KMS_KEY) != wanted:
        raise UsageError(
            f"{KMS_KEY}: {wanted} can't be taken, as this process has reached the bucket of {address} without it; "
            "run with one key in one process"
        )
