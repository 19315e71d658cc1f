"""`ndr generate --scenario`: what it writes, what it refuses, and that the delta job takes it."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import polars as pl
import pytest

from tests.e2e.cli import ndr
from tests.scenario.logs import Written
from tests.soak import only_in_soak

WITHOUT_SPARK = True

SMALL = ("--scenario", "--hosts", 50, "--days", 2)
LAST_DAY = ("--slice-start", "2025-03-13T00:00:00Z", "--slice-end", "2025-03-14T00:00:00Z")


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_scenario_is_a_mini_batch_for_each_hour_with_a_job_spec_and_a_list(
    tmp_path: Path,
) -> None:
    made = ndr("generate", *SMALL, "--output", tmp_path / "out")

    assert made.exit_code == 0
    assert "records of 2 days and 50 hosts" in made.errors
    assert set(content(tmp_path / "out")) == {"job-spec.yaml", "scenario.json"} | {
        f"logs/dt=2025-03-{day}/hh={hour:02}/part-000.json.gz"
        for day in (12, 13)
        for hour in range(24)
    }


def test_a_record_lies_in_the_hour_in_which_its_session_ends(tmp_path: Path) -> None:
    written = Written.new(tmp_path / "out", days=2, hosts=50)

    for path in (written.folder / "logs").rglob("*.gz"):
        hour = f"{path.parts[-3].removeprefix('dt=')}T{path.parts[-2].removeprefix('hh=')}"
        ends = [
            json.loads(line)["event_end"]
            for line in gzip.decompress(path.read_bytes()).splitlines()
        ]
        assert {end[:13] for end in ends} == {hour}
        assert ends == sorted(ends)


def test_a_session_that_ends_on_the_next_day_is_logged_there(tmp_path: Path) -> None:
    written = Written.new(tmp_path / "out", days=3, hosts=400)

    later = written.sessions("2025-03-12").filter(pl.col("start").dt.day() == 11)

    assert later.height > 0


def test_the_same_seed_makes_the_same_bytes_and_another_one_others(tmp_path: Path) -> None:
    for name, seed in (("one", 3), ("two", 3), ("other", 4)):
        ndr("generate", *SMALL, "--seed", seed, "--output", tmp_path / name)

    one, two, other = (content(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two
    assert all(one[name] != other[name] for name in one if name != "job-spec.yaml")


def test_the_delta_job_takes_a_day_and_keeps_every_record(tmp_path: Path) -> None:
    ndr("generate", *SMALL, "--output", tmp_path / "out")
    day = tmp_path / "out" / "logs" / "dt=2025-03-13"
    lines = sum(len(gzip.decompress(path.read_bytes()).splitlines()) for path in day.rglob("*.gz"))

    run = ndr(
        *("run", "--spec", tmp_path / "out" / "job-spec.yaml", "--input", day, *LAST_DAY),
        *("--output", tmp_path / "deltas", "--engine", "polars", "--json"),
    )

    report = run.json()["report"]
    assert report["kept"] == report["read"] == lines
    assert (report["late"], report["early"]) == (0, 0)


def connections(path: Path, form: str) -> pl.DataFrame:
    """The connections of a file of Zeek: ends, amounts, and times in microseconds."""
    text = gzip.decompress(path.read_bytes()).decode()
    if form == "tsv":
        names = next(line for line in text.splitlines() if line.startswith("#fields")).split("\t")
        frame = pl.read_csv(
            io.StringIO(text),
            separator="\t",
            comment_prefix="#",
            has_header=False,
            new_columns=names[1:],
            null_values="-",
            infer_schema=False,
        )
    else:
        records = [json.loads(line) for line in text.splitlines()]
        records = [{f"id.{k}": v for k, v in r.get("id", {}).items()} | r for r in records]
        frame = pl.DataFrame(records, infer_schema_length=None)
    count = pl.Int64
    return frame.select(
        pl.col("id.orig_h").alias("source_ip"),
        pl.col("id.resp_h").alias("destination_ip"),
        pl.col("id.orig_p").cast(count).alias("source_port"),
        pl.col("id.resp_p").cast(count).alias("destination_port"),
        pl.col("orig_bytes").cast(count).alias("source_bytes"),
        pl.col("resp_bytes").cast(count).alias("destination_bytes"),
        (pl.col("ts").cast(pl.Float64) * 1e6).round().cast(count).alias("start"),
        (pl.col("duration").cast(pl.Float64) * 1e6).round().cast(count).alias("length"),
    )


@pytest.mark.parametrize(
    "form", ["tsv", *(pytest.param(form, marks=only_in_soak) for form in ("json", "nested"))]
)
def test_zeek_logs_tell_of_the_same_sessions_as_those_of_the_firewall(
    tmp_path: Path, form: str
) -> None:
    firewall = Written.new(tmp_path / "firewall", days=2, hosts=50)

    made = ndr("generate", *SMALL, "--preset", "zeek", "--form", form, "-o", tmp_path / "zeek")

    assert made.exit_code == 0
    listing = (tmp_path / "zeek" / "scenario.json").read_bytes()
    assert listing == (firewall.folder / "scenario.json").read_bytes()
    files = sorted((tmp_path / "zeek/logs/2025-03-13").iterdir())
    assert [file.name for file in files] == [
        f"conn.{hour:02}:00:00-{(hour + 1) % 24:02}:00:00.log.gz" for hour in range(24)
    ]
    sessions = firewall.last_day()
    zeek = pl.concat(connections(file, form) for file in files)
    start = pl.col("start").dt.epoch("us")
    length = pl.col("logged").dt.epoch("us") - start
    told = sessions.select(*zeek.columns[:-2], start=start, length=length)
    assert zeek.equals(told)


@pytest.mark.parametrize(
    "form", ["json", *(pytest.param(form, marks=only_in_soak) for form in ("tsv", "nested"))]
)
def test_the_job_spec_beside_zeek_logs_reads_them(tmp_path: Path, form: str) -> None:
    ndr("generate", *SMALL, "--preset", "zeek", "--form", form, "-o", tmp_path / "zeek")

    run = ndr(
        *("run", "--spec", tmp_path / "zeek" / "job-spec.yaml", "--input", tmp_path / "zeek/logs"),
        *("--dry-run", "--limit", 100, "--engine", "polars", "--json"),
    )

    report = run.json()["report"]
    assert (report["read"], report["kept"]) == (100, 100)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--scenario", "--hosts", 49), "hosts: 49"),
        (("--scenario", "--hosts", 20_001), "hosts: 20001"),
        (("--scenario", "--days", 1), "days: 1"),
        (("--scenario", "--days", 401), "days: 401"),
        (("--scenario", "--records", 5), "records"),
        (("--scenario", "--preset", "suricata"), "preset: a scenario"),
        (("--scenario", "--form", "panos"), "preset: a scenario"),
        (("--scenario", "--form", "tsv"), "form"),
        (("--scenario", "--bad-fraction", 0.5), "bad-fraction"),
        (("--scenario", "--slice-start", "2025-01-01T00:00:00Z"), "slice-start"),
        (("--records", 5, "--days", 3), "days"),
        ((), "records"),
    ],
)
def test_what_makes_no_scenario_is_wrong_usage(
    tmp_path: Path, options: tuple[object, ...], named: str
) -> None:
    answer = ndr("generate", *options, "--output", tmp_path / "out")

    assert answer.exit_code == 2
    assert answer.errors.startswith(f"ndr: {named}")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("here")

    answer = ndr("generate", *SMALL, "--output", tmp_path)

    assert answer.exit_code == 2
    assert "is not empty" in answer.errors
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
