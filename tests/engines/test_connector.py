"""The S3 connector for local Spark: fetched once, whole, and only as pinned."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pyspark import __file__ as pyspark_file

from ndr_adapters.spark.runtime import connector
from ndr_adapters.spark.runtime.connector import HADOOP_VERSION, Jar, connector_jars, fetch
from ndr_core.errors import NdrError, UsageError


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_args: object) -> None:
        """Says nothing."""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A Maven repository with one artifact, which is the pinned one."""
    content = b"a jar"
    jar = Jar("org.example", "thing", "1.0", hashlib.sha256(content).hexdigest())
    path = tmp_path / "repository" / jar.path
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    monkeypatch.setattr(connector, "JARS", (jar,))
    monkeypatch.setenv("NDR_JARS", str(tmp_path / "jars"))
    handler = partial(_Quiet, directory=str(tmp_path / "repository"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_the_pinned_version_is_that_of_sparks_own_hadoop() -> None:
    jars = Path(pyspark_file).parent / "jars"
    assert [path.name for path in jars.glob("hadoop-client-api-*.jar")] == [
        f"hadoop-client-api-{HADOOP_VERSION}.jar"
    ]


def test_what_is_there_and_whole_is_not_fetched_again(repository: str) -> None:
    told: list[str] = []
    fetch(told.append, repository)
    fetch(told.append, repository)
    assert told == [f"fetching {repository}/org/example/thing/1.0/thing-1.0.jar"]
    (path,) = connector_jars()
    path.write_bytes(b"half a j")
    fetch(told.append, repository)
    assert path.read_bytes() == b"a jar"


def test_another_content_is_refused(tmp_path: Path, repository: str) -> None:
    (tmp_path / "repository/org/example/thing/1.0/thing-1.0.jar").write_bytes(b"another jar")
    with pytest.raises(NdrError, match="not the pinned"):
        fetch(lambda _: None, repository)
    assert list((tmp_path / "jars").iterdir()) == []


def test_a_missing_repository_names_the_mirror_setting(repository: str) -> None:
    with pytest.raises(NdrError, match=r"404.*set NDR_MAVEN_URL to a mirror"):
        fetch(lambda _: None, f"{repository}/nowhere")


@pytest.mark.usefixtures("repository")
def test_missing_jars_say_how_to_fetch_them() -> None:
    with pytest.raises(UsageError, match=r"thing-1\.0\.jar: missing; `ndr aws jars` fetches"):
        connector_jars()
