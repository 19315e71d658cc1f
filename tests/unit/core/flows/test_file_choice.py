"""Files are chosen by their names; those left out are counted and named."""

from __future__ import annotations

import pytest

from ndr_core.errors import UsageError
from ndr_core.flows.file_choice import chosen_files
from ndr_core.flows.source import InputFile


def files(*uris: str) -> list[InputFile]:
    return [InputFile(uri, 1) for uri in uris]


ZEEK = files("s3://b/conn*/conn.10:00.log.gz", "s3://b/dns.log", "s3://b/conn/x.log", "Conn.log")


def test_without_patterns_all_files_are_chosen_and_nothing_is_said() -> None:
    notices: list[str] = []

    assert chosen_files(ZEEK, (), notices.append) == tuple(ZEEK)
    assert notices == []


@pytest.mark.parametrize(
    ("patterns", "chosen", "notice"),
    [
        (("conn*",), [0], "3 of 4 files left out: dns.log, x.log, Conn.log"),
        (("*.gz", "dns.*"), [0, 1], "2 of 4 files left out: x.log, Conn.log"),
        (("[cC]onn.*",), [0, 3], "2 of 4 files left out: dns.log, x.log"),
    ],
)
def test_a_file_is_chosen_by_the_last_part_of_its_address(
    patterns: tuple[str, ...], chosen: list[int], notice: str
) -> None:
    notices: list[str] = []

    found = chosen_files(ZEEK, patterns, notices.append)

    assert found == tuple(ZEEK[place] for place in chosen)
    assert notices == [f"input.files: {notice}"]


def test_nothing_is_said_where_all_names_fit() -> None:
    notices: list[str] = []

    assert chosen_files(ZEEK, ("*",), notices.append) == tuple(ZEEK)
    assert notices == []


def test_no_file_that_fits_is_wrong_usage_that_names_some() -> None:
    many = files(*(f"in/dns-{number:02}.log" for number in range(12)))

    with pytest.raises(UsageError) as refused:
        chosen_files(many, ("conn*", "c?"), print)

    names = ", ".join(f"dns-{number:02}.log" for number in range(10))
    assert str(refused.value) == (
        f"input.files: no file has a name like conn* or c?; there are {names} and 2 more"
    )


def test_of_no_files_none_is_missed() -> None:
    assert chosen_files([], ("conn*",), print) == ()
