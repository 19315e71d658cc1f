"""The names of hosts as files: in a folder, packed or not, and what is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from ndr_adapters.host_names import read_host_names
from ndr_adapters.local.source import FolderSource
from ndr_core.baselines.names import HostNames
from ndr_core.errors import UsageError

WITHOUT_SPARK = True

HEADER = "ip,name,valid_from,valid_to\n"


def names_at(path: Path) -> HostNames:
    return read_host_names(FolderSource(path), lambda _: None)


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "names.csv"
    file.write_text(HEADER + "10.0.0.1,größer,,\n")

    (row,) = names_at(file).rows

    assert (row.ip, row.name) == ("10.0.0.1", "größer")


def test_the_files_of_a_folder_are_read_together(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER + "10.0.0.1,a,,\n")
    (tmp_path / "b.csv.gz").write_bytes(
        gzip.compress(b"name,ip,valid_to,valid_from\nb,10.0.0.2,,\n")
    )

    assert [(row.ip, row.name) for row in names_at(tmp_path).rows] == [
        ("10.0.0.1", "a"),
        ("10.0.0.2", "b"),
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"ip,name\n10.0.0.1,a\n", "line 1: the header lacks valid_from, valid_to"),
        (HEADER.encode() + b"10.0.0.1,\xff\xff,,\n", "is no text in UTF-8"),
    ],
)
def test_what_is_no_table_of_names_is_refused_with_its_file(
    content: bytes, problem: str, tmp_path: Path
) -> None:
    file = tmp_path / "names.csv"
    file.write_bytes(content)

    with pytest.raises(UsageError) as error:
        names_at(file)

    assert str(error.value).startswith(f"names {file}")
    assert problem in str(error.value)


def test_a_file_that_can_not_be_read_to_its_end_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "names.csv.gz"
    file.write_bytes(gzip.compress(HEADER.encode() * 99)[:-9])

    with pytest.raises(UsageError, match=r"names .*names\.csv\.gz: "):
        names_at(file)


def test_a_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file or folder"):
        names_at(tmp_path / "none.csv")
