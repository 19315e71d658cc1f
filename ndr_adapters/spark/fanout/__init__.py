"""Spark spreads, Polars computes: chains of kernels over Polars frames, each run in shares by Spark's tasks."""
