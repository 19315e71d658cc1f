"""Places for what tasks write and Spark reads again."""

from __future__ import annotations

import shutil
import uuid
from functools import partial

from pyspark.sql import SparkSession

from ndr_adapters.at_end import at_end
from ndr_adapters.home import with_home
from ndr_adapters.polars.write import StagingRoot
from ndr_adapters.scratch import scratch_for_life
from ndr_core.errors import UsageError
from ndr_core.publishing.location import is_s3


def new_scratch(session: SparkSession, scratch: str | None) -> StagingRoot:
    """Make a place for files of tasks, which is removed when this process ends in order.

    `scratch`: a folder that all executors see, or a prefix in S3; the new place lies below it. None: a folder of this
    machine, where the tasks run in this process's Spark. Raises UsageError where it can't be made, and for None on a
    cluster.
    """
    if scratch is None:
        master = session.sparkContext.master or ""
        if master.partition("[")[0] != "local":
            raise UsageError(
                f"scratch: tasks of {master} run on other machines; name a folder that all of them see, or a "
                "prefix in S3, such as s3://BUCKET/scratch"
            )
        return StagingRoot(str(scratch_for_life()))
    name = f"ndr-{uuid.uuid4().hex[:12]}"
    if not is_s3(scratch):
        return _in_folder(scratch, name)
    # Only who has scratch in S3 needs boto3.
    from ndr_adapters.spark.fanout.s3_scratch import scratch_in_s3

    return scratch_in_s3(scratch, name)


def _in_folder(scratch: str, name: str) -> StagingRoot:
    folder = with_home(scratch).absolute() / name
    try:
        folder.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise UsageError(f"scratch: {folder}: can't be made: {error.strerror}") from error
    at_end(partial(shutil.rmtree, folder, ignore_errors=True))
    return StagingRoot(str(folder))
