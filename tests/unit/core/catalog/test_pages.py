"""The generated pages of the manual are what the catalogue says."""

from __future__ import annotations

from pathlib import Path

from ndr_core.baselines.metrics import METRICS
from ndr_core.catalog.entries import entries_of
from ndr_core.catalog.page import page
from ndr_core.catalog.schema import describe, markdown
from ndr_core.catalog.tables import feature_tables_of, tables_of
from tests.makers import make_spec

DOCS = Path(__file__).parents[4] / "docs"
SPEC = make_spec()


def test_the_page_of_tables_is_made_anew_whenever_a_column_changes() -> None:
    assert (DOCS / "tables.md").read_text() == markdown(describe(SPEC)), "make docs"


def test_the_page_of_features_is_made_anew_whenever_a_column_or_a_formula_changes() -> None:
    entries = entries_of((*tables_of(SPEC), *feature_tables_of(SPEC)))

    assert (DOCS / "FEATURES.md").read_text() == page(entries, METRICS), "make docs"
