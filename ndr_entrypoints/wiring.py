"""What a run on this machine is wired from: places that a user names, and the engine by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import frozen

from ndr_adapters.local.sink import FolderSink
from ndr_adapters.local.source import FolderSource
from ndr_adapters.memory import memory_bytes
from ndr_adapters.polars.engine import PolarsEngine
from ndr_adapters.polars.s3 import polars_options
from ndr_adapters.reference.engine import ReferenceEngine
from ndr_core.deltas.engine import ChosenEngine, Engine, asked_for
from ndr_core.deltas.spec import JobSpec
from ndr_core.errors import UsageError, nearest, shown
from ndr_core.flows.source import FlowSource, InputBatch
from ndr_core.jobs.choice import POLARS, SPARK, SPARK_SQL, Machine, refuse_unable
from ndr_core.publishing.location import S3Address, is_s3
from ndr_core.publishing.nowhere import Nowhere
from ndr_core.publishing.sink import Sink

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from ndr_entrypoints.start_polars import SparkEngines


@frozen
class Wiring:
    """Where a run reads and writes. One S3 client serves all that lies in S3."""

    source: FlowSource
    sink: Sink
    client: S3Client | None
    """Absent where neither place lies in S3."""

    @classmethod
    def between(cls, source: str, target: str | None, kms_key: str | None = None) -> Wiring:
        """Wire from a folder or an address in S3 to another, or to none, where nothing can be published.

        `kms_key`: the key of KMS by which all that is written to S3 is encrypted; default: as the bucket says. Raises
        UsageError for an address of another kind, and for S3 that is not set up.
        """
        to_s3 = target is not None and is_s3(target)
        if not (is_s3(source) or to_s3):
            return cls(_folder_source(source), _plain_sink(target), None)
        # boto3 comes with an extra; a run between folders must do without it.
        from ndr_adapters.aws.clients import s3_client
        from ndr_adapters.s3.sink import S3Writer
        from ndr_adapters.s3.source import S3Reader

        client = s3_client(kms_key=kms_key)
        return cls(
            S3Reader(client, S3Address.parse(source, "input"))
            if is_s3(source)
            else _folder_source(source),
            S3Writer(client, S3Address.parse(target, "output"))
            if target is not None and to_s3
            else _plain_sink(target),
            client,
        )

    def start(self, name: str, spec: JobSpec, batch: InputBatch) -> ChosenEngine:
        """Start the engine of that name, or for AUTO the one that a batch of a JobSpec is for, as `engine`."""
        if name != AUTO:
            refuse_unable(name, spec.input.beyond_sql)
            return asked_for(lambda: self.engine(name))(batch)
        machine = Machine(memory_bytes(), has_cluster=False)
        choice = spec.choose_engine(batch.total_packed_bytes, machine)
        return ChosenEngine(self.engine(choice.engine), choice.reason)

    def engine(self, name: str) -> Engine:
        """Start the engine of that name, set up to reach these places. Raises UsageError for an unknown one."""
        start = ENGINES.get(name)
        if start is None:
            raise UsageError(f"engine: {shown(name)} is unknown, {nearest(name, ENGINES)}")
        return start(self.client)


def source_of(address: str) -> FlowSource:
    """Give what reads a folder, a file or an address in S3. Raises as `Wiring.between`."""
    return Wiring.between(address, address).source if is_s3(address) else _folder_source(address)


def sink_of(target: str, kms_key: str | None = None) -> tuple[Sink, S3Client | None]:
    """Give what publishes to a folder or an address in S3, and its client. As `Wiring.between`."""
    wiring = Wiring.between(target, target, kms_key)
    return wiring.sink, wiring.client


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
    return FolderSource(local_folder(address, "input"))


def _plain_sink(address: str | None) -> Sink:
    return Nowhere() if address is None else FolderSink(local_folder(address, "output"))


def _polars(client: S3Client | None) -> Engine:
    return PolarsEngine(storage_options=polars_options(client))


def _reference(client: S3Client | None) -> Engine:
    return ReferenceEngine(storage_options=polars_options(client))


def spark_engines() -> SparkEngines:
    """Give what starts the engines of Spark."""
    # pyspark comes with an extra, and takes its time to import; the other engines must do without it.
    from ndr_entrypoints.start_polars import SPARK_ENGINES

    return SPARK_ENGINES


def _spark(client: S3Client | None) -> Engine:
    return spark_engines().deltas(client)


def _spark_sql(client: S3Client | None) -> Engine:
    # As for the engine above.
    from ndr_entrypoints.start_spark_sql import spark_sql_engine

    return spark_sql_engine(client)


ENGINES: Final[Mapping[str, Callable[[S3Client | None], Engine]]] = {
    POLARS: _polars,
    SPARK: _spark,
    SPARK_SQL: _spark_sql,
    "reference": _reference,
}
"""Name of an engine -> what starts it, set up for the S3 that a client reaches, or for folders alone."""

AUTO: Final = "auto"
"""In place of an engine's name: the one that the input is for."""
