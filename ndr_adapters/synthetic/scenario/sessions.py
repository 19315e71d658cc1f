"""Sessions as columns of numbers: who, with whom, when, how much, and how it ended."""

from __future__ import annotations

from typing import Final

import polars as pl

from ndr_adapters.synthetic.scenario.draws import Draws
from ndr_core.times import SECOND_US

TRANSPORTS: Final = ("TCP", "UDP", "ICMP")
TCP, UDP, ICMP = range(3)
ENDINGS: Final = (
    ("allow", "tcp-fin", "TRAFFIC"),
    ("allow", "aged-out", "TRAFFIC"),
    ("allow", "tcp-rst-from-client", "TRAFFIC"),
    ("allow", "tcp-rst-from-server", "TRAFFIC"),
    ("deny", "policy-deny", "TRAFFIC"),
    ("drop", "policy-deny", "TRAFFIC"),
    ("reset-both", "policy-deny", "TRAFFIC"),
    ("alert", "threat", "THREAT"),
)
"""Action, reason and name of a record; sessions hold the place."""
FIN, AGED, RST_CLIENT, RST_SERVER, DENY, DROP, RESET, THREAT = range(len(ENDINGS))
ANSWERED, SILENT, REFUSED = range(3)
"""What becomes of a session: the peer answers, it does not, the firewall refuses it."""

SCHEMA: Final = {
    "start_us": pl.Int64,
    "duration_us": pl.Int64,
    "source": pl.UInt32,
    "destination": pl.UInt32,
    "port": pl.Int64,
    "transport": pl.UInt8,
    "source_bytes": pl.Int64,
    "destination_bytes": pl.Int64,
    "ending": pl.UInt8,
}
"""Column -> its type. Hosts are numbers of the address book; `port` is null for ICMP."""

_ENDINGS_OF_TCP: Final = (0.76, 0.09, 0.1, 0.05)
_REFUSALS: Final = (0.6, 0.25, 0.15)
_LEAST_BYTES: Final = 40
"""What a packet has."""
_SENT: Final = (6.7, 1.75)
_RECEIVED: Final = (8.2, 2.1)
_LONG: Final = (1.5, 2.0)
"""Mean and deviation of the logarithms of bytes, bytes and seconds."""


def as_sessions(frame: pl.DataFrame) -> pl.DataFrame:
    """Bring a frame that has all columns of sessions to these, in their order and types."""
    return frame.select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())


def natural(ends: pl.DataFrame, draws: Draws) -> pl.DataFrame:
    """Give sessions log-normal amounts, lengths, and the endings of their `fate`.

    `ends` has start_us, source, destination, port, transport and fate.
    """
    size = ends.height
    endings = pl.DataFrame(
        {
            "tcp": draws.chosen("ending", size, _ENDINGS_OF_TCP),
            "refusal": draws.chosen("refusal", size, _REFUSALS) + DENY,
            "sent": draws.log_normal("sent", size, *_SENT).ceil().clip(_LEAST_BYTES),
            "received": draws.log_normal("received", size, *_RECEIVED).ceil().clip(_LEAST_BYTES),
            "seconds": draws.log_normal("seconds", size, *_LONG),
            "attempt": draws.below("attempt", size, 120) + 60,
        }
    )
    fate = pl.col("fate")
    return as_sessions(
        pl.concat([ends, endings], how="horizontal").with_columns(
            source_bytes=pl.when(fate == ANSWERED).then("sent").otherwise("attempt"),
            destination_bytes=pl.when(fate == ANSWERED).then("received").otherwise(0),
            duration_us=pl.when(fate == ANSWERED)
            .then((pl.col("seconds") * SECOND_US).floor())
            .when(fate == SILENT)
            .then(pl.col("attempt") * (SECOND_US // 10))
            .otherwise(0),
            ending=pl.when(fate == REFUSED)
            .then("refusal")
            .when((fate == SILENT) | (pl.col("transport") != TCP))
            .then(AGED)
            .otherwise("tcp"),
        )
    )


def repeated(frame: pl.DataFrame, times: pl.Series) -> pl.DataFrame:
    """Repeat each row so many times; the column `nth` counts the repeats of a row from 0."""
    rows = pl.DataFrame(
        {"row": pl.int_range(frame.height, dtype=pl.UInt32, eager=True), "n": times}
    )
    nth = rows.select("row", nth=pl.int_ranges(pl.lit(0), "n")).filter(rows["n"] > 0).explode("nth")
    return frame[nth["row"]].with_columns(nth["nth"])
