"""A form is told by how its files are read, and by the places where its records have values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from attrs import evolve

from ndr_core.flows.presets.form import SourceForm

CSV = {"format": "delimited", "separator": ",", "header": "first_line"}
FORM = SourceForm("csv", "as CSV", ((("a",),), (("b",), ("b", "c"))), {**CSV, "only": {"a": ["1"]}})


@pytest.mark.parametrize(
    ("settings", "leaves", "is_form"),
    [
        (CSV, {("a",), ("b",)}, True),
        (CSV, {("a",), ("b", "c"), ("d",)}, True),
        (CSV, {("a",)}, False),
        (CSV, {("b",)}, False),
        ({}, {("a",), ("b",)}, False),
        ({**CSV, "separator": ";"}, {("a",), ("b",)}, False),
    ],
)
def test_a_form_has_a_place_of_each_mark_in_files_that_are_read_as_its_own(
    settings: Mapping[str, Any], leaves: set[tuple[str, ...]], is_form: bool
) -> None:
    assert FORM.is_form_of(settings, frozenset(leaves)) is is_form


def test_a_form_of_any_layout_has_other_separators_and_headers_too() -> None:
    form = evolve(FORM, any_layout=True)

    assert form.is_read_as({**CSV, "separator": ";", "header": ["a", "b"]})
    assert not form.is_read_as({"format": "parquet"})
