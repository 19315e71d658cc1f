"""The page of the manual that lists all columns is what the catalogue says."""

from __future__ import annotations

from pathlib import Path

from ndr_core.catalog import describe, markdown
from tests.makers import make_spec

PAGE = Path(__file__).parents[3] / "docs" / "tables.md"


def test_the_page_of_tables_is_made_anew_whenever_a_column_changes() -> None:
    assert PAGE.read_text() == markdown(describe(make_spec())), "make docs"
