"""Records that engines once read otherwise than the reference does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ndr_adapters.polars.engine import PolarsEngine
from ndr_core.deltas.reference import Tables
from ndr_core.flows.json_text import MAX_LINE_BYTES
from tests.makers import differences, make_plan, make_spec
from tests.support import run_engine, run_reference

FIELDS: dict[str, Any] = {
    "source_ip": "a",
    "destination_ip": "b",
    "source_bytes": "n",
    "destination_port": "p",
    "event_start": {"column": "t", "format": "epoch_s"},
    "event_action": "act",
}
HEAD = b"a,b,n,p,t,act\n"
LINE = b"10.0.0.1,10.0.0.2,5,443,1740823200,allow"


def read_alike(
    data: bytes, folder: Path, fields: dict[str, Any] | None = None, **keys: Any
) -> Tables:
    """What the reference gives of a file; Polars must give the same."""
    plan = make_plan(make_spec(input={"fields": FIELDS | (fields or {}), **keys}))
    (folder / "in").mkdir()
    (folder / "in" / "part").write_bytes(data)
    expected = run_reference(plan, folder / "in")
    actual = run_engine(PolarsEngine(), plan, folder / "in", folder / "out")
    assert differences(expected, actual) == []
    return expected


def read_lines_alike(folder: Path, *lines: bytes) -> Tables:
    data = HEAD + b"\n".join(lines) + b"\n"
    return read_alike(data, folder, format="delimited", header="first_line")


@pytest.mark.parametrize("others", [(), (b"\xff",)])
def test_of_a_delimited_line_one_carriage_return_is_cut_whatever_its_neighbours(
    others: tuple[bytes, ...], tmp_path: Path
) -> None:
    found = read_lines_alike(tmp_path, LINE[:-5] + b"odd\r\r", *others)

    assert found.report.kept == 1
    assert found.report.unknown["event_action"] == {"odd\r": 1}


@pytest.mark.parametrize(
    "line",
    [
        LINE + b"\xff",
        LINE.ljust(MAX_LINE_BYTES + 1, b"x"),
        LINE.ljust(MAX_LINE_BYTES, b"x") + b"\r",
    ],
    ids=["undecodable", "too long", "too long by its carriage return"],
)
def test_the_quarantine_has_no_object_of_a_malformed_line_that_has_all_its_parts(
    line: bytes, tmp_path: Path
) -> None:
    (found,) = read_lines_alike(tmp_path, LINE, line).quarantine

    assert (found.rule, found.object) == ("malformed_record", None)


def test_a_line_of_json_that_is_too_long_by_its_carriage_return_is_malformed(
    tmp_path: Path,
) -> None:
    line = b'{"a":"10.0.0.1","b":"10.0.0.2","n":5,"p":443,"t":1740823200,"act":"allow","x":"'
    line = line.ljust(MAX_LINE_BYTES - 2, b"x") + b'"}'

    found = read_alike(line + b"\n" + line + b"\r\n", tmp_path)

    assert (found.report.kept, found.report.rejected["malformed_record"]) == (1, 1)
