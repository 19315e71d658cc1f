"""S3 and DynamoDB on loopback, and a proxy before them that does what networks and servers do at their worst."""

from __future__ import annotations

import http.client
import json
import os
import random
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from attrs import define, field
from moto.server import ThreadedMotoServer


@contextmanager
def moto_server() -> Iterator[str]:
    """A server of its own; gives its address."""
    import logging

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    os.environ["MOTO_PORT"] = str(port)  # by which its state machines reach its other services
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def put_behind_the_server(bucket: str, keys: Iterable[str]) -> None:
    """Many objects of one byte, which would take long to put one by one; they are read by the usual way."""
    put_content_behind_the_server(bucket, ((key, b"x") for key in keys))


def put_content_behind_the_server(bucket: str, objects: Iterable[tuple[str, bytes]]) -> None:
    """As `put_behind_the_server`, but with a content of each key."""
    from moto.backends import get_backend
    from moto.core.models import DEFAULT_ACCOUNT_ID

    backend = get_backend("s3")[DEFAULT_ACCOUNT_ID]["aws"]
    for key, content in objects:
        backend.put_object(bucket, key, content)


def made_older(bucket: str, key: str, age: timedelta) -> None:
    """Let an object have been written earlier, by the server's clock."""
    from moto.backends import get_backend
    from moto.core.models import DEFAULT_ACCOUNT_ID

    backend = get_backend("s3")[DEFAULT_ACCOUNT_ID]["aws"]
    found = backend.get_object(bucket, key)
    assert found is not None
    found.last_modified -= age


@define
class Request:
    """What a rule of the proxy sees."""

    method: str
    path: str
    headers: Any
    number: int = field(metadata={"doc": "how many came before it"})

    @property
    def writes(self) -> bool:
        return self.method in ("PUT", "POST", "DELETE")

    @property
    def decides(self) -> bool:
        """Whether it is the conditional write that publishes a run, or aborts it."""
        return self.method == "PUT" and "If-Match" in self.headers


DYNAMODB_ERRORS: dict[object, str] = {
    "throttle": "ProvisionedThroughputExceededException",
    "forbid": "AccessDeniedException",
}

S3_ERRORS: dict[object, tuple[int, str]] = {
    "expired": (400, "ExpiredToken"),
    "skewed": (403, "RequestTimeTooSkewed"),
}

Fault = str | Callable[[], object]
"""'reset' (before the server sees it), 'lost' (its answer is lost), 'cut' (half an answer), 'slow', a key of
DYNAMODB_ERRORS or S3_ERRORS, or a status such as '503'. A function is called in place of the answer, once the
server has done what was asked.
"""

Rule = Callable[[Request], Fault | None]


class Proxy(ThreadingHTTPServer):
    """Passes requests on to a server, one conditional write at a time, unless its rule names a fault."""

    daemon_threads = True

    def __init__(self, server: str, rule: Rule, certificate: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.scheme = "http" if certificate is None else "https"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.target = server.removeprefix("http://")
        self.rule = rule
        self.requests: list[Request] = []
        self.faults: list[tuple[Request, Fault]] = []
        # S3 decides conditional writes one after the other; the stand-in alone might not.
        self.conditional = threading.Lock()
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}"

    def note(self, handler: BaseHTTPRequestHandler) -> tuple[Request, Fault | None]:
        with self._lock:
            request = Request(
                handler.command, handler.path, dict(handler.headers), len(self.requests)
            )
            self.requests.append(request)
            fault = self.rule(request)
            if fault is not None:
                self.faults.append((request, fault))
        return request, fault

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one piece, lest each waits for an acknowledgement
    disable_nagle_algorithm = True
    server: Proxy

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def handle_expect_100(self) -> bool:
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def _pass_on(self) -> None:
        body = self._body()
        _, fault = self.server.note(self)
        if fault == "reset":
            self.close_connection = True
            return
        if fault == "slow":
            time.sleep(0.5)
        if isinstance(fault, str) and fault.isdigit():
            code = {"403": "AccessDenied", "503": "SlowDown"}.get(fault, "InternalError")
            self._answer(int(fault), {}, f"<Error><Code>{code}</Code></Error>".encode())
            return
        if fault in S3_ERRORS:
            status, code = S3_ERRORS[fault]
            self._answer(status, {}, f"<Error><Code>{code}</Code></Error>".encode())
            return
        if fault in DYNAMODB_ERRORS:
            error = {"__type": f"com.amazonaws#{DYNAMODB_ERRORS[fault]}", "message": "as asked"}
            self._answer(400, {}, json.dumps(error).encode())
            return
        with self.server.conditional if self._is_conditional() else nullcontext():
            status, headers, content = self._ask(body)
        if callable(fault):
            fault()
        self.close_connection = fault in ("lost", "cut") or callable(fault)
        if fault != "lost" and not callable(fault):
            self._answer(status, headers, content, len(content) // 2 if fault == "cut" else None)

    def _is_conditional(self) -> bool:
        return any(name.lower() == "if-match" for name in self.headers)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.server.target, timeout=60)
        dropped = ("expect", "transfer-encoding", "content-length", "connection")
        headers = {
            name: value for name, value in self.headers.items() if name.lower() not in dropped
        }
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        kept = {
            name: value
            for name, value in answer.getheaders()
            if name.lower() not in ("transfer-encoding", "connection", "date", "server")
        }
        connection.close()
        return answer.status, kept, content

    def _answer(
        self, status: int, headers: dict[str, str], content: bytes, cut: int | None = None
    ) -> None:
        self.send_response(status)
        named = {name.lower() for name in headers}
        for name, value in headers.items():
            self.send_header(name, value)
        if "content-length" not in named:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content[:cut])
        self.wfile.flush()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass_on  # noqa: N815

    def log_message(self, *_args: Any) -> None:
        """Says nothing."""


@contextmanager
def proxy(server: str, rule: Rule, certificate: Path | None = None) -> Iterator[Proxy]:
    """A proxy before a server. `certificate`: as `own_certificate` makes it; then it is asked over HTTPS."""
    made = Proxy(server, rule, certificate)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.shutdown()
        made.server_close()


def at_random(seed: int, share: float, faults: tuple[Fault, ...]) -> Rule:
    """A share of all requests fails, in ways drawn from `faults`."""
    drawn = random.Random(seed)
    return lambda _request: drawn.choice(faults) if drawn.random() < share else None
