"""`ndr generate` writes logs as their sources do."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ndr_adapters.synthetic.batch import SyntheticBatch
from ndr_adapters.synthetic.form import Form
from ndr_adapters.synthetic.forms.registry import FORMS
from ndr_adapters.synthetic.write import write_synthetic
from ndr_core.flows.presets.registry import PRESETS
from tests.e2e.cli import ndr

EVERY_FORM = [form for forms in FORMS.values() for form in forms.values()]


def named(form: Form) -> str:
    return f"{form.preset}-{form.name}"


@pytest.mark.parametrize("preset", list(PRESETS))
def test_each_form_of_a_preset_can_be_generated(preset: str) -> None:
    assert {form.name for form in PRESETS[preset].forms} <= set(FORMS[preset])


@pytest.mark.parametrize("form", EVERY_FORM, ids=named)
def test_a_form_writes_as_many_lines_as_are_asked_for(form: Form) -> None:
    lines = list(SyntheticBatch(records=501, form=form).lines())

    assert len(lines) == 501


@pytest.mark.parametrize("form", EVERY_FORM, ids=named)
def test_every_line_is_a_record_of_its_format_but_those_that_are_cut(form: Form) -> None:
    good = list(SyntheticBatch(records=300, form=form).lines())
    spoilt = list(SyntheticBatch(records=300, form=form, bad_fraction=1.0).lines())

    def is_record(line: bytes) -> bool:
        if form.columns:
            return len(line.decode().split(form.separator)) == len(form.columns)
        try:
            return isinstance(json.loads(line), dict)
        except ValueError:
            return False

    assert all(map(is_record, good))
    if form.typed:
        assert all(map(is_record, spoilt))
        return
    # Of 14 kinds of bad records two are none of the format, and one repeats the line before it.
    assert 2 * (300 // 14) <= sum(not is_record(line) for line in spoilt) <= 3 * (300 // 14 + 1)


TYPED = [form for form in EVERY_FORM if form.typed]


@pytest.mark.parametrize("form", TYPED, ids=named)
def test_a_form_of_parquet_writes_rows_of_its_columns(form: Form, tmp_path: Path) -> None:
    asked = ["--preset", form.preset, "--form", form.name, "--records", 300, "--files", 2]
    asked += ["--bad-fraction", 0.5]

    made = [ndr("generate", *asked, "--output", tmp_path / name) for name in ("one", "two")]

    assert [one.exit_code for one in made] == [0, 0]
    files = sorted((tmp_path / "one").iterdir())
    assert [file.name for file in files] == ["part-000.parquet", "part-001.parquet"]
    frames = [pl.read_parquet(file) for file in files]
    assert [frame.height for frame in frames] == [150, 150]
    assert all(frame.columns == list(form.typed) for frame in frames)
    assert all(
        file.read_bytes() == (tmp_path / "two" / file.name).read_bytes() for file in files
    ), "the same batch gives the same bytes"


def test_rows_of_parquet_hold_what_their_lines_say(tmp_path: Path) -> None:
    form = FORMS["ocsf"]["security_lake"]
    batch = SyntheticBatch(records=100, bad_fraction=0.5, form=form)

    (file,) = write_synthetic(batch, tmp_path / "in", 1, lambda _: None)

    rows = pl.read_parquet(file).to_dicts()
    assert [without_nulls(row) for row in rows] == [json.loads(line) for line in batch.lines()]


def without_nulls(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: without_nulls(part) for name, part in value.items() if part is not None}


def test_a_file_of_parquet_without_rows_has_its_columns(tmp_path: Path) -> None:
    form = FORMS["vpcflow"]["parquet"]

    (file,) = write_synthetic(
        SyntheticBatch(records=0, form=form), tmp_path / "in", 1, lambda _: None
    )

    assert pl.read_parquet(file).columns == list(form.typed)


def test_a_source_that_counts_one_way_tells_a_session_by_two_records() -> None:
    lines = list(SyntheticBatch(records=2, form=FORMS["vpcflow"]["json"]).lines())

    there, back = map(json.loads, lines)

    assert (there["srcaddr"], there["srcport"]) == (back["dstaddr"], back["dstport"])
    assert (there["dstaddr"], there["dstport"]) == (back["srcaddr"], back["srcport"])


def test_each_file_of_delimited_lines_begins_with_their_header(tmp_path: Path) -> None:
    asked = ["--preset", "vpcflow", "--records", 100, "--files", 2, "--output", tmp_path / "in"]

    made = ndr("generate", *asked)

    assert made.exit_code == 0, made.errors
    files = sorted((tmp_path / "in").iterdir())
    assert [file.name for file in files] == ["part-000.log.gz", "part-001.log.gz"]
    for file in files:
        lines = gzip.decompress(file.read_bytes()).decode().splitlines()
        assert len(lines) == 51
        assert lines[0].startswith("version account-id interface-id srcaddr")


def test_an_unknown_form_is_wrong_usage_and_the_known_ones_are_named(tmp_path: Path) -> None:
    asked = ["--preset", "zeek", "--form", "tab", "--records", 1, "--output", tmp_path / "in"]

    answer = ndr("generate", *asked)

    assert answer.exit_code == 2
    assert "form: 'tab' is no form of zeek" in answer.errors
    assert "tsv" in answer.errors
