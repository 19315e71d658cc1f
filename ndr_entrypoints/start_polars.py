"""Starts the engines that compute by Polars. On a cluster this is imported once Polars is known to be there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from attrs import frozen

from ndr_adapters.parquet_files import read_rows
from ndr_adapters.polars.engine import PolarsEngine
from ndr_adapters.polars.s3 import polars_options
from ndr_adapters.spark.fanout.engine import FanoutEngine
from ndr_adapters.spark.fanout.exchange import SparkRunner
from ndr_adapters.spark.fanout.feature_engines import (
    FanoutBaselineEngine,
    FanoutCorrelationEngine,
    FanoutHistoryEngine,
    FanoutSummaryEngine,
    FanoutWindowEngine,
)
from ndr_adapters.spark.runtime.session import session
from ndr_core.flows.records import ReadRows

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def parquet_reader() -> ReadRows:
    """Give what reads the rows of Parquet files, for a first look."""
    return read_rows


def polars_engine(client: S3Client | None) -> PolarsEngine:
    """Start Polars on this machine, set up for the S3 that the client reaches, or for folders alone."""
    return PolarsEngine(storage_options=polars_options(client))


def spark_engine(client: S3Client | None) -> FanoutEngine:
    """Start Spark, whose tasks compute by Polars, set up likewise. Spark itself has nothing to do with S3."""
    return FanoutEngine(_runner(), polars_options(client))


def _runner() -> SparkRunner:
    return SparkRunner(session(s3=False, python_tasks=True))


@frozen
class SparkEngines:
    """What starts the engines of Spark, each for the S3 that a client reaches, or for folders alone."""

    deltas: Callable[[S3Client | None], FanoutEngine]
    history: Callable[[S3Client | None], FanoutHistoryEngine]
    windows: Callable[[S3Client | None], FanoutWindowEngine]
    summaries: Callable[[S3Client | None], FanoutSummaryEngine]
    baselines: Callable[[S3Client | None], FanoutBaselineEngine]
    correlations: Callable[[S3Client | None], FanoutCorrelationEngine]


SPARK_ENGINES: Final = SparkEngines(
    spark_engine,
    lambda client: FanoutHistoryEngine(_runner(), polars_options(client)),
    lambda client: FanoutWindowEngine(_runner(), polars_options(client)),
    lambda client: FanoutSummaryEngine(_runner(), polars_options(client)),
    lambda client: FanoutBaselineEngine(_runner(), polars_options(client)),
    lambda client: FanoutCorrelationEngine(_runner(), polars_options(client)),
)
