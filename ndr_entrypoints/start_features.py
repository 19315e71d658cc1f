"""Starts the engines of feature jobs. On a cluster this is imported once Polars is known to be there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ndr_adapters.polars.features.history_engine import PolarsHistoryEngine
from ndr_adapters.polars.features.window_engine import PolarsWindowEngine
from ndr_adapters.polars.s3 import polars_options

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def window_engine(client: S3Client | None) -> PolarsWindowEngine:
    """Start what builds windows on this machine, set up for the S3 that the client reaches, or for folders alone."""
    return PolarsWindowEngine(storage_options=polars_options(client))


def history_engine(client: S3Client | None) -> PolarsHistoryEngine:
    """Start what builds pair history on this machine, set up likewise."""
    return PolarsHistoryEngine(storage_options=polars_options(client))
