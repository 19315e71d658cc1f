"""The tables after the deltas, made by Polars."""
