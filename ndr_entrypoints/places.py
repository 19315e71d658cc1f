"""Places that a user names, a folder or an address in S3, and the adapters that go there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from ndr_core.errors import UsageError
from ndr_core.ports import DeltaSink, Engine, FlowSource
from ndr_core.s3_address import S3Address, is_s3

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@frozen
class Places:
    """Where a run reads and writes. One S3 client serves all that lies in S3."""

    source: FlowSource
    sink: DeltaSink
    client: S3Client | None = field(metadata={"doc": "absent where neither place lies in S3"})

    @classmethod
    def of(cls, source: str, target: str) -> Places:
        """Raises UsageError for an address of another kind, and for S3 that is not set up."""
        if not (is_s3(source) or is_s3(target)):
            return cls(_folder_source(source), _folder_sink(target), None)
        from ndr_adapters.aws.clients import s3_client
        from ndr_adapters.s3 import S3Reader, S3Writer

        client = s3_client()
        return cls(
            S3Reader(client, S3Address.parse(source, "input"))
            if is_s3(source)
            else _folder_source(source),
            S3Writer(client, S3Address.parse(target, "output"))
            if is_s3(target)
            else _folder_sink(target),
            client,
        )

    def engine(self, name: str) -> Engine:
        """The engine of that name, set up to reach these places."""
        if name == "spark":
            return self._spark()
        storage_options: dict[str, Any] = {}
        if self.client is not None:
            from ndr_adapters.s3.settings import polars_options

            storage_options = polars_options(self.client)
        if name == "polars":
            from ndr_adapters.polars import PolarsEngine

            return PolarsEngine(storage_options=storage_options)
        from ndr_adapters.reference import ReferenceEngine

        return ReferenceEngine(storage_options=storage_options)

    def _spark(self) -> Engine:
        from ndr_adapters.spark import SparkEngine, session

        if self.client is None:
            return SparkEngine(session(s3=False))
        from ndr_adapters.s3.settings import hadoop_settings

        return SparkEngine(session(s3=True), hadoop_settings(self.client))


def local_folder(address: str, what: str) -> Path:
    """The folder that an address names; UsageError for other places."""
    scheme, separator, rest = address.partition("://")
    if not separator:
        return Path(address)
    if scheme == "file":
        return Path(rest)
    raise UsageError(
        f"{what} {address}: {scheme}:// is not supported; give a folder, file:// or s3://"
    )


def _folder_source(address: str) -> FlowSource:
    from ndr_adapters.local.source import FolderSource

    return FolderSource(local_folder(address, "input"))


def _folder_sink(address: str) -> DeltaSink:
    from ndr_adapters.local.sink import FolderSink

    return FolderSink(local_folder(address, "output"))
