"""Spark: the engine of production, from one machine to a cluster."""

from ndr_adapters.spark.engine import SparkEngine
from ndr_adapters.spark.session import local_session

__all__ = ["SparkEngine", "local_session"]
