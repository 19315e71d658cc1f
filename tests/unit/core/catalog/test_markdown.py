"""Rows become tables of Markdown."""

from __future__ import annotations

from ndr_core.catalog.markdown import markdown_table


def test_a_table_has_a_head_and_a_line_for_each_row() -> None:
    rows = [{"column": "a", "meaning": "x | y"}, {"column": "b", "meaning": ""}]

    assert list(markdown_table(rows)) == [
        "| column | meaning |",
        "| --- | --- |",
        "| a | x \\| y |",
        "| b |  |",
    ]
