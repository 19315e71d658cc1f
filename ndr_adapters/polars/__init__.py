"""Polars: fast on one machine, without a JVM."""

from ndr_adapters.polars.engine import PolarsEngine

__all__ = ["PolarsEngine"]
