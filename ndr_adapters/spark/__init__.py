"""Spark: the engine of production, from one machine to a cluster."""

from ndr_adapters.spark.engine import SparkEngine
from ndr_adapters.spark.read import read_deltas, read_pairs
from ndr_adapters.spark.session import local_session, session

__all__ = ["SparkEngine", "local_session", "read_deltas", "read_pairs", "session"]
