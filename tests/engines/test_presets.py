"""The engines agree on the true form of each preset's source."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any
from unittest.mock import Mock, patch

import polars as pl
import pytest

from ndr_adapters.synthetic.batch import SyntheticBatch
from ndr_adapters.synthetic.form import Form
from ndr_adapters.synthetic.forms.registry import FORMS as SYNTHETIC
from ndr_adapters.synthetic.write import write_synthetic
from ndr_core.errors import UsageError
from ndr_core.flows.json_line import LineReader
from ndr_core.flows.log_sample import Sample, row_sample, samples_of
from ndr_core.flows.object_reader import ObjectReader
from ndr_core.flows.presets.registry import PRESETS
from ndr_core.flows.recognition import recognise
from tests.makers import (
    differences,
    make_plan,
    make_spec,
    write_batch,
)
from tests.soak import only_in_soak
from tests.support import ENGINES, run_engine, run_reference

FIXTURES = Path(__file__).parents[1] / "fixtures"
FILES = sorted(str(path.relative_to(FIXTURES)) for path in FIXTURES.glob("*/*"))
EVERY_FORM = [form for forms in SYNTHETIC.values() for form in forms.values()]


SAMPLES = {
    "spark": ("suricata/eve.json", "vpcflow/default.log"),
    "spark-sql": ("ocsf/firewall.json", "suricata/eve.json", "zeek/conn.json"),
}
"""What Spark's engines read in the checks: each kind of mapping, format and pairing once."""


def input_of(file: str) -> dict[str, Any]:
    """How a JobSpec reads a fixture; other logs of Zeek are read as connections are."""
    known = recognise(samples_of((FIXTURES / file).read_bytes()), PRESETS)
    if known is None:
        form = "tsv" if file.endswith(".log") else "json"
        settings = next(one.settings for one in PRESETS["zeek"].forms if one.name == form)
        return {"preset": "zeek", **settings}
    return {"preset": known.preset, **known.settings}


@pytest.mark.parametrize(
    ("engine", "file"),
    [
        pytest.param(engine, file, marks=() if file in SAMPLES.get(engine, FILES) else only_in_soak)
        for engine in ENGINES
        for file in FILES
    ],
)
def test_engines_agree_on_the_true_form(file: str, engine: str, tmp_path: Path) -> None:
    settings = input_of(file)
    if engine == "spark-sql":
        settings["pairing"] = None
    plan = make_plan(make_spec(input=settings))
    batch = write_batch(tmp_path / "in", [(FIXTURES / file).read_bytes().splitlines()])
    if engine == "spark-sql" and plan.input.beyond_sql is not None:
        with pytest.raises(UsageError, match="the engine spark-sql can't"):
            run_engine(ENGINES[engine](), plan, batch, tmp_path / "out")
        return

    expected = run_reference(plan, batch)
    actual = run_engine(ENGINES[engine](), plan, batch, tmp_path / "out")

    assert differences(expected, actual) == []
    assert expected.report.kept + expected.report.skipped >= 1


@pytest.mark.parametrize("form", EVERY_FORM, ids=lambda form: f"{form.preset}-{form.name}")
def test_polars_agrees_on_generated_logs_with_bad_records(form: Form, tmp_path: Path) -> None:
    made = SyntheticBatch(records=600, bad_fraction=0.25, form=form)
    batch = tmp_path / "in"
    (file,) = write_synthetic(made, batch, 1, lambda _: None)
    known = recognise(samples(file, form), PRESETS)
    assert known is not None
    assert known.preset == form.preset
    plan = make_plan(make_spec(input={"preset": form.preset, **known.settings}))

    expected = run_reference(plan, batch)
    actual = run_engine(ENGINES["polars"](), plan, batch, tmp_path / "out")

    assert differences(expected, actual) == []
    report = expected.report
    assert 0.7 < report.kept / report.read < 0.95
    if form.typed:
        assert report.rejected["malformed_ip"] >= 10
        return
    assert report.rejected["malformed_record"] >= 10
    assert report.rejected["bad_value"] >= 5


@pytest.mark.parametrize("form", EVERY_FORM, ids=lambda form: f"{form.preset}-{form.name}")
def test_good_records_are_read_without_the_core(form: Form, tmp_path: Path) -> None:
    """Else they take many times as long."""
    batch = tmp_path / "in"
    (file,) = write_synthetic(SyntheticBatch(records=200, form=form), batch, 1, lambda _: None)
    known = recognise(samples(file, form), PRESETS)
    assert known is not None
    plan = make_plan(make_spec(input={"preset": form.preset, **known.settings}))

    wrong = Mock(side_effect=AssertionError)
    with patch.object(ObjectReader, "read", wrong), patch.object(LineReader, "read", wrong):
        tables = run_engine(ENGINES["polars"](), plan, batch, tmp_path / "out")

    assert tables.report.kept == 200


def samples(file: Path, form: Form) -> list[Sample]:
    """What is looked at of a generated file."""
    if form.typed:
        return [row_sample(pl.read_parquet(file, n_rows=50).to_dicts())]
    return samples_of(b"\n".join(gzip.decompress(file.read_bytes()).splitlines()[:50]))
