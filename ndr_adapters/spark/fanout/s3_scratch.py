"""Places in S3 for what tasks write and Spark reads again."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from ndr_adapters.at_end import at_end
from ndr_adapters.aws.clients import s3_client
from ndr_adapters.polars.s3 import polars_options
from ndr_adapters.polars.write import StagingRoot
from ndr_adapters.s3.objects import delete_objects, list_objects
from ndr_core.errors import NdrError
from ndr_core.publishing.location import S3Address

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def scratch_in_s3(scratch: str, name: str) -> StagingRoot:
    """Name a place below a prefix, `s3://..`: its objects are removed when this process ends in order.

    Raises UsageError for what is no address, and where S3 is not set up.
    """
    place, client = S3Address.parse(scratch, "scratch") / name, s3_client()
    at_end(partial(_remove_objects, client, place))
    return StagingRoot(str(place), polars_options(client))


def _remove_objects(client: S3Client, place: S3Address) -> None:
    # What can't be removed now stays, until a rule of the bucket removes it.
    with suppress(NdrError):
        keys = [item["Key"] for item in list_objects(client, place)]
        delete_objects(client, place.bucket, keys)
