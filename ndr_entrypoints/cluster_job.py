"""The delta job as it is deployed: its JobSpec in DynamoDB, its records and deltas in S3."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attrs import frozen

from ndr_adapters.aws.clients import dynamodb_client, s3_client
from ndr_adapters.cloudwatch.json_log import JsonLog
from ndr_adapters.dynamodb.job_specs import JobSpecLoader
from ndr_adapters.memory import memory_bytes
from ndr_adapters.s3.sink import S3Writer
from ndr_adapters.s3.source import S3Reader
from ndr_adapters.spark.runtime.wheels import provide_wheels
from ndr_core.deltas.engine import ChosenEngine, Engine
from ndr_core.deltas.job import DeltaBuilderRunner
from ndr_core.deltas.spec import JobSpec
from ndr_core.errors import SpecError, after_publication
from ndr_core.flows.records import ReadRows, no_rows
from ndr_core.flows.source import InputBatch
from ndr_core.jobs.choice import POLARS, SPARK_SQL, Machine
from ndr_core.jobs.ports import JobSpecStore
from ndr_core.jobs.run import RuntimeParams
from ndr_core.publishing.location import S3Address
from ndr_core.times import parse_bound
from ndr_core.version import __version__
from ndr_entrypoints.job_main import Undisturbed
from ndr_entrypoints.start_spark_sql import spark_sql_engine

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def run_job(
    log: JsonLog,
    *,
    undisturbed: Undisturbed,
    project_name: str,
    job_name: str,
    mini_batch_id: str,
    mini_batch_s3_prefix: str,
    feature_spec_version: str,
    run_id: str,
    job_spec_ddb_table_name: str,
    slice_start_ts: str | None,
    slice_end_ts: str | None,
) -> None:
    """Run one job, and log what it counted. Raises what `DeltaBuilderRunner.run` and loading the JobSpec raise."""
    params = RuntimeParams(
        mini_batch_id=mini_batch_id,
        run_id=run_id,
        slice_start=parse_bound(slice_start_ts, "slice-start-ts") if slice_start_ts else None,
        slice_end=parse_bound(slice_end_ts, "slice-end-ts") if slice_end_ts else None,
    )
    table = job_spec_ddb_table_name
    specs: JobSpecStore[JobSpec] = JobSpecLoader(dynamodb_client(), table, JobSpec)
    spec = specs.load(project_name, job_name, feature_spec_version)
    source = _within_its_prefix(spec, mini_batch_s3_prefix)
    target = spec.storage.output()
    client = s3_client(kms_key=spec.storage.kms_key)
    done = DeltaBuilderRunner(
        spec=spec,
        params=params,
        source=S3Reader(client, source),
        start_engine=lambda batch: start_engine(client, spec, batch),
        sink=S3Writer(client, target),
        log=log,
        code_version=__version__,
        undisturbed=undisturbed,
        read_rows=read_rows,
    ).run()
    with after_publication("what it counted could not be logged"):
        log.metrics(done)


def start_engine(client: S3Client, spec: JobSpec, batch: InputBatch) -> ChosenEngine:
    """Start the engine that a batch of a JobSpec is for. A small one is built here, with no executor at work."""
    machine = Machine(memory_bytes(), has_cluster=True, has_polars=provide_wheels())
    choice = spec.choose_engine(batch.total_packed_bytes, machine)
    if choice.engine == SPARK_SQL:
        return ChosenEngine(spark_sql_engine(client), choice.reason)
    with_polars = _WithPolars.imported()
    start = with_polars.one_machine if choice.engine == POLARS else with_polars.cluster
    return ChosenEngine(start(client), choice.reason)


def read_rows(pieces: Iterable[bytes]) -> Iterator[Mapping[str, Any]]:
    """Give the objects of the rows of a Parquet file. Raises UsageError where there is no Polars to read it."""
    return (_WithPolars.imported().read_rows if provide_wheels() else no_rows)(pieces)


@frozen
class _WithPolars:
    """What is there where Polars is."""

    one_machine: Callable[[S3Client], Engine]
    cluster: Callable[[S3Client], Engine]
    read_rows: ReadRows

    @classmethod
    def imported(cls) -> _WithPolars:
        # A cluster has Polars only where its wheels came with the job.
        from ndr_entrypoints.start_polars import parquet_reader, polars_engine, spark_engine

        return cls(polars_engine, spark_engine, parquet_reader())


def _within_its_prefix(spec: JobSpec, address: str) -> S3Address:
    source = S3Address.parse(address, "mini-batch-s3-prefix")
    if not spec.storage.input().holds(source):
        raise SpecError(
            f"mini-batch-s3-prefix: {source} lies outside storage.input_prefix of the JobSpec, "
            f"{spec.storage.input()}; nothing was read"
        )
    return source
