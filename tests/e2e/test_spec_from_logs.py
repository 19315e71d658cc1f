"""`ndr spec init --from LOGS` writes a JobSpec for the logs that it finds."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ndr_adapters.local.spec_file import JobSpecFile
from ndr_core.deltas.spec import JobSpec
from ndr_core.flows.formats import FileFormat
from ndr_core.flows.presets.registry import PRESETS
from tests.e2e.cli import ndr, rows, run

FIXTURES = Path(__file__).parents[1] / "fixtures"


def spec_from(logs: Path, folder: Path) -> tuple[JobSpec, str]:
    """The JobSpec that is written for logs, and what is said of them."""
    file = folder / "job.yaml"
    answer = ndr("spec", "init", "--from", logs, "--output", file)
    assert answer.exit_code == 0, answer.errors
    assert ndr("spec", "check", file).exit_code == 0
    return JobSpecFile(file).load(), answer.errors


def skeleton_from(logs: Path, folder: Path) -> str:
    """Write a JobSpec to complete for logs; what is said of them."""
    answer = ndr("spec", "init", "--from", logs, "--output", folder / "job.yaml")
    assert answer.exit_code == 0, answer.errors
    return answer.errors


@pytest.mark.parametrize(
    ("logs", "counts"),
    [
        ("zeek/conn.log", (8, 8, 0)),
        ("zeek/conn.json", (8, 8, 0)),
        ("zeek/conn.iso.json", (2, 2, 0)),
        ("zeek/conn.nested.json", (2, 2, 0)),
        ("vpcflow/flow.json", (5, 3, 0)),
        ("vpcflow/athena.json", (2, 1, 0)),
        ("vpcflow/default.log", (7, 5, 0)),
        ("vpcflow/custom.log", (3, 2, 0)),
        ("paloalto/panos.json", (6, 4, 1)),
        ("paloalto/strata.json", (3, 2, 0)),
        ("paloalto/canonical.json", (2, 2, 0)),
        ("fortigate/traffic.json", (8, 5, 2)),
        ("ocsf/firewall.json", (4, 2, 1)),
        ("ocsf/security_lake.json", (2, 2, 0)),
        ("suricata/eve.json", (9, 5, 3)),
        ("netflow/goflow2.json", (5, 4, 0)),
        ("netflow/nfdump.json", (6, 5, 0)),
        ("netflow/nfdump.csv", (4, 4, 0)),
        ("netflow/nfdump16.csv", (2, 2, 0)),
        ("gcp_vpc/entries.json", (6, 4, 1)),
    ],
)
def test_the_job_spec_that_is_written_for_logs_runs(
    logs: str, counts: tuple[int, int, int], tmp_path: Path
) -> None:
    preset = logs.partition("/")[0]
    spec, said = spec_from(FIXTURES / logs, tmp_path)

    done = run(tmp_path / "job.yaml", FIXTURES / logs, tmp_path / "out", "--json").json()

    assert spec.input.preset == preset
    assert f"1 file of {PRESETS[preset].title}" in said
    assert f"(preset {preset}, form " in said
    report = done["report"]
    assert (report["read"], report["kept"], report["skipped"]) == counts


def test_text_with_a_header_is_read_as_such(tmp_path: Path) -> None:
    spec, said = spec_from(FIXTURES / "vpcflow" / "default.log", tmp_path)

    assert spec.input.format is FileFormat.DELIMITED
    assert spec.input.layout.separator == " "
    assert "form text" in said


@pytest.mark.parametrize("before", ["", "2024-04-19T10:00:00.000Z "])
def test_flow_logs_of_a_vpc_without_a_header_lose_no_record(before: str, tmp_path: Path) -> None:
    _, *lines = (FIXTURES / "vpcflow" / "default.log").read_text().splitlines()
    logs = tmp_path / "flows.log"
    logs.write_text("".join(f"{before}{line}\n" for line in lines))
    spec_from(logs, tmp_path)

    report = run(tmp_path / "job.yaml", logs, tmp_path / "out", "--json").json()["report"]

    assert (report["read"], report["kept"]) == (7, 5)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("date=2024-04-19 time=10:00:10 srcip=10.0.0.5 dstip=203.0.113.5", "texts of KEY=VALUE"),
        ("Apr 19 10:00:12 fw 1,2024/04/19 10:00:12,0018,TRAFFIC,end", "values parted by commas"),
    ],
)
def test_the_first_record_is_never_taken_for_a_header(line: str, what: str, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(f"{line}\n" * 3)

    answer = ndr("spec", "init", "--from", tmp_path)

    assert answer.exit_code == 2
    assert what in answer.errors


def write_flows(file: Path) -> None:
    """Two directions of a flow, and a record without data, in the types that AWS documents."""
    small, large = pl.Int32(), pl.Int64()
    columns: dict[str, tuple[pl.DataType, list[Any]]] = {
        "version": (small, [5, 5, 5]),
        "account_id": (pl.String(), ["123456789010"] * 3),
        "interface_id": (pl.String(), ["eni-1", "eni-1", "eni-2"]),
        "srcaddr": (pl.String(), ["192.0.2.15", "198.51.100.7", "-"]),
        "dstaddr": (pl.String(), ["198.51.100.7", "192.0.2.15", "-"]),
        "srcport": (small, [49152, 443, None]),
        "dstport": (small, [443, 49152, None]),
        "protocol": (small, [6, 6, None]),
        "packets": (large, [20, 18, None]),
        "bytes": (large, [4249, 9100, None]),
        "start": (large, [1713484800] * 3),
        "end": (large, [1713484860] * 3),
        "action": (pl.String(), ["ACCEPT", "ACCEPT", "-"]),
        "log_status": (pl.String(), ["OK", "OK", "SKIPDATA"]),
        "tcp_flags": (small, [3, 19, None]),
    }
    pl.DataFrame(
        {name: pl.Series(values, dtype=dtype) for name, (dtype, values) in columns.items()}
    ).write_parquet(file, compression="gzip")


@pytest.mark.parametrize("engine", ["reference", "polars"])
def test_rows_of_parquet_are_looked_at_too(engine: str, tmp_path: Path) -> None:
    logs = tmp_path / "flows.parquet"
    write_flows(logs)

    spec, said = spec_from(logs, tmp_path)
    done = run(tmp_path / "job.yaml", logs, tmp_path / "out", "--json", engine=engine).json()

    assert spec.input.format is FileFormat.PARQUET
    assert "preset vpcflow, form parquet" in said
    report = done["report"]
    assert (report["read"], report["kept"], report["flows"]) == (3, 2, 1)
    assert report["rejected_by_detail"] == {"non_traffic: lost": 1}


def test_the_two_directions_of_a_flow_are_one_session(tmp_path: Path) -> None:
    logs = FIXTURES / "vpcflow" / "default.log"
    spec_from(logs, tmp_path)

    assert run(tmp_path / "job.yaml", logs, tmp_path / "out").exit_code == 0

    deltas, _ = rows(tmp_path / "out")
    host = [row for row in deltas if (row["host_ip"], row["role"]) == ("192.0.2.15", "outbound")]
    assert [
        (row["sessions_cnt"], row["bytes_sent_sum"], row["bytes_recv_sum"]) for row in host
    ] == [(1, 4249, 9100)]


def test_of_the_logs_of_a_sensor_only_connections_are_chosen(tmp_path: Path) -> None:
    day = tmp_path / "2024-04-19"
    day.mkdir()
    for log in ("conn", "dns", "http", "weird"):
        content = (FIXTURES / "zeek" / f"{log}.log").read_bytes()
        for hour in ("10:00:00-11:00:00", "11:00:00-12:00:00"):
            (day / f"{log}.{hour}.log.gz").write_bytes(gzip.compress(content))

    spec, said = spec_from(day, tmp_path)

    assert spec.input.files == ("conn.*", "conn-[0-9]*", "conn_[0-9]*")
    assert "2 files of Zeek conn.log with tabs, as Zeek writes by default" in said
    assert "6 files left out by their names" in said


@pytest.mark.parametrize("ending", ["log", "json"])
def test_a_folder_of_zeek_counts_each_connection_once(ending: str, tmp_path: Path) -> None:
    logs = tmp_path / "current"
    logs.mkdir()
    for log in ("conn", "dns", "http", "weird"):
        shutil.copy(FIXTURES / "zeek" / f"{log}.{ending}", logs / f"{log}.2024-04-19-00.log")
    spec_from(logs, tmp_path)

    report = run(tmp_path / "job.yaml", logs, tmp_path / "out", "--json").json()["report"]

    assert (report["read"], report["kept"]) == (8, 8)


def test_without_a_choice_of_files_the_other_logs_of_zeek_are_skipped(tmp_path: Path) -> None:
    logs = tmp_path / "current"
    logs.mkdir()
    for log in ("conn", "dns", "http", "weird"):
        shutil.copy(FIXTURES / "zeek" / f"{log}.json", logs / f"{log}.log")
    spec = tmp_path / "job.yaml"
    ndr("spec", "init", "--preset", "zeek", "--output", spec)

    report = run(spec, logs, tmp_path / "out", "--json").json()["report"]

    assert (report["read"], report["kept"], report["skipped"]) == (11, 8, 3)


def test_a_session_that_is_logged_as_it_grows_counts_once(tmp_path: Path) -> None:
    spec, _ = spec_from(FIXTURES / "fortigate" / "traffic.json", tmp_path)

    assert spec.quality.deduplicate_on == ("devid", "sessionid")


def test_for_unknown_logs_the_columns_are_listed_in_a_job_spec_to_complete(tmp_path: Path) -> None:
    logs = tmp_path / "mine.json"
    logs.write_text('{"client": "192.0.2.1", "took": {"ms": 5}}\n')

    said = skeleton_from(logs, tmp_path)

    assert "no known source; 2 columns were seen" in said
    text = (tmp_path / "job.yaml").read_text()
    assert "'client': \"192.0.2.1\"" in text
    assert '[took, ms]: "5"' in text
    assert "  source_ip: '?'" in text


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_job_spec_that_is_not_completed_is_not_valid(command: str, tmp_path: Path) -> None:
    logs = tmp_path / "mine.json"
    logs.write_text('{"client": "192.0.2.1"}\n')
    skeleton_from(logs, tmp_path)
    spec = tmp_path / "job.yaml"

    answer = ndr("spec", "check", spec) if command == "check" else run(spec, logs, tmp_path / "out")

    assert answer.exit_code == 2
    assert "input.fields.source_ip: replace '?' by the name of a column" in answer.errors
    assert "input.fields.event_start: replace '?' by the name of a column" in answer.errors


def test_a_job_spec_that_is_completed_by_columns_runs(tmp_path: Path) -> None:
    logs = tmp_path / "mine.csv"
    logs.write_text("src,dst,time,port\n192.0.2.1,198.51.100.1,2024-04-19T10:00:00Z,443\n")
    skeleton_from(logs, tmp_path)
    spec = tmp_path / "job.yaml"
    text = spec.read_text()
    for name, column in (("source_ip", "src"), ("destination_ip", "dst")):
        text = text.replace(f"  {name}: '?'", f"  {name}: {column}")
    text = text.replace("  # destination_port: '?'", "  destination_port: port")
    text = text.replace("event_start: {column: '?'", "event_start: {column: time")
    spec.write_text(text)

    report = run(spec, logs, tmp_path / "out", "--json").json()["report"]

    assert (report["read"], report["kept"]) == (1, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give either --preset, or --from with the address of logs"),
        (["--preset", "zeek", "--from", "x"], "give either --preset, or --from"),
        (["--from", "nowhere"], "input nowhere: no such file or folder"),
        (["--preset", "zeek", "--form", "tab"], "form: 'tab' is no form of zeek, known: json, tsv"),
    ],
)
def test_what_no_job_spec_can_be_written_for_is_wrong_usage(
    arguments: list[Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    answer = ndr("spec", "init", *arguments)

    assert answer.exit_code == 2
    assert message in answer.errors


def test_files_without_records_can_not_be_told(tmp_path: Path) -> None:
    (tmp_path / "empty.log").write_text("nothing here\n")

    answer = ndr("spec", "init", "--from", tmp_path)

    assert answer.exit_code == 2
    assert "empty.log: holds text, but no records with columns; what can be read" in answer.errors


def test_a_file_with_something_in_it_is_told_rather_than_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"")
    alone = ndr("spec", "init", "--from", tmp_path)
    (tmp_path / "b.log").write_text("Apr 19 10:00:12 fw kernel: a text\n")

    answer = ndr("spec", "init", "--from", tmp_path)

    assert "a.log: is empty; " in alone.errors
    assert "b.log: holds no records with columns. The input looks like lines of" in answer.errors


def test_of_parquet_without_rows_the_columns_are_seen(tmp_path: Path) -> None:
    logs = tmp_path / "flows.parquet"
    schema = {"client": pl.String(), "took": pl.Struct({"ms": pl.Int64(), "of": pl.String()})}
    pl.DataFrame(schema=schema).write_parquet(logs)

    said = skeleton_from(logs, tmp_path)

    assert "no known source; 3 columns were seen" in said


def test_of_files_that_need_another_step_first_it_is_said_which(tmp_path: Path) -> None:
    (tmp_path / "array.json").write_text('[{"srcaddr": "192.0.2.1"}]\n')

    answer = ndr("spec", "init", "--from", tmp_path)

    assert answer.exit_code == 2
    assert "looks like one JSON array: write its objects one a line" in answer.errors


def test_an_empty_folder_has_no_logs(tmp_path: Path) -> None:
    answer = ndr("spec", "init", "--from", tmp_path)

    assert answer.exit_code == 2
    assert "no files there" in answer.errors


@pytest.mark.parametrize("preset", list(PRESETS))
def test_a_form_of_a_preset_can_be_named_without_logs(preset: str, tmp_path: Path) -> None:
    for form in PRESETS[preset].forms:
        file = tmp_path / f"{form.name}.yaml"

        answer = ndr("spec", "init", "--preset", preset, "--form", form.name, "--output", file)

        assert answer.exit_code == 0, answer.errors
        assert ndr("spec", "check", file).exit_code == 0


def test_the_known_sources_are_listed_with_their_forms() -> None:
    found = ndr("spec", "presets", "--json").json()

    assert {(row["preset"], row["form"]) for row in found} == {
        (name, form.name) for name, preset in PRESETS.items() for form in preset.forms
    }
