"""Hypothesis strategies: mini-batches with every nastiness."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

HUGE = 1 << 62
PACKED = {
    "source_packets": "packets_out",
    "destination_packets": "packets_in",
    "source_ip_bytes": "ip_out",
    "destination_ip_bytes": "ip_in",
    "missed_bytes": {"column": "missed", "optional": True},
}
"""Fields of these records, in a JobSpec, beside those of the preset paloalto."""
HOSTS = ["10.0.0.1", "10.0.0.2", "2001:db8::1"]

ADDRESSES = st.one_of(
    st.sampled_from(HOSTS),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(str),
    st.ip_addresses(v=6).map(lambda address: address.exploded.upper()),
    st.sampled_from(
        [
            "2001:DB8:0:0:1::1",
            "::",
            "::1",
            "1::",
            "1:2:3:4:5:6:7::",
            "::2:3:4:5:6:7:8",
            "2001:db8::0:1",
            "1:0:0:2:0:0:0:3",
            "::ffff:192.0.2.1",
            "::ffff:c000:201",
            "0:0:0:0:0:FFFF:10.0.0.1",
            "1::ffff:192.0.2.1",
            "64:ff9b::1.2.3.4",
            "fe80::1%eth0",
            "fe80::1%eth0%1",
            "::ffff:10.0.0.1%lo",
            "10.0.0.1%lo",
            "::1%",
            "::1%\n",
            "1:2:3",
            "::1::",
            "12345::",
            "1:2:3:4:5:6:7:8:9",
            "::1.2.3.256",
            "010.0.0.1",
            "10.0.0.256",
            "10.0.0",
            "10.0.0.1 ",
            "10.0.0.1\n",
            "١٠.0.0.1",
            "",
            "-",
            "host.example",
            10,
            True,
            1.5,
            None,
            {"ip": "10.0.0.1"},
        ]
    ),
)
PORTS = st.one_of(
    st.none(),
    st.integers(0, 65535),
    st.sampled_from([0, 443, 65535, 65536, -1, "443", "0443", "", 443.0, 1e3, True, [443], HUGE]),
)
BYTES = st.one_of(
    st.none(),
    st.integers(0, 5000),
    st.integers(-5, HUGE // 64),
    st.sampled_from(
        [
            "12",
            "-0",
            " 12",
            1.0,
            0.5,
            "1e3",
            False,
            {},
            127,
            128,
            129,
            4_000_000_000,
            1 << 40,
            1 << 63,
            -(1 << 63),
        ]
    ),
)
TIMES: st.SearchStrategy[Any] = st.one_of(
    st.integers(0, 899_999_999).map(
        lambda us: (
            f"2025-03-01T10:{us // 60_000_000:02}:{us // 1_000_000 % 60:02}.{us % 1_000_000:06}Z"
        )
    ),
    st.sampled_from(
        [
            "2025-03-01T10:00:00Z",
            "2025-03-01T10:14:59.999999Z",
            "2025-03-01T10:15:00Z",
            "2025-03-01T10:15:00.000Z",
            "2025-03-01 10:03:00",
            "2025-03-01T09:59:59.999999Z",
            "2025-03-01T23:59:59.999999999Z",
            "2025-03-02T00:00:00Z",
            "2025-03-01T11:05:00+01:00",
            "2025-03-01T04:35:00.5-05:30",
            "2025-03-30T02:30:00Z",  # an hour that Europe's clocks skip
            "2025-10-26T02:30:00Z",  # and one that they repeat
            "2025-02-29T10:00:00Z",
            "2024-02-29T10:00:00Z",
            "2025-13-01T10:00:00Z",
            "2025-03-01T24:00:00Z",
            "2025-03-01T10:00:60Z",
            "2025-03-01T10:00",
            "2025-03-01T10:00:00,5Z",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00Z",
            "2200-01-01T00:00:00Z",
            "",
            "now",
            1740823200,
            1740823200.5,
            10**309,
            "9" * 400,
            None,
            {},
        ]
    ),
)
TEXTS: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(
        [
            "allow",
            "ALLOW",
            "Deny",
            "drop",
            "reset-both",
            "reset both",
            "Drop_ICMP",
            "sinkhole",
            "accept",
            "alert",
            "tcp-rst-from-client",
            "aged-out",
            "TRAFFIC",
            "THREAT",
            "threat",
            "tcp",
            "58",
            "ipv6_icmp",
            "47",
            "200",
            17,
            "UDP",
            "icmp",
            "true",
            "1.5",
            "İstanbul",
            "straße",
            "'; drop table",
            'quo"te',
            "back\\slash",
            "tab\t",
            "\U0001f600",
            "",
            6,
            1.5,
            True,
            None,
            [],
        ]
    ),
    st.text(max_size=6),
)

_RECORDS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "source_ip": ADDRESSES,
        "destination_ip": ADDRESSES,
        "source_port": PORTS,
        "destination_port": PORTS,
        "source_bytes": BYTES,
        "destination_bytes": BYTES,
        "event_start": TIMES,
    },
    optional={
        "event_end": TIMES,
        **dict.fromkeys(("packets_out", "packets_in", "ip_out", "ip_in", "missed"), BYTES),
        "event_action": TEXTS,
        "event_reason": TEXTS,
        "event_name": TEXTS,
        "network_transport": TEXTS,
        "extra": st.sampled_from([1, "x", {"a": [1, {"b": None}]}, [], 1e400, "\\u"]),
    },
)
_SPANS = st.sampled_from(
    [
        ("2025-03-01T10:14:00Z", "2025-03-01T10:16:00Z"),
        ("2025-03-01T10:14:59.5Z", "2025-03-01T10:15:00Z"),
        ("2025-03-01T10:15:00Z", "2025-03-01T10:14:59.999999Z"),
        ("2025-03-01T10:59:59Z", "2025-03-01T11:00:00Z"),
        ("2025-03-01T10:00:00Z", None),
        ("2025-03-01T09:59:59.999999Z", "2025-03-01T13:00:00Z"),
        ("2025-03-01T08:00:00Z", "2025-03-01T08:59:59.999999Z"),
        ("2025-03-01T11:14:59.999999Z", "2025-03-01T11:15:00Z"),
        ("2025-02-28T23:59:59Z", "2025-03-01T00:00:00Z"),
        ("2025-02-28T10:00:00Z", "2025-03-01T10:00:00Z"),
        ("2025-02-28T09:44:00Z", "2025-02-28T09:59:59.999999Z"),
        ("2025-03-01T23:59:59Z", "2025-03-02T00:00:00Z"),
        ("2112-09-17T23:00:00Z", "2112-09-17T23:53:47Z"),
    ]
)
"""Starts and ends around the borders of slices, of bounds, and of what is late or early by them."""
_PLAIN_RECORDS: st.SearchStrategy[dict[str, Any]] = st.builds(
    lambda host, peer, port, sent, received, start, length, action, name, transport, packets, held, missed: {
        "source_ip": host,
        "destination_ip": peer,
        "source_port": 50000,
        "destination_port": port,
        "source_bytes": sent,
        "destination_bytes": received,
        "event_start": f"2025-03-01T10:{start // 60:02}:{start % 60:02}Z",
        "event_end": f"2025-03-01T10:{start // 60:02}:{start % 60:02}.{length:06}Z",
        "event_action": action,
        "event_reason": "aged-out",
        "event_name": name,
        "network_transport": transport,
        "packets_out": packets,
        "packets_in": packets,
        "ip_out": held,
        "ip_in": held,
        "missed": missed,
    },
    host=st.sampled_from(HOSTS),
    peer=st.sampled_from(["192.0.2.7", "192.0.2.8", "2001:db8::7"]),
    port=st.sampled_from([443, 53, 22, None]),
    sent=st.integers(0, 100_000),
    received=st.integers(0, HUGE // 64),
    start=st.integers(0, 899),
    length=st.integers(0, 999_999),
    action=st.sampled_from(["allow", "deny", "drop", "alert", "let be"]),
    name=st.sampled_from(["TRAFFIC", "TRAFFIC", "TRAFFIC", "THREAT", None]),
    transport=st.sampled_from(["TCP", "TCP", "icmp", "58", "gre"]),
    packets=st.sampled_from([None, 0, 1, 7]),
    held=st.sampled_from([None, 0, 40, 100, 5000, HUGE // 64]),
    missed=st.sampled_from([None, 0, 5, 1 << 21, HUGE]),
)


def _spoilt(line: str, how: str) -> bytes:
    raw = line.encode("utf-8", "surrogatepass")
    match how:
        case "cut":
            return raw[: len(raw) // 2]
        case "array":
            return b"[" + raw + b"]"
        case "trailing":
            return raw + b" x"
        case "twice":
            return raw + raw
        case "not utf-8":
            return raw[:-1] + b',"x":"\xff\xfe"}'
        case "single quotes":
            return raw.replace(b'"', b"'")
        case "repeated key":
            return raw[:-1] + b',"source_ip":"10.9.9.9"}'
        case "escaped key":
            return raw.replace(b'"source_ip"', b'"source\\u005fip"')
        case "lone surrogate":
            return raw[:-1] + b',"x":"\\ud800"}'
        case "deep":
            return raw[:-1] + b',"x":' + b"[" * 70 + b"]" * 70 + b"}"
        case "NaN":
            return raw[:-1] + b',"x":NaN}'
        case "long number":
            return raw[:-1] + b',"x":0.' + b"1" * 999 + b"}"
        case "many keys":
            return raw[:-1] + b"".join(b',"k%d":%d' % (n, n) for n in range(600)) + b"}"
        case "padded":
            return b"\xef\xbb\xbf \t" + raw + b" \r"
    return b'"text"'


_SPANNING_RECORDS: st.SearchStrategy[dict[str, Any]] = st.builds(
    lambda record, span: record | {"event_start": span[0], "event_end": span[1]},
    _PLAIN_RECORDS,
    _SPANS,
)
_SPOILERS = [
    "cut",
    "array",
    "trailing",
    "twice",
    "not utf-8",
    "single quotes",
    "repeated key",
    "escaped key",
    "lone surrogate",
    "deep",
    "NaN",
    "padded",
    "long number",
    "many keys",
    "text",
]
_BYTES_OF_TEXT = [
    *(
        bytes([byte])
        for byte in b"\x00a {}\x80\x9f\xa0\xbf\xc0\xc3\xe0\xe2\xed\xef\xf0\xf4\xff\r\t"
    ),
    *("é".encode(), "€".encode(), "\U0001f600".encode(), b"\xef\xbb\xbf"),
]
_LINES = st.one_of(
    _PLAIN_RECORDS.map(lambda record: json.dumps(record).encode()),
    _SPANNING_RECORDS.map(lambda record: json.dumps(record).encode()),
    _RECORDS.map(lambda record: json.dumps(record).encode()),
    _RECORDS.map(
        lambda record: json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode(
            "utf-8", "surrogatepass"
        )
    ),
    st.builds(_spoilt, _PLAIN_RECORDS.map(json.dumps), st.sampled_from(_SPOILERS)),
    st.lists(st.sampled_from(_BYTES_OF_TEXT), max_size=12).map(b"".join),
    st.sampled_from([b"", b"   ", b"\r", b"null", b"{}", b"{", b"[]", b"\x00\x01\x02", b"\xff"]),
)


def _repeated(lines: list[bytes]) -> st.SearchStrategy[list[bytes]]:
    """The same lines, some of them more than once: duplicates."""
    if not lines:
        return st.just(lines)
    return st.lists(st.sampled_from(lines), max_size=4).map(lambda more: lines + more)


def batches(most: int = 40) -> st.SearchStrategy[list[bytes]]:
    """Lines of a mini-batch, of all kinds, empty ones included."""
    return st.lists(_LINES, max_size=most).flatmap(_repeated)


def plain_batches(most: int = 40) -> st.SearchStrategy[list[bytes]]:
    """Lines that nothing is wrong with."""
    return st.lists(_PLAIN_RECORDS.map(lambda r: json.dumps(r).encode()), max_size=most)
