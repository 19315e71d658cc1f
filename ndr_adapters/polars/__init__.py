"""Polars: fast on one machine, without a JVM."""
