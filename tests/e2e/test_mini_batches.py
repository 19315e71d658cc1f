"""Mini-batches that come one after the other into one output: what adds, what replaces, what is refused."""

from __future__ import annotations

import json
import logging
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ndr_adapters.local.manifests import read_manifests
from ndr_adapters.outputs import open_output
from ndr_adapters.polars.published import read_deltas
from ndr_core.publishing.manifest import Manifest
from tests.e2e.cli import SLICE, Answer, ndr, run, snapshot, write_spec
from tests.makers import flow, write_batch

WITHOUT_SPARK = True

MEASURES = ["sessions_cnt", "bytes_sent_sum"]


def spec_file(folder: Path, name: str = "job.json", **parts: Any) -> Path:
    return write_spec(folder / name, **{"delta": {"measures": MEASURES}} | parts)


def only(output: Path) -> Manifest:
    (manifest,) = read_manifests(output)
    return manifest


def totals(output: Path) -> list[tuple[Any, ...]]:
    """Sessions and bytes of each host, role and slice, over all mini-batches."""
    keys = ("dt", "hh", "mm", "role", "host_ip")
    rows = read_deltas(open_output(output)).group_by(keys).agg(pl.col(MEASURES).sum())
    return rows.sort(keys).collect().rows()


def sessions(output: Path) -> int:
    return sum(row[-2] for row in totals(output) if row[3] == "outbound")


def refused(answer: Answer) -> str:
    """What a run says that is wrong usage."""
    assert answer.exit_code == 2
    (line,) = [line for line in answer.errors.splitlines() if line.startswith("ndr: ")]
    return line


def hour(number: int) -> list[dict[str, Any]]:
    """The log of an hour: it holds sessions that ended in it, one of which began in the hour before."""
    return [
        flow(
            event_start=f"2025-03-01T{number - 1:02}:50:00Z",
            event_end=f"2025-03-01T{number:02}:05:00Z",
            source_bytes=number,
        ),
        *(
            flow(
                event_start=f"2025-03-01T{number:02}:{minute}:00Z",
                event_end=f"2025-03-01T{number:02}:{minute}:09Z",
                source_bytes=100 * number,
            )
            for minute in (10, 50)
        ),
    ]


HOURS = (10, 11, 12)


@pytest.mark.parametrize("order", [(10, 11, 12), (12, 10, 11, 10, 12)], ids=str)
def test_hourly_files_one_after_the_other_in_any_order_and_twice_equal_one_run_of_all(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    spec = spec_file(tmp_path)
    for number in HOURS:
        write_batch(tmp_path / f"hour-{number}", [hour(number)])
    whole = write_batch(tmp_path / "all", [chain.from_iterable(map(hour, HOURS))])
    assert run(spec, whole, tmp_path / "expected").exit_code == 0

    for number in order:
        assert run(spec, tmp_path / f"hour-{number}", tmp_path / "out").exit_code == 0

    assert totals(tmp_path / "out") == totals(tmp_path / "expected")
    assert sessions(tmp_path / "out") == 3 * len(HOURS)


def zeek(**changes: Any) -> dict[str, Any]:
    """A record of Zeek's connection log."""
    return {
        "ts": 1740823200.5,
        "uid": "C1",
        "id.orig_h": "10.0.0.1",
        "id.orig_p": 50000,
        "id.resp_h": "192.0.2.9",
        "id.resp_p": 53,
        "proto": "udp",
        "duration": 1.5,
        "orig_bytes": 7,
        "resp_bytes": 70,
        "conn_state": "SF",
    } | changes


def test_jobs_of_several_vendors_feed_one_output(tmp_path: Path) -> None:
    output = tmp_path / "out"
    jobs = {
        "paloalto": (write_batch(tmp_path / "a", [[flow(), flow()]]), {"preset": "paloalto"}),
        "zeek": (write_batch(tmp_path / "b", [[zeek()]]), {"preset": "zeek"}),
    }

    for _ in range(2):
        for name, (batch, source) in jobs.items():
            spec = write_spec(tmp_path / f"{name}.json", job_name=name, input=source)
            assert run(spec, batch, output, "--mini-batch-id", "10-00").exit_code == 0

    assert [row[-2:] for row in totals(output) if row[3:5] == ("outbound", "10.0.0.1")] == [
        (3, 207)
    ]
    assert len(ndr("inspect", output, "--json").json()["quality"]) == 2


def rerun_with_less(tmp_path: Path, *more: object) -> Answer:
    """Run a batch of two slices, then the same one again, of whose records there is one left."""
    spec = spec_file(tmp_path)
    later = flow(event_start="2025-03-01T10:20:00Z", event_end=None)
    batch = write_batch(tmp_path / "in", [[flow(), flow(), later]])
    named = ("--mini-batch-id", "mb")
    assert run(spec, batch, tmp_path / "out", *named, "--run-id", "first").exit_code == 0
    write_batch(tmp_path / "in", [[later]])
    return run(spec, batch, tmp_path / "out", *named, "--run-id", "second", *more)


def test_a_rerun_says_what_it_replaced_before_and_after_for_people(tmp_path: Path) -> None:
    answer = rerun_with_less(tmp_path)

    assert answer.exit_code == 0
    said = " ".join(answer.output.split())
    assert "replaces run first of 2" in said
    assert "3 records in 2 slices before, 1 records in 1 slices now" in said
    assert sessions(tmp_path / "out") == 1


def test_a_rerun_says_what_it_replaced_for_machines(tmp_path: Path) -> None:
    done = rerun_with_less(tmp_path, "--json").json()

    replaced = done["replaced"]
    assert replaced.pop("published_at").endswith("Z")
    assert replaced == {"run_id": "first", "slices": 2, "kept": 3}
    assert (done["run_id"], done["slices"], done["report"]["kept"]) == ("second", 1, 1)


def test_a_rerun_says_what_it_replaced_in_its_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        rerun_with_less(tmp_path)

    lines = [line for line in caplog.messages if line.startswith("publishing: ")]
    assert "replaced" not in lines[0]
    assert lines[1].startswith(
        "publishing: replaced_run first, replaced_slices 2, replaced_kept 3, slices 1, "
    )


def test_a_first_run_replaces_nothing_and_does_not_say_so(tmp_path: Path) -> None:
    batch = write_batch(tmp_path / "in", [[flow()]])
    answer = run(spec_file(tmp_path), batch, tmp_path / "out")
    assert answer.exit_code == 0
    assert "replaces run" not in answer.output
    done = run(spec_file(tmp_path), batch, tmp_path / "other", "--json").json()
    assert done["replaced"] is None


def test_folders_of_one_name_are_mini_batches_of_their_own(tmp_path: Path) -> None:
    for number, sensor in enumerate(("north", "south")):
        batch = write_batch(tmp_path / sensor / "10", [[flow(source_bytes=number)]])
        assert run(spec_file(tmp_path), batch, tmp_path / "out").exit_code == 0

    manifests = read_manifests(tmp_path / "out")

    ids = {manifest.facts.mini_batch_id for manifest in manifests}
    assert len(ids) == 2
    assert all(len(id_) == len("10-01234567") and id_.startswith("10-") for id_ in ids)
    assert all(manifest.facts.derived_id for manifest in manifests)
    assert sessions(tmp_path / "out") == 2


def test_a_folder_is_the_same_mini_batch_however_its_path_is_spelt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = write_batch(tmp_path / "in", [[flow()]])
    (tmp_path / "link").symlink_to(batch)
    monkeypatch.chdir(tmp_path)

    for path in (batch, Path("in"), Path("./in/"), Path("out/../in"), Path("link")):
        assert run(spec_file(tmp_path), path, tmp_path / "out").exit_code == 0

    assert only(tmp_path / "out").facts.mini_batch_id.startswith("in-")
    assert sessions(tmp_path / "out") == 1


def overwritten_folder(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Spec, batch and output after a run; the folder of the batch then holds other files."""
    spec, output = spec_file(tmp_path), tmp_path / "out"
    batch = write_batch(tmp_path / "incoming", [[flow()], [flow(), flow()]])
    assert run(spec, batch, output).exit_code == 0
    write_batch(batch, [[flow(source_bytes=5)]])
    return spec, batch, output


def test_other_files_under_the_same_derived_id_replace_only_when_asked_to(tmp_path: Path) -> None:
    spec, batch, output = overwritten_folder(tmp_path)
    before = snapshot(output)

    message = refused(run(spec, batch, output))

    batch_id = only(output).facts.mini_batch_id
    assert f"mini-batch {batch_id}: this id was made from the address of the input" in message
    assert "(1 of 2); give --mini-batch-id" in message
    assert "--replace" in message
    assert snapshot(output) == before
    assert run(spec, batch, output, "--replace").exit_code == 0
    assert sessions(output) == 3
    assert [row[-1] for row in totals(output) if row[3] == "outbound"] == [205]


def test_an_id_that_was_given_replaces_without_more(tmp_path: Path) -> None:
    spec, output = spec_file(tmp_path), tmp_path / "out"
    for sent in (1, 2):
        batch = write_batch(tmp_path / "incoming", [[flow(source_bytes=sent)]])
        assert run(spec, batch, output, "--mini-batch-id", "mb").exit_code == 0
    assert [row[-1] for row in totals(output) if row[3] == "outbound"] == [2]


def test_a_folder_that_grew_replaces_what_it_gave_before(tmp_path: Path) -> None:
    spec, output = spec_file(tmp_path), tmp_path / "out"
    batch = write_batch(tmp_path / "in", [[flow()]])
    assert run(spec, batch, output).exit_code == 0
    (batch / "later.json").write_text(json.dumps(flow()))
    assert run(spec, batch, output).exit_code == 0
    assert sessions(output) == 2


def test_a_derived_id_that_was_published_for_other_bounds_replaces_only_when_asked_to(
    tmp_path: Path,
) -> None:
    spec, output = spec_file(tmp_path), tmp_path / "out"
    batch = write_batch(tmp_path / "in", [[flow()]])
    assert run(spec, batch, output, *SLICE).exit_code == 0
    later = ("--slice-start", "2025-03-01T10:15:00Z", "--slice-end", "2025-03-01T10:30:00Z")

    message = refused(run(spec, batch, output, *later))

    span = "2025-03-01T10:00:00Z to 2025-03-01T10:15:00Z"
    assert f"run {only(output).facts.run_id}" in message
    assert span in message
    assert run(spec, batch, output).exit_code == 0  # without bounds it covers all


def test_files_that_another_mini_batch_counted_count_again_only_when_asked_to(
    tmp_path: Path,
) -> None:
    spec, output = spec_file(tmp_path), tmp_path / "out"
    batch = write_batch(tmp_path / "in", [[flow()], [flow(source_bytes=3)]])
    assert run(spec, batch, output, "--mini-batch-id", "first").exit_code == 0
    before = snapshot(output)

    message = refused(run(spec, batch, output, "--mini-batch-id", "second"))

    assert f"input {batch}/part-000.json.gz (and 1 more files)" in message.replace("'", "")
    assert "mini-batch first of job delta_builder holds the same bytes already" in message
    assert "--count-again if they are other sessions" in message
    assert snapshot(output) == before
    again = ("--mini-batch-id", "second", "--count-again")
    assert run(spec, batch, output, *again).exit_code == 0
    assert sessions(output) == 4


def test_the_bounds_are_told_by_the_names_of_files(tmp_path: Path) -> None:
    folder = tmp_path / "logs" / "2025-03-01"
    folder.mkdir(parents=True)
    (folder / "conn.10:00:00-11:00:00.log").write_text(json.dumps(zeek()) + "\n")
    (folder / "conn.11:00:00-12:00:00.log").write_text(json.dumps(zeek(ts=1740826800.5)) + "\n")
    spec = spec_file(tmp_path, input={"preset": "zeek"})

    done = run(spec, folder, tmp_path / "out", "--span-from-name", "zeek", "--json").json()

    assert done["bounds"] == {"start": "2025-03-01T10:00:00Z", "end": "2025-03-01T12:00:00Z"}
    assert done["report"]["kept"] == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--span-from-name", "zeek"], "part-000.json.gz does not fit the pattern"),
        (["--span-from-name", "zeek", *SLICE], "leave out --slice-start and --slice-end"),
        (["--span-from-name", "[x"], "'[x' is neither a preset (zeek, vpcflow) nor a regular"),
        (["--span-from-name", "(?P<Y>.)"], "has no group H, d, m"),
    ],
)
def test_names_that_tell_no_bounds_are_wrong_usage(
    tmp_path: Path, options: list[str], message: str
) -> None:
    batch = write_batch(tmp_path / "in", [[flow()]])
    assert message in refused(run(spec_file(tmp_path), batch, tmp_path / "out", *options))
    assert not (tmp_path / "out" / "_manifests").exists()


OTHER_MEANINGS: list[tuple[str, dict[str, Any]]] = [
    ("delta.short_session_seconds", {"delta": {"measures": MEASURES, "short_session_seconds": 9}}),
    ("delta.measures", {"delta": {"measures": ["sessions_cnt"]}}),
    ("enrichment.port_sets", {"enrichment": {"port_sets": {"vnc": ["5900-5910"]}}}),
]


@pytest.mark.parametrize(("key", "parts"), OTHER_MEANINGS, ids=[key for key, _ in OTHER_MEANINGS])
def test_a_job_that_means_something_else_by_a_column_is_refused_and_told_the_key(
    tmp_path: Path, key: str, parts: dict[str, Any]
) -> None:
    output = tmp_path / "out"
    one = write_batch(tmp_path / "one", [[flow()]])
    two = write_batch(tmp_path / "two", [[flow(source_bytes=2)]])
    assert run(spec_file(tmp_path), one, output).exit_code == 0
    before = snapshot(output)
    other = {"job_name": "other", **parts}

    message = refused(run(spec_file(tmp_path, "b.json", **other), two, output))

    assert message.startswith(f"ndr: {key}")
    assert "in what job delta_builder published under feature_spec_version v1" in message
    assert snapshot(output) == before
    newer = spec_file(tmp_path, "c.json", feature_spec_version="v2", **other)
    assert run(newer, two, output).exit_code == 0


def test_a_job_of_another_project_is_refused_whatever_its_version(tmp_path: Path) -> None:
    output = tmp_path / "out"
    assert run(spec_file(tmp_path), write_batch(tmp_path / "a", [[flow()]]), output).exit_code == 0
    two = write_batch(tmp_path / "b", [[flow(source_bytes=2)]])

    for version in ("v1", "v2"):
        spec = spec_file(tmp_path, "b.json", project_name="other", feature_spec_version=version)
        assert refused(run(spec, two, output)) == (
            "ndr: project_name: the output belongs to project test, and the JobSpec says other; "
            "give each project an output of its own"
        )
    assert only(output).facts.project_name == "test"
