"""Synthetic mini-batches in the form of a known source: the same seed gives the same lines, on every machine.

Skew as in real networks: few hosts and servers carry most sessions (Zipf), ports follow the services, bytes and
durations are log-normal. `bad_fraction` of the lines are spoilt, each quality rule being met in turn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import accumulate, islice
from random import Random
from typing import Any, Final

from attrs import field, frozen

from ndr_adapters.synthetic.form import Form, Record, directions
from ndr_adapters.synthetic.forms.registry import form_of
from ndr_core.errors import UsageError
from ndr_core.times import DAY_US, HOUR_US, SECOND_US, iso_text

_CHUNK: Final = 8192
# (port, transport, weight): what clients of a company network ask for.
_SERVICES: Final = (
    (443, "TCP", 46),
    (53, "UDP", 22),
    (80, "TCP", 9),
    (123, "UDP", 4),
    (445, "TCP", 4),
    (389, "TCP", 3),
    (88, "TCP", 2),
    (22, "TCP", 2),
    (3389, "TCP", 2),
    (5432, "TCP", 1),
    (25, "TCP", 1),
    (8080, "TCP", 1),
    (0, "ICMP", 1),
)
_SCANNED_PORTS: Final = 2  # per cent of sessions that go to a port drawn at random
# (action, reason, weight)
_ENDINGS: Final = (
    ("allow", "tcp-fin", 60),
    ("allow", "aged-out", 25),
    ("allow", "tcp-rst-from-client", 6),
    ("allow", "tcp-rst-from-server", 4),
    ("deny", "policy-deny", 3),
    ("drop", "policy-deny", 1),
    ("reset-both", "policy-deny", 1),
    ("alert", "threat", 1),
)


@frozen
class SyntheticBatch:
    """What to generate. Iterate `lines()` for its lines, without line feeds."""

    records: int
    """Lines."""
    seed: int = 0
    """Same seed, same lines."""
    start_us: int = 1_740_823_200_000_000
    """Start of the slice, us."""
    end_us: int = 1_740_824_100_000_000
    """End of the slice, us."""
    hosts: int = 2000
    """Internal hosts."""
    peers: int = 20000
    """External peers."""
    bad_fraction: float = 0.0
    """Share of spoilt lines, 0..1."""
    network: int | None = None
    """Batches of one network have the same peers, whatever their seeds. None: the peers are the seed's."""
    form: Form = field(factory=lambda: form_of("paloalto", None))
    """How the lines are written."""

    def __attrs_post_init__(self) -> None:
        """Raise UsageError for numbers that make no batch."""
        for name, low in (("records", 0), ("hosts", 1), ("peers", 1)):
            if getattr(self, name) < low:
                raise UsageError(f"{name}: {getattr(self, name)} is below {low}")
        if not 0 <= self.bad_fraction <= 1:
            raise UsageError(f"bad-fraction: {self.bad_fraction:g} does not lie between 0 and 1")
        if self.end_us - self.start_us < SECOND_US:
            raise UsageError("the slice must be a second long at least")

    def lines(self) -> Iterator[bytes]:
        """The lines, in no order of time; without the headers of files."""
        rng = Random(self.seed)
        previous = b""
        spoilers = _OF_ROWS if self.form.typed else _SPOILERS
        spoilt = 0
        for record in islice(self._records(rng), self.records):
            line = self.form.line(record)
            if self.bad_fraction and rng.random() < self.bad_fraction:
                line = spoilers[spoilt % len(spoilers)](record, self, previous or line)
                spoilt += 1
            else:
                previous = line
            yield line

    def _records(self, rng: Random) -> Iterator[Record]:
        """Sessions, or what a source that counts one way makes of them: more than enough then."""
        sessions = self._clean(rng)
        if not self.form.counts_one_way:
            return sessions
        return (record for session in sessions for record in directions(session))

    def _clean(self, rng: Random) -> Iterator[Record]:
        hosts = [f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in range(1, self.hosts + 1)]
        network = rng if self.network is None else Random(self.network)
        peers = [_public_address(network, n) for n in range(self.peers)]
        host_weights, peer_weights = _zipf(self.hosts, 0.9), _zipf(self.peers, 1.1)
        service_weights = list(accumulate(weight for *_, weight in _SERVICES))
        ending_weights = list(accumulate(weight for *_, weight in _ENDINGS))
        left = self.records
        while left > 0:
            n = min(_CHUNK, left)
            left -= n
            drawn = zip(
                rng.choices(hosts, cum_weights=host_weights, k=n),
                rng.choices(peers, cum_weights=peer_weights, k=n),
                rng.choices(_SERVICES, cum_weights=service_weights, k=n),
                rng.choices(_ENDINGS, cum_weights=ending_weights, k=n),
                strict=True,
            )
            for host, peer, service, ending in drawn:
                yield self._record(rng, host, peer, service, ending)

    def _record(
        self,
        rng: Random,
        host: str,
        peer: str,
        service: tuple[int, str, int],
        ending: tuple[str, str, int],
    ) -> Record:
        port, transport, _ = service
        action, reason, _ = ending
        dice = rng.random()
        if dice * 100 < _SCANNED_PORTS:
            port = int(rng.random() * 65536)
        start = self.start_us + int(rng.random() * (self.end_us - self.start_us))
        blocked = action in ("deny", "drop", "reset-both")
        duration = 0 if blocked else int(_log_normal(rng, 2.0, 1.8) * SECOND_US)
        return {
            "source_ip": host,
            "destination_ip": peer,
            "source_port": 1024 + int(rng.random() * 64512),
            "destination_port": port,
            "source_bytes": 60 + int(_log_normal(rng, 6.5, 1.5)),
            "destination_bytes": 0 if blocked or dice > 0.97 else int(_log_normal(rng, 7.5, 2.2)),
            "event_start": iso_text(start),
            "event_end": iso_text(start + duration),
            "event_action": action,
            "event_reason": reason,
            "event_name": "THREAT" if action == "alert" else "TRAFFIC",
            "network_transport": transport,
        }


def _public_address(rng: Random, number: int) -> str:
    """Documentation ranges are too small for many peers: 198.18.0.0/15 (benchmarks) and 2001:db8::/32."""
    if number % 10 == 9:
        return f"2001:db8:{rng.getrandbits(16):x}::{number:x}"
    return f"198.{18 + (number >> 16 & 1)}.{number >> 8 & 255}.{number & 255}"


def _zipf(size: int, exponent: float) -> list[float]:
    """Cumulative weights of ranks 1..size under Zipf's law."""
    return list(accumulate(rank**-exponent for rank in range(1, size + 1)))


def _log_normal(rng: Random, mu: float, sigma: float) -> float:
    return math.exp(rng.gauss(mu, sigma))


Spoiler = Callable[[Record, SyntheticBatch, bytes], bytes]
"""(record, its batch, an earlier line) -> the line to write instead of the record."""


def _cut(record: Record, batch: SyntheticBatch, _previous: bytes) -> bytes:
    return batch.form.broken(record)


def _wrong_type(record: Record, batch: SyntheticBatch, _previous: bytes) -> bytes:
    return _changed(record, batch, destination_port={"port": record["destination_port"]})


def _no_record(record: Record, batch: SyntheticBatch, _previous: bytes) -> bytes:
    """An array instead of an object; of delimited lines one with too many parts."""
    line, separator = batch.form.line(record), batch.form.separator.encode()
    return line + separator + line if batch.form.columns else b"[" + line + b"]"


def _no_numbers(record: Record, batch: SyntheticBatch, _previous: bytes) -> bytes:
    numbers = ("source_bytes", "destination_bytes", "source_port", "destination_port")
    return _changed(record, batch, **dict.fromkeys(numbers))


def _too_late(record: Record, batch: SyntheticBatch, _previous: bytes) -> bytes:
    return _at(record, batch, batch.start_us - DAY_US - SECOND_US)


def _too_early(record: Record, batch: SyntheticBatch, _previous: bytes) -> bytes:
    return _at(record, batch, batch.end_us + HOUR_US)


def _at(record: Record, batch: SyntheticBatch, moment: int) -> bytes:
    return _changed(record, batch, **dict.fromkeys(("event_start", "event_end"), iso_text(moment)))


def _changed(record: Record, batch: SyntheticBatch, **changes: Any) -> bytes:
    return batch.form.line({**record, **changes})


def _with(**changes: Any) -> Spoiler:
    return lambda record, batch, _previous: _changed(record, batch, **changes)


def _repeated(_record: Record, _batch: SyntheticBatch, previous: bytes) -> bytes:
    return previous


def _ends_before(record: Record, batch: SyntheticBatch, _previous: bytes) -> bytes:
    return _changed(record, batch, event_end=iso_text(batch.start_us - SECOND_US))


_SPOILERS: Final[tuple[Spoiler, ...]] = (
    _cut,
    _wrong_type,
    _no_record,
    _no_numbers,
    _with(event_start=None),
    _with(source_ip="10.0.0.300"),
    _with(destination_ip="not-an-address"),
    _too_late,
    _too_early,
    _repeated,
    _with(source_bytes=-1),
    _with(destination_port=70000),
    _ends_before,
    _with(event_end=None),
)
"""One of each kind of bad record, by the quality rule that it meets where its source has what that judges."""
_OF_ROWS: Final = tuple(
    spoiler for spoiler in _SPOILERS if spoiler not in (_cut, _wrong_type, _no_record)
)
"""Those that a file of rows with types can hold."""
