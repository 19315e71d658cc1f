"""An input in another format than the JobSpec says is told by its first bytes, with what to do about it."""

from __future__ import annotations

import json

import pytest

from ndr_core.flows.formats import FileFormat, HeaderKind, Layout
from ndr_core.flows.looks_like import look_at, looks_like, without_records

RECORD = {"srcaddr": "192.0.2.1", "dstaddr": "198.51.100.1", "bytes": 4249}
LINE = json.dumps(RECORD).encode()
ZEEK = b"""#separator \\x09
#set_separator\t,
#path\tconn
#fields\tts\tuid\tid.orig_h
1713693600.1\tC1\t192.0.2.1
"""
VPC_NAMES = (
    b"version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes "
    b"start end action log-status\n"
)
VPC_LINE = (
    b"2 123456789010 eni-0a 192.0.2.15 198.51.100.7 49152 443 6 20 4249 1700000010 1700000070 "
    b"ACCEPT OK\n"
)


@pytest.mark.parametrize(
    ("head", "what", "to_do"),
    [
        (ZEEK, "a log of Zeek with values parted by tabs", "{format: delimited, header: zeek}"),
        (
            b"\xef\xbb\xbf#fields\tts\tuid\n",
            "a log of Zeek with values parted by tabs",
            "header: zeek",
        ),
        (b"[" + LINE + b", " + LINE + b"]", "one JSON array", "jq -c '.[]'"),
        (b"[\n  {\n", "one JSON array", "jq -c '.[]'"),
        (b"[", "one JSON array", "jq -c '.[]'"),
        (LINE + LINE, "several JSON objects on a line", "jq -c ."),
        (LINE + b" , " + LINE + b"\n" + LINE, "several JSON objects on a line", "jq -c ."),
        (LINE + LINE[:9], "several JSON objects on a line", "jq -c ."),
        (json.dumps(RECORD, indent=1).encode(), "JSON objects of several lines", "jq -c ."),
        (
            VPC_NAMES + VPC_LINE,
            "flow logs of a VPC as text",
            'set input: {format: delimited, separator: " ", header: first_line}',
        ),
        (VPC_LINE, "flow logs of a VPC as text, without a header", "[version, account-id, inter"),
        (VPC_LINE.replace(b"ACCEPT OK", b"- NODATA"), "flow logs of a VPC", "header: [version, "),
        (b"5" + VPC_LINE[1:], "flow logs of a VPC", "header: [..]}, with the names of the columns"),
        (b"2024-04-19T10:00:00.000Z " + VPC_LINE, "flow logs of a VPC", "header: [timestamp, vers"),
        (
            b"a,b,c,d\n1,2,3,4\n",
            "lines of values parted by commas",
            'separator: ",", header: first_line',
        ),
        (b'a;"b";c;d\n', "lines of values parted by semicolons", 'separator: ";", header: first'),
        (b"a;b;c;d\n", "lines of values parted by semicolons", 'separator: ";", header: first'),
        (
            b"1\t2\t3\t4\n5\t6\t7\t8\n",
            "lines of values parted by tabs, such as CSV, without a header",
            'separator: "\\t", header: [..]}',
        ),
        (b"a|b|c|4\n1|2|3|4\n", "lines of values parted by '|'", 'separator: "|", header: [..]}'),
        (b'date=2024-01-12 time=10:11:42 devname="a b" srcip=192.0.2.1\n', "KEY=VALUE", "object"),
        (b"<189>1 a=1 b=2 c=3 d=4", "KEY=VALUE", "object"),
        (b'"a","b","c"\n"1","2,5","3"\n', "lines of values in quotes", "without quotes"),
        (b'a;b;c\n"x";"y";1\n', "lines of values in quotes", "without quotes"),
        (b"Apr 19 10:00:12 fw kernel: a text\n", "lines of syslog", "JSON object of each"),
        (b"<34>1 2003-10-11T22:14:15.003Z host su - ID47 - x\n", "lines of syslog", "JSON object"),
        (b"<?xml version='1.0'?>\n<flows/>", "XML", "convert"),
        (b"<flows>", "XML", "convert"),
        ("{}\n".encode("utf-16"), "UTF-16 text", "convert"),
        ('{"a": 1}\n'.encode("utf-16-le"), "UTF-16 text", "convert"),
        (b"PAR1\x15\x04", "Parquet", "set input: {format: parquet}"),
        (b"PK\x03\x04", "a ZIP archive", "convert"),
    ],
)
def test_what_is_known_is_told_with_what_to_do(head: bytes, what: str, to_do: str) -> None:
    told = looks_like(head)

    assert told is not None
    assert told.startswith(f"The input looks like {what}") or what in told.partition(": ")[0]
    assert to_do in told.partition(": ")[2]


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b" \n\r\n",
        LINE,
        LINE + b"\n" + LINE,
        LINE + b"\r\n" + LINE[:5],
        LINE + b"\n\n" + b"x",
        LINE[:20],
        b"{",
        b"{'a': 1}",
        b'{"a":' * 100_000,
        b"hello, world\n",
        b"a,b,c,d\n1,2,3\n",
        b"[1, 2]",
        b'"text"',
        b'"a","b"',
        b"a=1 b=2 c=3",
        b"\x00\x01\x02",
        b"\xff\xff\xff",
    ],
)
def test_json_lines_and_what_is_not_known_look_like_nothing(head: bytes) -> None:
    assert looks_like(head) is None


@pytest.mark.parametrize(
    ("head", "layout", "told"),
    [
        (LINE, Layout("\t", HeaderKind.ZEEK), "looks like JSON Lines: set input: {format: json}"),
        (ZEEK, Layout("\t", HeaderKind.ZEEK), None),
        (ZEEK, Layout("\t", HeaderKind.FIRST_LINE), "{format: delimited, header: zeek}"),
        (b"a;b;c;d\n", Layout(",", HeaderKind.FIRST_LINE), 'separator: ";", header: first_line'),
        (b"a;b;c;d\n", Layout(";", HeaderKind.FIRST_LINE), None),
        (b"a;b;c;d\n", Layout(";", ("a", "b", "c", "d")), None),
        (b"a;b;c;d\n", Layout(",", ("a", "b", "c", "d")), 'separator: ";"'),
        (VPC_LINE, Layout(" ", HeaderKind.FIRST_LINE), None),
        (
            b"PAR1",
            Layout(" ", HeaderKind.FIRST_LINE),
            "looks like Parquet: set input: {format: par",
        ),
        (b"hello", Layout(" ", HeaderKind.FIRST_LINE), None),
    ],
)
def test_lines_in_another_layout_than_the_spec_says_are_told(
    head: bytes, layout: Layout, told: str | None
) -> None:
    found = looks_like(head, FileFormat.DELIMITED, layout)

    assert (found is None) if told is None else (found is not None and told in found)


def test_json_lines_are_known_as_such() -> None:
    look = look_at(LINE)

    assert look is not None
    assert (look.what, look.format) == ("JSON Lines", FileFormat.JSON)


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"", "is empty; what can be read: JSON Lines, "),
        (b" \n\r\n\t", "holds blank lines only; what can be read: "),
        (b"\x00\x01\x02", "holds data that are no text in UTF-8; "),
        (b"caf\xe9 noir\n", "holds data that are no text in UTF-8; "),
        ("caf\u00e9".encode()[:-1], "holds text, but no records with columns; "),
        (b"a note\n", "holds text, but no records with columns; what can be read: "),
        (
            b"Apr 19 10:00:12 fw a text",
            "holds no records with columns. The input looks like lines of sys",
        ),
    ],
)
def test_what_holds_no_records_is_told_with_what_can_be_read(head: bytes, what: str) -> None:
    assert without_records(head).startswith(what)
