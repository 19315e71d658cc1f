"""The feature builders' engines on one machine: pair history and windows, compiled for Polars."""
