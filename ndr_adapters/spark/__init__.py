"""Spark: the engine of production, from one machine to a cluster."""
