"""Batches whose records crowd into few hosts, peers or pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Final

from attrs import frozen

from tests.bench.batches import write_files

Ends = tuple[str, str, int]
"""Source, destination, destination port."""


def _usual(rng: Random) -> Ends:
    host = f"10.0.{rng.randrange(8)}.{rng.randrange(250)}"
    return host, f"198.18.{rng.randrange(80)}.{rng.randrange(250)}", rng.choice((53, 80, 443))


def _busy(rng: Random, _number: int) -> Ends:
    source, peer, port = _usual(rng)
    return ("10.9.9.9", peer, port) if rng.random() < 0.5 else (source, peer, port)


def _scanner(rng: Random, number: int) -> Ends:
    if number % 3 == 2:
        return _usual(rng)
    n = number // 3 * 2 + number % 3
    return "10.9.9.9", f"198.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}", 22


def _ports(rng: Random, number: int) -> Ends:
    return ("10.9.9.9", "198.18.0.7", number // 2 & 65535) if number % 2 else _usual(rng)


def _pair(rng: Random, number: int) -> Ends:
    return ("10.9.9.9", "198.18.0.7", 443) if number % 2 else _usual(rng)


@frozen
class Case:
    """A skewed batch."""

    records: int
    ends: Callable[[Random, int], Ends]
    """Of the record with a number."""
    in_one_file: float = 0.0
    """Share of the records that lies in the first file, beside its even part of the others."""


CASES: Final = {
    "even": Case(1_000_000, lambda rng, _: _usual(rng)),
    "a host with half of all records": Case(1_000_000, _busy),
    "a scanner with 1,000,000 peers": Case(1_500_000, _scanner),
    "a host with 65,536 ports of one peer": Case(1_000_000, _ports),
    "a pair with half of all records": Case(1_000_000, _pair),
    "a file with nine tenths of all records": Case(1_000_000, lambda rng, _: _usual(rng), 0.9),
}


def write_skewed(case: str, folder: Path, files: int, scale: float = 1.0) -> int:
    """Write a case as gzip files; gives its records. `scale`: so many times the records of the case."""
    found = CASES[case]
    records = round(found.records * scale)
    write_files(_lines(records, found.ends), records, folder, files, found.in_one_file)
    return records


def _lines(records: int, ends: Callable[[Random, int], Ends]) -> Iterator[bytes]:
    rng = Random(1)
    for number in range(records):
        source, destination, port = ends(rng, number)
        second = rng.randrange(60)
        yield (
            f'{{"source_ip":"{source}","destination_ip":"{destination}",'
            f'"source_port":{1024 + number % 60000},"destination_port":{port},'
            f'"source_bytes":{rng.randrange(100000)},"destination_bytes":{rng.randrange(1000000)},'
            f'"event_start":"2025-03-01T10:{rng.randrange(15):02}:{second:02}.{number % 1000:03}Z",'
            f'"event_end":"2025-03-01T10:15:{second:02}Z","event_action":"allow",'
            '"event_reason":"aged-out","event_name":"TRAFFIC","network_transport":"TCP"}\n'
        ).encode()
