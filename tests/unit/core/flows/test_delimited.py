"""A delimited line stands for the object of its header's names and its parts."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from ndr_core.flows.delimited import Header, headed, header_of, line_text, read_delimited
from ndr_core.flows.formats import HeaderKind, HeaderPlace, layout_of
from ndr_core.flows.json_text import MAX_LINE_BYTES, MAX_RAW_BYTES
from ndr_core.flows.line_blocks import lines_of
from ndr_core.flows.raw_record import Blank, Malformed, RawRecord

ZEEK_HEAD = b"""#separator \\x09
#set_separator\t,
#empty_field\t(empty)
#unset_field\t-
#path\tconn
#open\t2018-05-14-16-27-31
#fields\tts\tuid\tproto
#types\ttime\tstring\tenum
"""
CONN = Header(("ts", "uid", "proto"), "\t", unset="-", empty="(empty)", path="conn")
AB = Header(("a", "b"), ",")


def found_in(
    blocks: Iterable[bytes], header: HeaderPlace, separator: str | None = None
) -> list[tuple[Header, bytes]]:
    """Each line with its header."""
    return [
        (told, line)
        for told, block in headed(blocks, layout_of(separator, header))
        for line in lines_of([block])
    ]


def test_a_log_of_zeek_tells_its_names_and_what_stands_for_nothing() -> None:
    found = found_in([ZEEK_HEAD + b"1.5\tC1\ttcp\n#close\t2018\n"], HeaderKind.ZEEK)

    assert found == [(CONN, b"1.5\tC1\ttcp")]


def test_what_a_log_of_zeek_tells_may_change_within_the_file() -> None:
    later = b"#separator \\x7c\n#path|dns\n#unset_field|?\n#fields|ts|query\n2|?\n"

    found = found_in([ZEEK_HEAD + b"1\tC1\t-\n" + later], HeaderKind.ZEEK)

    dns = Header(("ts", "query"), "|", unset="?", empty="(empty)", path="dns")
    assert found == [(CONN, b"1\tC1\t-"), (dns, b"2|?")]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_the_header_goes_on_from_block_to_block(size: int) -> None:
    lines = (ZEEK_HEAD + b"1\ta\tb\n2\ta\tb\n#fields\tts\tuid\n3\ta\n").splitlines(keepends=True)
    blocks = [b"".join(lines[start : start + size]) for start in range(0, len(lines), size)]

    found = found_in(blocks, HeaderKind.ZEEK)

    assert [(header.names, line) for header, line in found] == [
        (("ts", "uid", "proto"), b"1\ta\tb"),
        (("ts", "uid", "proto"), b"2\ta\tb"),
        (("ts", "uid"), b"3\ta"),
    ]


def test_a_mark_inside_a_line_tells_nothing() -> None:
    found = found_in([ZEEK_HEAD + b"1\t#fields\tx\n"], HeaderKind.ZEEK)

    assert found == [(CONN, b"1\t#fields\tx")]


def test_lines_before_any_names_have_none() -> None:
    found = found_in([b"1\t2\n#separator \n#types\ta\n"], HeaderKind.ZEEK)

    assert found == [(Header((), "\t"), b"1\t2")]
    assert read_delimited(found[0][1], found[0][0]) == Malformed("1\t2")


def test_a_last_line_of_a_file_may_be_one_that_tells_names() -> None:
    assert found_in([b"#fields\ta\tb"], HeaderKind.ZEEK) == []


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf", b"\xef\xbb\xbf" * 2])
def test_byte_order_marks_at_the_start_of_a_file_are_no_part_of_it(mark: bytes) -> None:
    blocks = [mark, b"a,b\n1,2\n"] if mark else [b"a,b\n1,2\n"]

    assert found_in(blocks, HeaderKind.FIRST_LINE) == [(AB, b"1,2")]
    assert found_in([mark + b"1,2\n"], ("a", "b")) == [(AB, b"1,2")]
    assert found_in([mark + b"#fields\ta\n1\n"], HeaderKind.ZEEK)[0][0].names == ("a",)


def test_a_file_of_a_byte_order_mark_alone_has_no_line() -> None:
    assert found_in([b"\xef\xbb\xbf"], ("a", "b")) == []


def test_the_first_line_with_something_on_it_is_the_header() -> None:
    found = found_in([b"\n \r\n", b"a,b\r\n", b"1,2\r\na,b\n"], HeaderKind.FIRST_LINE)

    assert found == [(AB, b"1,2\r"), (AB, b"a,b")]


def test_a_file_may_have_a_header_and_no_more() -> None:
    assert found_in([b"a,b"], HeaderKind.FIRST_LINE) == []
    assert found_in([], HeaderKind.FIRST_LINE) == []


def test_names_that_the_spec_gives_are_those_of_all_lines() -> None:
    assert found_in([b"a,b\n", b"1,2"], ("a", "b")) == [(AB, b"a,b"), (AB, b"1,2")]


@pytest.mark.parametrize(
    ("line", "header", "value"),
    [
        (b"1.5\tC1\ttcp", CONN, {"_path": "conn", "ts": "1.5", "uid": "C1", "proto": "tcp"}),
        (b"-\t(empty)\t", CONN, {"_path": "conn", "ts": None, "uid": "", "proto": ""}),
        (b"1,2\r", AB, {"a": "1", "b": "2"}),
        (b" 1 ,\xc3\xa9", AB, {"a": " 1 ", "b": "é"}),
        (b'"1,2"', AB, {"a": '"1', "b": '2"'}),
        (b"-,(empty)", AB, {"a": "-", "b": "(empty)"}),
        (b",", AB, {"a": "", "b": ""}),
        (b"1,2,3", Header(("a", "b", "a"), ","), {"a": "3", "b": "2"}),
        (b"1||2", Header(("a", "b"), "||"), {"a": "1", "b": "2"}),
        (b"1", Header(("_path",), ",", path="conn"), {"_path": "1"}),
    ],
)
def test_a_line_stands_for_an_object(
    line: bytes, header: Header, value: dict[str, str | None]
) -> None:
    record = read_delimited(line, header)

    assert isinstance(record, RawRecord)
    assert record.value == value
    assert record.raw == line.decode().removesuffix("\r")


def test_the_text_of_the_object_lies_beside_the_line() -> None:
    record = read_delimited("1.5\t-\té", CONN)

    text = '{"_path":"conn","ts":"1.5","uid":null,"proto":"é"}'
    assert record == RawRecord(
        {"_path": "conn", "ts": "1.5", "uid": None, "proto": "é"}, "1.5\t-\té", text
    )


@pytest.mark.parametrize(
    ("line", "raw"),
    [
        (b"1", "1"),
        (b"1,2,3", "1,2,3"),
        (b"1,\xff\xfe", "1,��"),
        (b"{}", "{}"),
    ],
)
def test_a_line_with_other_parts_or_other_bytes_is_malformed(line: bytes, raw: str) -> None:
    assert read_delimited(line, AB) == Malformed(raw)


def test_a_line_that_is_too_long_is_malformed_and_cut() -> None:
    longest = b"1," + b"x" * (MAX_LINE_BYTES - 2)

    assert isinstance(read_delimited(longest, AB), RawRecord)
    assert read_delimited(longest + b"x", AB) == Malformed(longest[:MAX_RAW_BYTES].decode())
    assert isinstance(read_delimited(longest + b"\r", AB), Malformed)


@pytest.mark.parametrize("line", [b"", b"\r", b" \t ", b"\t\t\r"])
def test_a_line_with_nothing_on_it_is_blank(line: bytes) -> None:
    assert read_delimited(line, CONN) == Blank()


def test_a_header_travels_as_a_text() -> None:
    for header in (CONN, AB, Header((), "\t")):
        assert header_of(header.text) == header


def test_only_one_carriage_return_belongs_to_the_end_of_a_line() -> None:
    assert line_text(b"a\r\r") == "a\r"
