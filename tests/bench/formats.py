"""The same records in several forms, from files to judged records: processor seconds of Polars, side by side.

Run by hand: `python -m tests.bench.formats`. Writes `docs/bench/formats.md`. Forms are read in turn, so that what else
the machine does meets all of them.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any, Final

import click
import polars as pl
from attrs import frozen

from ndr_adapters.local.source import FolderSource
from ndr_adapters.polars import quality
from ndr_adapters.polars.engine import flows_of, record_feed
from ndr_adapters.synthetic.batch import SyntheticBatch
from ndr_adapters.synthetic.forms.registry import form_of
from ndr_adapters.synthetic.write import write_synthetic
from ndr_core.deltas.plan import DeltaPlan, compile_plan
from ndr_core.deltas.spec_reader import parse_job_spec
from ndr_core.flows.first_look import first_look
from ndr_core.flows.formats import FileFormat
from ndr_core.flows.line_blocks import lines_of
from ndr_core.flows.source import InputBatch
from ndr_core.jobs.run import RuntimeParams
from tests.bench.measure import machine

RESULTS = Path(__file__).parents[2] / "docs" / "bench" / "formats.md"
FILES: Final = 8
EQUAL_IN: Final = {
    "deduplicate_on": ["source_ip", "source_port", "destination_ip", "destination_port"]
}


@frozen
class Form:
    """A form of the records of Zeek."""

    title: str
    name: str
    """Of the form in which they are written."""
    settings: Mapping[str, Any]
    """How a JobSpec reads them."""


FORMS: Final = (
    Form("JSON Lines", "json", {}),
    Form("JSON Lines, addresses in an object", "nested", {}),
    Form("delimited, Zeek's own", "tsv", {"format": "delimited", "header": "zeek"}),
    Form("Parquet, rows of the JSON", "json", {"format": "parquet"}),
)


@click.command()
@click.option("--records", default=1_000_000, show_default=True)
@click.option("--repeats", default=3, show_default=True)
def main(records: int, repeats: int) -> None:
    """Measure all forms in turn, with and without a search for duplicates; print and write a table."""
    with tempfile.TemporaryDirectory() as root:
        folders = [
            written(form, Path(root, str(place)), records) for place, form in enumerate(FORMS)
        ]
        seconds: dict[tuple[int, bool], list[float]] = {}
        for _ in range(repeats + 1):
            for place, (form, folder) in enumerate(zip(FORMS, folders, strict=True)):
                for compares in (False, True):
                    found = seconds.setdefault((place, compares), [])
                    found.append(judging_seconds(plan_of(form, compares), folder))
    of = {key: median(found[1:]) for key, found in seconds.items()}
    lines = [
        f"{machine()}; {records:,} records in {FILES} files; processor seconds from files to judged records; median of "
        f"{repeats} runs in turn, after one to warm up.",
        "",
        "| form | seconds | of JSON | with duplicates | of JSON |",
        "|---|---|---|---|---|",
        *(
            f"| {form.title} | "
            + " | ".join(
                f"{of[place, compares]:.2f} | {of[place, compares] / of[0, compares]:.2f}"
                for compares in (False, True)
            )
            + " |"
            for place, form in enumerate(FORMS)
        ),
    ]
    print("\n".join(lines))
    RESULTS.write_text("# Forms of records\n\n" + "\n".join(lines) + "\n")


def written(form: Form, folder: Path, records: int) -> Path:
    """Write the records, the same for each form, and give the folder."""
    batch = SyntheticBatch(records=records, form=form_of("zeek", form.name))
    write_synthetic(batch, folder, FILES, lambda _: None)
    if form.settings.get("format") == "parquet":
        for file in folder.iterdir():
            rows = pl.read_ndjson(file, infer_schema_length=None)
            rows.write_parquet(file.with_suffix(".parquet"), compression="zstd")
            file.unlink()
    return folder


def plan_of(form: Form, compares: bool) -> DeltaPlan:
    """Give the plan by which records of a form are judged."""
    said = {"project_name": "bench", "input": {"preset": "zeek", **form.settings}}
    spec = parse_job_spec(said | ({"quality": EQUAL_IN} if compares else {}))
    return compile_plan(spec, RuntimeParams("bench", "bench"))


def judging_seconds(plan: DeltaPlan, folder: Path) -> float:
    """Read and judge the records of a folder; give the processor seconds that it took."""
    begun = os.times()
    source = FolderSource(folder)
    files = source.files(print)
    is_parquet = plan.input.format is FileFormat.PARQUET
    blocks = (block for file in files for block in source.blocks(file))
    is_json = plan.input.format is FileFormat.JSON
    orders = first_look(lines_of(blocks), plan.input).key_orders if is_json else ()
    reader = source.pieces if is_parquet else source.blocks
    batch = InputBatch(files, reader, orders, source.heads(files))
    judged = flows_of(record_feed(batch, plan).frames(), plan, orders)
    counts = quality.counts(judged).collect(engine="streaming")
    ended = os.times()
    assert counts.height > 0
    return ended.user + ended.system - begun.user - begun.system


if __name__ == "__main__":
    main()
