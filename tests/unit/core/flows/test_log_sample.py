"""The first bytes of a log tell how it is read, and which columns its records have."""

from __future__ import annotations

import pytest

from ndr_core.flows.log_sample import Sample, samples_of


def test_a_line_that_is_no_object_is_left_out() -> None:
    (sample,) = samples_of(b'{"a": 1}\n[2]\n{"b": 3}\n' + b'{"c":' * 100_000)

    assert sample.leaves == {("a",), ("b",)}


def test_the_columns_of_unknown_logs_are_told_with_a_value_of_each() -> None:
    (sample,) = samples_of(
        b'\xef\xbb\xbf{"a": null, "b": {"c": 1.5, "d": {}}}\n{"a": "x", "e": true}\n'
    )

    assert sample == Sample({}, {("a",): "x", ("b", "c"): "1.5", ("b", "d"): "{}", ("e",): "true"})


def test_a_long_value_is_cut_in_the_example() -> None:
    (sample,) = samples_of(b'{"a": "' + b"x" * 100 + b'"}')

    assert sample.examples == {("a",): "x" * 40 + " .."}


def test_objects_are_looked_into_four_deep() -> None:
    (sample,) = samples_of(b'{"a": {"b": {"c": {"d": {"e": 1}}}}}')

    assert sample.leaves == {("a", "b", "c", "d")}


@pytest.mark.parametrize("separator", ["\t", ",", ";", "|", " "])
def test_lines_of_parts_have_the_columns_of_their_first_line(separator: str) -> None:
    lines = [separator.join(parts) for parts in (["n1", "n2", "n3", "n4"], ["1", "2", "3", ""])]

    (sample,) = samples_of("\r\n".join(lines).encode())

    assert sample.settings == {
        "format": "delimited",
        "separator": separator,
        "header": "first_line",
    }
    assert sample.examples == {("n1",): "1", ("n2",): "2", ("n3",): "3", ("n4",): ""}


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"plain text\nof some lines\n",
        b"a,b\n1,2\n",
        b"a,a,b,c\n1,2,3,4\n",
        b"a,b,c,d\n1,2,3\n",
        b"some words in a line\n",
        b"notes, of a day, in spring\nthe rest\nof it\nand, that, is\nall\n",
        b'"a","b","c"\n"1","2","3"\n',
        b"10.0.0.1,198.51.100.7,443,tcp\n10.0.0.2,198.51.100.7,443,udp\n",
        b"date=2024-04-19 time=10:00:10 srcip=10.0.0.5 srcport=50000\n" * 2,
        b"Apr 19 10:00:12 fw 1,2024/04/19 10:00:12,0018,TRAFFIC,end,2305\n" * 2,
        '{"ts": 1, "uid": "C1"}\n'.encode("utf-16"),
    ],
    ids=[
        *("empty", "text", "few", "twice", "uneven", "words", "notes", "quotes"),
        *("no header", "keys and values", "syslog", "UTF-16"),
    ],
)
def test_what_is_no_table_has_no_columns(head: bytes) -> None:
    assert samples_of(head) == []


def test_a_header_without_lines_is_enough() -> None:
    (sample,) = samples_of(b"a,b,c,d\n")

    assert set(sample.examples.values()) == {""}


def test_a_log_of_zeek_says_itself_what_parts_it_has() -> None:
    log = b"#separator \\x7c\n#fields|ts|uid\n#types|time|string\n1.5|C1\n1.5|C1|more\n#close|x\n"

    (sample,) = samples_of(log)

    assert sample.settings == {"format": "delimited", "header": "zeek"}
    assert sample.examples == {("ts",): "1.5", ("uid",): "C1"}


def test_a_comment_is_no_log_of_zeek() -> None:
    assert samples_of(b"# a comment\n# of two lines\n") == []


def test_a_separator_that_is_not_whole_is_read_as_a_run_reads_it() -> None:
    (sample,) = samples_of(b"#separator \\x9\n#fields\\x9ts\\x9uid\n1.5\\x9C1\n")

    assert sample.examples == {("ts",): "1.5", ("uid",): "C1"}


def test_parts_of_a_log_of_zeek_that_stand_for_no_value_are_none() -> None:
    log = b"#path\tconn\n#unset_field\t-\n#fields\tts\tservice\n1.5\t-\n"

    (sample,) = samples_of(log)

    assert sample.examples == {("_path",): "conn", ("ts",): "1.5", ("service",): ""}


def test_two_hosts_and_a_time_are_enough() -> None:
    (sample,) = samples_of(b"src,dst,time\n\n10.0.0.1,198.51.100.1,2024-04-19T10:00:00Z\n")

    assert sample.examples[("dst",)] == "198.51.100.1"
