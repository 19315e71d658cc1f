"""Spark: the engine of production, from one machine to a cluster."""

from ndr_adapters.spark.runtime.session import local_session, session
from ndr_adapters.spark.sql.engine import SparkEngine
from ndr_adapters.spark.sql.published import read_deltas, read_pairs

__all__ = ["SparkEngine", "local_session", "read_deltas", "read_pairs", "session"]
