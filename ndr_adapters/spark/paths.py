"""Addresses as Spark reads them."""

from __future__ import annotations

import re


def spark_address(address: str) -> str:
    """An address for Hadoop's file systems: S3 is reached through the S3A connector."""
    return re.sub(r"^s3://", "s3a://", address)


def as_glob(address: str) -> str:
    """The pattern that names just this file: Spark takes any path for a pattern."""
    return re.sub(r"[\\{}\[\]*?]", r"\\\g<0>", address)
