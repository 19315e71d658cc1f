"""Hadoop's S3 connector for a local Spark: fetched from Maven Central at set-up, pinned by checksum.

pyspark comes with Hadoop but without this part of it. Both versions are the ones that Hadoop of that version was
built and tested with. Where a cluster's image brings its own connector, none of this is used.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import urllib.request
from collections.abc import Callable
from http.client import InvalidURL
from pathlib import Path
from typing import Final

from attrs import frozen

from ndr_core.errors import NdrError, UsageError, without_credentials

HADOOP_VERSION: Final = "3.3.4"
"""Of the Hadoop libraries that pyspark 3.5 brings."""
_REPOSITORY: Final = "https://repo1.maven.org/maven2"
_TIMEOUT_SECONDS: Final = 60


@frozen
class Jar:
    """An artifact of Maven Central."""

    group: str
    name: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        return f"{self.name}-{self.version}.jar"

    @property
    def path(self) -> str:
        return f"{self.group.replace('.', '/')}/{self.name}/{self.version}/{self.file_name}"


JARS: Final = (
    Jar(
        "org.apache.hadoop",
        "hadoop-aws",
        HADOOP_VERSION,
        "53f9ae03c681a30a50aa17524bd9790ab596b28481858e54efd989a826ed3a4a",
    ),
    Jar(
        "com.amazonaws",
        "aws-java-sdk-bundle",
        "1.12.262",
        "873fe7cf495126619997bec21c44de5d992544aea7e632fdc77adb1a0915bae5",
    ),
)


def jar_folder() -> Path:
    """Where the jars lie: `NDR_JARS`, or a folder of the Python environment."""
    return Path(os.environ.get("NDR_JARS") or Path(sys.prefix, "share", "ndr", "jars"))


def connector_jars() -> list[Path]:
    """The fetched jars. Raises UsageError where they are not there."""
    paths = [jar_folder() / jar.file_name for jar in JARS]
    for path in paths:
        if not path.is_file():
            raise UsageError(
                f"{path}: missing; `ndr aws jars` fetches what local Spark needs to reach S3"
            )
    return paths


def fetch(notice: Callable[[str], None], repository: str | None = None) -> None:
    """Fetch the jars that are missing or not whole.

    `repository`: base address of a Maven repository; default: `NDR_MAVEN_URL`, or Maven Central.
    Raises NdrError where a jar can't be had or is not the pinned one.
    """
    base = repository or os.environ.get("NDR_MAVEN_URL") or _REPOSITORY
    folder = jar_folder()
    folder.mkdir(parents=True, exist_ok=True)
    for jar in JARS:
        target = folder / jar.file_name
        if target.is_file() and _sha256(target) == jar.sha256:
            continue
        address = f"{base.rstrip('/')}/{jar.path}"
        notice(f"fetching {without_credentials(address)}")
        partial = target.with_suffix(f".{os.getpid()}.part")
        try:
            _download(address, partial)
            found = _sha256(partial)
            if found != jar.sha256:
                raise NdrError(
                    f"{address}: has SHA-256 {found}, not the pinned {jar.sha256}; nothing was installed"
                )
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)


def _download(address: str, target: Path) -> None:
    try:
        with (
            urllib.request.urlopen(address, timeout=_TIMEOUT_SECONDS) as answer,  # noqa: S310
            target.open("wb") as stream,
        ):
            shutil.copyfileobj(answer, stream, 1 << 20)
    except InvalidURL:
        # Its text has a part of the address, which may be one of a password.
        raise UsageError(
            f"{address}: is no address that can be read; let NDR_MAVEN_URL name a mirror without a password"
        ) from None
    except OSError as error:
        raise NdrError(
            f"{address}: {error}; check the network, or set NDR_MAVEN_URL to a mirror"
        ) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
