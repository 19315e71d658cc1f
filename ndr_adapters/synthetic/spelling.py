"""How sources spell the values of a session. A spoilt value that has no other spelling is given as it is."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from ndr_core.times import SECOND_US, to_us

_PAYLOAD: Final = 1400
"""Bytes of a full packet."""
_HEADERS: Final = 40
"""Bytes of the headers of an IP packet."""
NUMBERS: Final = {"ICMP": 1, "TCP": 6, "UDP": 17}
"""Transport -> its number."""


def moment_us(value: Any) -> int | None:
    """Microseconds since 1970 of a time as sessions have them; None where there is none."""
    return to_us(datetime.fromisoformat(value)) if isinstance(value, str) else None


def duration_us(record: Mapping[str, Any]) -> int | None:
    """Length of a session; None where an end of it is not known."""
    start, end = moment_us(record["event_start"]), moment_us(record["event_end"])
    return None if start is None or end is None else end - start


def seconds(value_us: int | None, digits: int = 6) -> float | int | None:
    """Microseconds as seconds; as whole ones where no digits are asked for."""
    if value_us is None:
        return None
    return round(value_us / SECOND_US, digits) if digits else value_us // SECOND_US


def nanoseconds(value_us: int | None) -> int | None:
    """Microseconds as nanoseconds."""
    return None if value_us is None else value_us * 1000


def local_text(value: Any, separator: str = "-") -> str | None:
    """A time as text without an offset, to the second: 2024-04-19 10:00:00."""
    if not isinstance(value, str):
        return None
    return datetime.fromisoformat(value).strftime(f"%Y{separator}%m{separator}%d %H:%M:%S")


def packets(amount: Any) -> int | None:
    """About how many packets carry so many bytes."""
    if not isinstance(amount, int):
        return None
    return 1 + amount // _PAYLOAD if amount > 0 else 0


def ip_bytes(amount: Any) -> int | None:
    """What the IP packets of so many bytes take."""
    count = packets(amount)
    return None if count is None else max(amount, 0) + _HEADERS * count


def present(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that there are: sources leave the others out."""
    return {name: value for name, value in values.items() if value is not None}


def uid(record: Mapping[str, Any]) -> str:
    """Name a session as sensors do: the same one has the same name."""
    return f"C{zlib.crc32(repr(sorted(record.items())).encode()):08x}"
