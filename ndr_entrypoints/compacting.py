"""What compacts the days of an output, wired."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from ndr_adapters.outputs import open_output
from ndr_adapters.polars.compact import write_day
from ndr_adapters.polars.s3 import polars_options
from ndr_adapters.polars.write import StagingRoot
from ndr_core.publishing.compact_job import Compactor
from ndr_core.version import __version__
from ndr_entrypoints.wiring import sink_of


def compactor_of(
    output: str,
    notice: Callable[[str], None],
    undisturbed: Callable[[], AbstractContextManager[Any]],
    kms_key: str | None = None,
) -> Compactor:
    """Wire the compaction of an output, a folder or s3://... Raises as `sink_of`.

    `kms_key`: the key by which S3 encrypts what is written.
    """
    published = open_output(output)
    sink, client = sink_of(output, kms_key)
    options = polars_options(client)
    return Compactor(
        published=published,
        sink=sink,
        write=lambda day, root: write_day(published, day, StagingRoot(root, options)),
        run_id=uuid.uuid4().hex,
        engine="polars",
        code_version=__version__,
        notice=notice,
        undisturbed=undisturbed,
    )
