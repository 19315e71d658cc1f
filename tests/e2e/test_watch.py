"""`ndr watch`: what lands becomes what `ndr run` makes of the same files, each record once."""

from __future__ import annotations

import gzip
import os
import shutil
import time
from pathlib import Path

import pytest

from tests.e2e.cli import ndr, rows, run, write_spec
from tests.e2e.landing import (
    LATER,
    at,
    lines_of,
    manifests,
    run_again,
    sessions,
    spans,
    watch,
    watched,
    write,
)
from tests.makers import flow
from tests.soak import only_in_soak

WITHOUT_SPARK = True

ZEEK = {"preset": "zeek", "format": "delimited", "header": "zeek"}
HOURS = 5
"""Of the made-up day, from its middle on."""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return write_spec(tmp_path / "job.json")


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    folder = tmp_path / "landing"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def hours(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Some hourly files of a made-up day of Zeek."""
    network = tmp_path_factory.mktemp("day") / "network"
    made = ndr(
        *("generate", "--scenario", "--preset", "zeek", "--days", 2, "--hosts", 50),
        *("--output", network, "--quiet"),
    )
    assert made.exit_code == 0, made.errors
    day = max((network / "logs").iterdir())
    files = sorted(day.iterdir())
    assert len(files) == 24
    return files[9 : 9 + HOURS]


def by_files(output: Path) -> list[tuple[str, str]]:
    """The content of each file of a table, by its folder."""
    found = {
        (file.path.rpartition("/")[0], file.sha256)
        for one in manifests(output)
        for file in one.files
        if file.table in ("delta", "pair")
    }
    return sorted(found)


def test_a_day_hour_by_hour_is_what_runs_of_the_same_hours_are(
    hours: list[Path], landing: Path, tmp_path: Path
) -> None:
    spec, output = write_spec(tmp_path / "job.json", input=ZEEK), tmp_path / "out"
    built = []
    for file in hours:
        shutil.copy(file, landing)
        built += watched(landing, spec, output)

    files = dict(zip(built, sorted(landing.iterdir()), strict=True))
    run_again(output, files, spec, tmp_path / "runs")

    assert rows(output) == rows(tmp_path / "runs")
    assert by_files(output) == by_files(tmp_path / "runs")
    assert ndr("verify", output).exit_code == 0
    first, *others = spans(output).values()
    assert first is None
    starts, ends = zip(*(one for one in others if one is not None), strict=True)
    assert starts[1:] == ends[:-1]  # no slice is left out


def test_names_tell_the_spans_of_files_that_land_in_the_folder_of_their_day(
    hours: list[Path], landing: Path, tmp_path: Path
) -> None:
    spec, output = write_spec(tmp_path / "job.json", input=ZEEK), tmp_path / "out"
    day = landing / hours[0].parent.name
    day.mkdir()
    built = []
    for file in hours:
        shutil.copy(file, day)
        built += watched(landing, spec, output, "--span-from-name", "zeek")
    pattern = ("--span-from-name", "zeek", "--mini-batch-id", "whole")
    assert run(spec, day, tmp_path / "run", *pattern).exit_code == 0

    assert built[0] == day.name
    assert len(set(built)) == HOURS
    assert all(name.startswith(f"{day.name}.") for name in built[1:])
    assert list(spans(output).values()) == [
        (f"{hour:02}:00", f"{hour + 1:02}:00") for hour in range(9, 9 + HOURS)
    ]
    assert rows(output) == rows(tmp_path / "run")


def test_a_mini_batch_is_for_the_time_from_the_end_of_the_last_one_to_its_greatest_moment(
    landing: Path, spec: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    write(landing / "a", at(3), at(20))
    watched(landing, spec, output)
    write(landing / "b", at(29), at(65))
    watched(landing, spec, output)
    write(landing / "late", at(4), at(50))

    watched(landing, spec, output)

    assert spans(output) == {"a": None, "b": ("10:30", "11:15"), "late": ("11:00", "11:15")}
    reports = {one.facts.mini_batch_id: one.facts.report for one in manifests(output)}
    assert [report.late for report in reports.values() if report is not None] == [0, 1, 2]
    assert sessions(output) == 6


def test_a_record_with_a_wrong_clock_does_not_move_the_span(
    landing: Path, spec: Path, tmp_path: Path
) -> None:
    output, written = tmp_path / "out", 1740828900  # 11:35
    write(landing / "a", at(3), moment=written)
    watched(landing, spec, output)
    wrong = flow(event_start="2035-01-01T00:00:00Z", event_end="2035-01-01T00:00:00Z")
    write(landing / "b", at(29), at(65), wrong, moment=written)

    watched(landing, spec, output)

    assert spans(output)["b"] == ("10:15", "11:45")


def test_a_file_that_has_grown_counts_once(landing: Path, spec: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    file = write(landing / "conn.json.gz", at(3), at(4))
    watched(landing, spec, output)
    with file.open("ab") as stream:
        stream.write(gzip.compress(b"".join(lines_of(at(5), at(6)))))

    again = watched(landing, spec, output)

    assert again == ["conn.json.gz"]
    assert sessions(output) == 4
    assert watched(landing, spec, output) == []


@pytest.mark.parametrize("how", ["renamed", "copied and truncated", "removed"])
def test_a_file_that_was_rotated_loses_nothing_and_counts_nothing_twice(
    how: str, landing: Path, spec: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    file = write(landing / "conn.log", at(3), at(4))
    watched(landing, spec, output)
    rotated = landing / "conn.log.1"
    match how:
        case "renamed":
            file.rename(rotated)
        case "copied and truncated":
            shutil.copy(file, rotated)
        case "removed":
            file.unlink()
    write(file, at(5), at(6), at(7))

    (name,) = watched(landing, spec, output)

    assert name.startswith("conn.log.")
    assert sessions(output) == 5
    assert watched(landing, spec, output) == []


def test_a_file_waits_until_it_lies_still(landing: Path, spec: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    write(landing / "a", at(3))

    first = watch(landing, spec, output, "--settle", "60s", "--json").json()
    os.utime(landing / "a", (time.time() - 61,) * 2)
    second = watch(landing, spec, output, "--settle", "60s", "--json").json()

    assert (first["built"], first["growing"]) == ([], 1)
    assert (second["built"], second["growing"]) == (["a"], 0)


def test_a_file_that_is_renamed_into_the_folder_is_taken_at_once(
    landing: Path, spec: Path, tmp_path: Path
) -> None:
    outside = write(tmp_path / "outside", at(3))
    folder = tmp_path / "folder"
    write(folder / "x", at(4))
    time.sleep(0.05)  # a file system tells times that are so far apart
    outside.rename(landing / "a")
    folder.rename(landing / "b")

    assert sorted(watched(landing, spec, tmp_path / "out", "--settle", "1h")) == ["a", "b"]


def test_what_can_not_be_built_is_named_and_stops_no_other(
    landing: Path, spec: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    output = tmp_path / "out"
    whole = write(landing / "a", at(3), *(at(4, source_port=port) for port in range(500)))
    content = whole.read_bytes()
    whole.write_bytes(content[: len(content) // 2])
    write(landing / "b", at(5))
    (landing / "c").symlink_to(landing / "nowhere")

    failed = watch(landing, spec, output)
    whole.write_bytes(content)
    (landing / "c").unlink()
    mended = watched(landing, spec, output)

    assert failed.exit_code == 1
    assert f"a: not built: {landing}/a: can't be read to its end" in caplog.text
    assert f"c: not built: {landing}/c: is a link to nothing" in caplog.text
    assert failed.errors.splitlines()[-1] == "ndr: not built: c, a; all else is"
    assert mended == ["a"]
    assert sessions(output) == 502


def test_hidden_and_unfinished_files_are_no_mini_batches(landing: Path, tmp_path: Path) -> None:
    spec = write_spec(tmp_path / "job.json", input={"preset": "paloalto", "files": ["conn*"]})
    for name in (".conn", "conn.tmp", "conn.json.part", "_SUCCESS", "hour/_SUCCESS", "dns.json"):
        write(landing / name, at(3))
    write(landing / "hour" / "conn.json", at(4))

    assert watched(landing, spec, tmp_path / "out") == ["hour"]
    assert sessions(tmp_path / "out") == 1


def test_a_copy_of_a_file_is_told_and_left(
    landing: Path, spec: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copy(write(landing / "a", at(3), moment=LATER), landing / "b")

    answer = watch(landing, spec, tmp_path / "out")

    assert answer.exit_code == 0
    assert "b: mini-batch a counts its content; left" in caplog.text
    assert sessions(tmp_path / "out") == 1


def test_days_that_are_over_are_compacted(landing: Path, tmp_path: Path) -> None:
    spec = write_spec(tmp_path / "job.json", quality={"allowed_lateness": "1h"})
    output = tmp_path / "out"
    for number, day in enumerate((1, 1, 2, 2)):
        moment = f"2025-03-0{day}T{10 + number}:00:00Z"
        write(
            landing / f"f{number}",
            flow(event_start=moment, event_end=moment),
            moment=LATER + number,
        )
    watched(landing, spec, output)
    before = rows(output)

    again = watched(landing, spec, output)

    assert [one.day for one in manifests(output)] == ["", "", "2025-03-01"]
    assert again == []
    assert rows(output) == before
    assert len(before[0]) == 8


@pytest.mark.parametrize(
    "more",
    [(), ("--span-from-name", r"(?P<Y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)T(?P<H>\d\d)(?P<M>\d\d)")],
    ids=["spans follow each other", "names tell the spans"],
)
def test_files_whose_slices_were_pruned_are_left_as_they_are(
    more: tuple[str, ...], landing: Path, spec: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    for day in (1, 2, 3):
        moment = f"2025-03-0{day}T10:00:00Z"
        path = landing / f"2025-03-0{day}T1000.json.gz"
        write(path, flow(event_start=moment, event_end=moment), moment=LATER + day)
        watched(landing, spec, output, *more)
    assert ndr("prune", output, "--before", "2025-03-03T00:00:00Z").exit_code == 0

    again = watched(landing, spec, output, *more)
    (landing / "2025-03-01T1000.json.gz").unlink()
    moment = "2025-03-04T10:00:00Z"
    path = landing / "2025-03-04T1000.json.gz"
    write(path, flow(event_start=moment, event_end=moment), moment=LATER + 9)
    later = watched(landing, spec, output, *more)

    assert again == []
    assert later == [path.name]
    assert sessions(output) == 2
    assert watched(landing, spec, output, *more) == []


def test_compaction_can_be_left_out(landing: Path, tmp_path: Path) -> None:
    spec = write_spec(tmp_path / "job.json", quality={"allowed_lateness": "1h"})
    for day in (1, 3):
        moment = f"2025-03-0{day}T10:00:00Z"
        write(landing / f"f{day}", flow(event_start=moment, event_end=moment), moment=LATER + day)

    watched(landing, spec, tmp_path / "out", "--no-compact")

    assert [one.day for one in manifests(tmp_path / "out")] == ["", ""]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--settle", "soon"), "settle: 'soon' is no duration"),
        (("--every", "1"), "every: '1' is no duration"),
        (("--span-from-name", "["), "span-from-name: "),
    ],
)
def test_wrong_options_are_refused(
    options: tuple[str, ...], message: str, landing: Path, spec: Path, tmp_path: Path
) -> None:
    answer = watch(landing, spec, tmp_path / "out", *options)

    assert answer.exit_code == 2
    assert answer.errors.startswith(f"ndr: {message}")


def test_places_that_it_can_not_watch_are_refused(
    landing: Path, spec: Path, tmp_path: Path
) -> None:
    missing = ndr("watch", tmp_path / "no", "--spec", spec, "-o", tmp_path / "out", "--once")
    within = ndr("watch", landing, "--spec", spec, "-o", landing / "out", "--once")
    away = ndr("watch", landing, "--spec", spec, "-o", "s3://bucket/out", "--once")

    assert [one.exit_code for one in (missing, within, away)] == [2, 2, 2]
    assert f"landing {tmp_path}/no: no such folder" in missing.errors
    assert "one lies in the other" in within.errors
    assert "works between folders of one machine" in away.errors


def test_a_wrong_job_spec_is_refused_before_anything_is_made(landing: Path, tmp_path: Path) -> None:
    write(landing / "a", at(3))
    spec = write_spec(tmp_path / "job.json", roles=[])

    assert watch(landing, spec, tmp_path / "out").exit_code == 2
    assert not (tmp_path / "out").exists()


def test_the_output_of_another_project_is_refused_at_once(
    landing: Path, spec: Path, tmp_path: Path
) -> None:
    write(landing / "a", at(3))
    watched(landing, spec, tmp_path / "out")
    other = write_spec(tmp_path / "other.json", project_name="other")

    answer = watch(landing, other, tmp_path / "out")

    assert answer.exit_code == 2
    assert "the output belongs to project test" in answer.errors


@only_in_soak
def test_a_real_day_hour_by_hour_is_what_one_run_of_it_is(
    zeek_day: Path, landing: Path, tmp_path: Path
) -> None:
    spec, output = write_spec(tmp_path / "job.json", input={"preset": "zeek"}), tmp_path / "out"
    hours = sorted(zeek_day.glob("conn-*.gz"))
    assert len(hours) == 24
    for number, file in enumerate(hours):
        shutil.copy(file, landing / file.name)
        os.utime(landing / file.name, (1713600000 + number,) * 2)
        if number % 6 == 5:
            watched(landing, spec, output)
    assert run(spec, zeek_day, tmp_path / "whole").exit_code == 0

    assert rows(output) == rows(tmp_path / "whole")
