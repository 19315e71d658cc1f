"""Addresses as Spark reads them."""

from __future__ import annotations

import os
import re


def spark_address(address: str) -> str:
    """An address for Hadoop's file systems: S3 is reached through the S3A connector.

    A path is made absolute: the JVM may have been started elsewhere than this program is by now.
    """
    if "://" in address:
        return re.sub(r"^s3://", "s3a://", address)
    return os.path.abspath(address)


def as_glob(address: str) -> str:
    """The pattern that names just this file: Spark takes any path for a pattern."""
    return re.sub(r"[\\{}\[\]*?]", r"\\\g<0>", address)
