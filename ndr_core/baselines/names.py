"""The names of hosts over time, read from CSV: hosts whose names do not last have no usual behaviour of their own."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator
from typing import Final

from attrs import frozen

from ndr_core.errors import SpecError, UsageError, shown
from ndr_core.flows.ip_address import canonical_ip
from ndr_core.times import parse_bound

COLUMNS: Final = ("ip", "name", "valid_from", "valid_to")


@frozen
class HostName:
    """The name that an address has for a time."""

    ip: str
    """In canonical text."""
    name: str
    valid_from: int | None
    """us; None: it has always been so."""
    valid_to: int | None
    """us, exclusive; None: it is still so."""

    def is_valid(self, moment: int) -> bool:
        """Whether the address has the name at a moment, us."""
        return (self.valid_from is None or self.valid_from <= moment) and (
            self.valid_to is None or moment < self.valid_to
        )


@frozen
class HostNames:
    """A table of names."""

    rows: tuple[HostName, ...] = ()

    def fleeting(self, prefixes: Iterable[str], moment: int) -> frozenset[str]:
        """Give the addresses that have a name with one of some beginnings at a moment, us, in upper or lower case."""
        beginnings = tuple(prefix.casefold() for prefix in prefixes)
        return frozenset(
            row.ip
            for row in self.rows
            if row.name.casefold().startswith(beginnings) and row.is_valid(moment)
        )


def addresses_digest(addresses: Iterable[str]) -> str:
    """Hash a set of addresses."""
    return hashlib.sha256("\n".join(sorted(addresses)).encode()).hexdigest()


def parse_host_names(text: str, origin: str) -> HostNames:
    """Read a table from CSV with a header that names at least the columns `ip`, `name`, `valid_from`, `valid_to`.

    Times are ISO-8601, UTC where they name no offset; an empty one leaves its side open. `origin` names the file in
    messages. Raises UsageError, naming line and column, for anything else.
    """
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        return HostNames(tuple(_rows(reader, origin)))
    except csv.Error as error:
        raise UsageError(f"{origin}, line {reader.line_num}: is no CSV: {error}") from error


def _rows(reader: Iterator[list[str]], origin: str) -> Iterator[HostName]:
    header = [name.strip() for name in next(reader, [])]
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise UsageError(
            f"{origin}, line 1: the header lacks {', '.join(missing)}; it must name the columns {', '.join(COLUMNS)}"
        )
    places = [header.index(name) for name in COLUMNS]
    for number, fields in enumerate(reader, 2):
        if not fields:
            continue
        if len(fields) != len(header):
            raise UsageError(
                f"{origin}, row {number}: has {len(fields)} fields, and the header {len(header)}"
            )
        ip, name, valid_from, valid_to = (fields[place].strip() for place in places)
        address = canonical_ip(ip)
        if address is None:
            raise UsageError(f"{origin}, row {number}, ip: {shown(ip)} is no address")
        try:
            times = _time(valid_from, "valid_from"), _time(valid_to, "valid_to")
        except SpecError as error:
            raise UsageError(f"{origin}, row {number}, {error}") from error
        yield HostName(address, name, *times)


def _time(text: str, column: str) -> int | None:
    return parse_bound(text, column) if text else None
