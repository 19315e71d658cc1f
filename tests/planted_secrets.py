"""Looks for the planted credentials in all that tests see of the project: what it says, what it writes."""

from __future__ import annotations

import gzip
import io
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from tests.credentials import PLANTED


def secrets_in(text: str | bytes | None) -> list[str]:
    """The planted credentials that a text holds."""
    if not text:
        return []
    plain = text if isinstance(text, str) else text.decode(errors="replace")
    return [secret for secret in PLANTED if secret in plain]


def refuse_secrets(said_by: object, *texts: str | bytes | None) -> None:
    """Fail the test where one of these texts holds a planted credential."""
    found = {secret for text in texts for secret in secrets_in(text)}
    assert not found, f"{said_by}: what it says holds {sorted(found)}"


@contextmanager
def processes_watched() -> Iterator[None]:
    """Fail a test one of whose processes writes a planted credential to an output that the test reads to its end."""
    communicate = subprocess.Popen.communicate

    def watched(self: subprocess.Popen[Any], *arguments: Any, **more: Any) -> tuple[Any, Any]:
        said = communicate(self, *arguments, **more)
        refuse_secrets(self.args, *said)
        return said

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess.Popen, "communicate", watched)
        yield


def objects_with_secrets(objects: Mapping[str, bytes]) -> list[str]:
    """Those of these objects whose key or content holds a planted credential, unpacked and read as a table, too."""
    return [
        key
        for key, content in objects.items()
        if secrets_in(key) or secrets_in(content) or secrets_in(_unpacked(key, content))
    ]


def _unpacked(key: str, content: bytes) -> str | bytes | None:
    if key.endswith(".gz"):
        return gzip.decompress(content)
    if key.endswith(".parquet"):
        # Not at the top: unit tests load this file and do without.
        import polars as pl

        return pl.read_parquet(io.BytesIO(content), hive_partitioning=False).write_ndjson()
    return None
