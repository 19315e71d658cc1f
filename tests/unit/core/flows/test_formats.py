"""The formats of input files, and how delimited lines are laid out."""

from __future__ import annotations

from typing import Any

import pytest

from ndr_core.deltas.spec_reader import parse_job_spec
from ndr_core.errors import SpecError
from ndr_core.flows.formats import FileFormat, HeaderKind, Layout, layout_of

NAMES = ["source_ip", "destination_ip", "event_start"]


def spec_of(**keys: Any) -> Any:
    return parse_job_spec({"project_name": "demo", "input": {"preset": "paloalto", **keys}})


def test_a_spec_without_a_format_reads_json() -> None:
    assert spec_of().input.format is FileFormat.JSON
    assert spec_of(format="json", header=None) == spec_of()
    assert "format" not in spec_of().to_plain()["input"]


@pytest.mark.parametrize(
    "keys",
    [
        {"format": "delimited", "header": "zeek"},
        {"format": "delimited", "header": "first_line", "separator": " "},
        {"format": "delimited", "header": NAMES, "separator": "||"},
        {"format": "parquet"},
    ],
)
def test_a_format_is_read_back_as_it_was_written(keys: dict[str, Any]) -> None:
    spec = spec_of(**keys)

    plain = spec.to_plain()

    assert {key: plain["input"][key] for key in keys} == keys
    assert parse_job_spec(plain) == spec


def test_a_spec_gives_the_layout_of_its_lines() -> None:
    spec = spec_of(format="delimited", header="first_line", separator=" ")

    assert spec.input.layout == Layout(" ", HeaderKind.FIRST_LINE)


@pytest.mark.parametrize(
    ("separator", "header", "layout"),
    [
        (None, HeaderKind.ZEEK, Layout("\t", HeaderKind.ZEEK)),
        ("|", HeaderKind.ZEEK, Layout("|", HeaderKind.ZEEK)),
        (None, HeaderKind.FIRST_LINE, Layout(",", HeaderKind.FIRST_LINE)),
        (None, ("a", "b"), Layout(",", ("a", "b"))),
        (" ", ("a", "b"), Layout(" ", ("a", "b"))),
    ],
)
def test_lines_are_parted_by_a_tab_for_zeek_and_by_a_comma_elsewhere(
    separator: str | None, header: Any, layout: Layout
) -> None:
    assert layout_of(separator, header) == layout


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"format": "csv"}, "input.format: unknown value 'csv'"),
        ({"separator": ","}, "input.separator: is for format: delimited only"),
        ({"format": "parquet", "header": "zeek"}, "input.header: is for format: delimited only"),
        ({"format": "delimited"}, "input.header: is required for format: delimited: zeek, first"),
        ({"format": "delimited", "header": "none"}, "input.header: 'none' is text, expected zeek"),
        ({"format": "delimited", "header": 1}, "input.header: 1 is a number, expected zeek, first"),
        ({"format": "delimited", "header": [1]}, "input.header: [1] is a list, expected zeek"),
        ({"format": "delimited", "header": []}, "input.header: needs at least one name"),
        ({"format": "delimited", "header": ["a", "a"]}, "input.header: has a name twice"),
        ({"format": "delimited", "header": "zeek", "separator": ""}, "input.separator: must be 1"),
        ({"format": "delimited", "header": "zeek", "separator": "\n"}, "none of them the end of a"),
        ({"format": "delimited", "header": "zeek", "separator": "\r"}, "none of them the end of a"),
        ({"format": "delimited", "header": "zeek", "separator": "-" * 9}, "must be 1 to 8 charact"),
    ],
)
def test_a_wrong_format_is_named_by_its_key(keys: dict[str, Any], problem: str) -> None:
    with pytest.raises(SpecError) as refused:
        spec_of(**keys)

    assert problem in str(refused.value)


@pytest.mark.parametrize(
    ("chosen", "title"),
    [
        (FileFormat.JSON, "JSON Lines in UTF-8"),
        (FileFormat.DELIMITED, "delimited lines in UTF-8"),
        (FileFormat.PARQUET, "Parquet"),
    ],
)
def test_a_format_has_a_title_for_messages(chosen: FileFormat, title: str) -> None:
    assert chosen.title == title
