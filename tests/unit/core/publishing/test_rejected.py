"""The quarantines of mini-batches are found in the manifests that count, compacted or not."""

from __future__ import annotations

from attrs import evolve

from ndr_core.publishing.manifest import CompactedRun, Manifest, OutputFile
from ndr_core.publishing.rejected import rejected_batches
from tests.unit.core.publishing.makers import BATCH, FACTS, ONE, VERSION, after_ten, bounds, made

RECORDS = OutputFile(f"quarantine/{BATCH}/rejected-00000-0123456789ab.json.gz", 5, 10, "00")
MORE = OutputFile(f"quarantine/{BATCH}/rejected-00001-0123456789ab.json.gz", 2, 10, "01")
COPY = OutputFile(f"quarantine/{BATCH}/unreadable-00000-0123456789ab-rejected-x", 0, 9, "02")
REPORT = OutputFile(f"quality/{BATCH}/report-0123456789ab.json", 0, 9, "03")


def test_a_run_has_a_quarantine_of_records_and_of_files() -> None:
    manifest = made(
        *ONE.files, RECORDS, MORE, COPY, REPORT, facts=evolve(FACTS, bounds=bounds(0, 15))
    )

    (batch,) = rejected_batches([manifest])

    assert (batch.name, batch.records) == ("mb", 7)
    assert batch.files == (RECORDS, MORE)
    assert batch.unreadable == (COPY,)
    assert batch.bounds == bounds(0, 15)
    assert batch.bounds.start == after_ten(0)


def test_a_run_that_rejected_nothing_is_there_too() -> None:
    (batch,) = rejected_batches([ONE])

    assert (batch.files, batch.records, batch.bounds) == ((), 0, ONE.facts.bounds)


def test_a_compacted_day_has_those_of_the_runs_that_it_holds_whole() -> None:
    other = evolve(FACTS, mini_batch_id="other")
    of_other = OutputFile(
        f"quarantine/{VERSION}/job_name=j/mini_batch_id=other/rejected-00000-0123456789ab.json.gz",
        1,
        10,
        "04",
    )
    day = Manifest(
        published_at=1,
        token="0123456789ab",
        facts=evolve(FACTS, job_name="", mini_batch_id=""),
        columns={},
        contributions=(),
        files=(RECORDS, of_other, COPY),
        day="2025-03-01",
        runs=(CompactedRun(1, FACTS), CompactedRun(2, other)),
    )

    first, second = rejected_batches([day])

    assert (first.name, first.files, first.unreadable) == ("mb", (RECORDS,), (COPY,))
    assert (second.name, second.files, second.unreadable) == ("other", (of_other,), ())
