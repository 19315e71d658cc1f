"""How long and how often requests to AWS are tried: for boto3, and for the engines that reach S3 in other ways."""

from __future__ import annotations

from typing import Final

ATTEMPTS: Final = 8
"""Tries of one request, the first included; waits between them double up to 20 s."""
CONNECT_SECONDS: Final = 10
READ_SECONDS: Final = 30
THREADS: Final = 16
"""Requests in flight where many small ones are to be made."""
