"""Synthetic mini-batches, for tests, benchmarks and first tries."""
