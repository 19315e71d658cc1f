"""The server that answers as S3 and DynamoDB do, in this process."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from ndr_core.errors import UsageError

try:
    from moto.server import ThreadedMotoServer
except ImportError as error:
    raise UsageError(
        "the stand-ins need moto: pip install 'ndr-delta-builder[aws-local]'"
    ) from error

_HOST: Final = "127.0.0.1"
_SETTINGS: Final = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_REGION": "eu-west-1",
}


@contextmanager
def stand_ins(port: int) -> Iterator[dict[str, str]]:
    """Run the server during the block; gives the environment variables by which AWS tools reach it.

    `port`: 0 for any free one. Raises UsageError for a port that is taken or forbidden.
    """
    _refuse_taken(port)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address=_HOST, port=port, verbose=False)
    server.start()
    try:
        _, taken = server.get_host_and_port()
        yield {**_SETTINGS, "AWS_ENDPOINT_URL": f"http://{_HOST}:{taken}"}
    finally:
        server.stop()


def _refuse_taken(port: int) -> None:
    """Raise UsageError here: the server's thread would end without a word to its caller."""
    with socket.socket() as probe:
        # As the server binds it: connections of an ended one that still wait must not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            raise UsageError(
                f"port {port}: {error.strerror}; choose another with --port"
            ) from error
