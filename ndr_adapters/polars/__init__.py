"""Polars: fast on one machine, without a JVM."""

from ndr_adapters.polars.engine import PolarsEngine
from ndr_adapters.polars.published import read_deltas, read_pairs

__all__ = ["PolarsEngine", "read_deltas", "read_pairs"]
