"""What a user does with the `ndr` command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from ndr_adapters.local.spec_file import JobSpecFile
from ndr_adapters.outputs import open_output
from ndr_adapters.polars.published import read_deltas, read_pairs
from ndr_adapters.synthetic.batch import SyntheticBatch
from tests.e2e.cli import SLICE, ndr, rows, run, snapshot, write_spec
from tests.makers import flow, write_batch
from tests.soak import only_in_soak

EXAMPLES = Path(__file__).parents[2] / "examples"
ENGINES = ["reference", "polars", "spark", "spark-sql"]


def test_the_demo_gives_the_same_rows_on_every_engine(tmp_path: Path) -> None:
    made = {}
    for engine in ENGINES:
        output = tmp_path / engine
        answer = run(
            EXAMPLES / "paloalto.yaml", EXAMPLES / "minibatch", output, *SLICE, engine=engine
        )
        assert answer.exit_code == 0, answer.errors
        made[engine] = rows(output)
        for told in (
            "malformed_record",
            "negative_bytes",
            "outbound",
            "Busiest hosts",
            str(output),
        ):
            assert told in answer.output.replace("\n", "")
    assert made["polars"] == made["spark"] == made["spark-sql"] == made["reference"]
    assert len(made["polars"][0]) > 100


def test_all_engines_write_one_parquet_schema(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow.parquet")
    batch = write_batch(tmp_path / "in", [[flow()]])
    spec = write_spec(tmp_path / "job.json")
    schemas = {}
    for engine in ("polars", "spark", "spark-sql"):
        run(spec, batch, tmp_path / engine, *SLICE, engine=engine)
        for table in ("delta", "pair"):
            (path,) = (tmp_path / engine).glob(f"{table}/**/role=outbound/*.parquet")
            schema = pyarrow.read_schema(path)
            schemas[engine, table] = [(field.name, _logical(field.type)) for field in schema]
            assert pyarrow.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"
    for table in ("delta", "pair"):
        assert schemas["polars", table] == schemas["spark", table] == schemas["spark-sql", table]


def _logical(arrow_type: object) -> str:
    """Arrow's name of a type, without the engines' own names for what lists hold, or string sizes."""
    text = (
        str(arrow_type)
        .replace("large_", "")
        .replace(" not null", "")
        .replace("string_view", "string")
    )
    return text.replace("item:", "element:")


@pytest.mark.parametrize("engine", ENGINES)
def test_folders_may_have_any_name(engine: str, tmp_path: Path) -> None:
    batch = write_batch(tmp_path / "in [x]{1,2}* 100% a=b?é", [[flow()]])
    output = tmp_path / "out [x]{1,2}* 100% a=b?é"
    answer = run(write_spec(tmp_path / "job.json"), batch, output, *SLICE, engine=engine)
    assert answer.exit_code == 0, answer.errors
    assert {row["sessions_cnt"] for row in rows(output)[0]} == {1}


def test_machines_get_json_and_nothing_else(tmp_path: Path) -> None:
    whole = flow(source_packets=3, destination_packets=2)
    batch = write_batch(tmp_path / "in", [[whole, "bad"]])
    spec = write_spec(tmp_path / "job.json")
    answer = run(spec, batch, tmp_path / "out", "--json", "--run-id", "r7", "--mini-batch-id", "m7")
    done = answer.json()
    assert answer.errors == ""
    assert (done["run_id"], done["mini_batch_id"], done["project_name"]) == ("r7", "m7", "test")
    assert done["rows"]["delta"] == {"inbound": 1, "outbound": 1}
    assert done["report"]["rejected"]["malformed_record"] == 1
    assert all((tmp_path / "out" / path).is_file() for path in done["files"])


def test_quiet_is_quiet(tmp_path: Path) -> None:
    batch = write_batch(tmp_path / "in", [[flow()]])
    answer = run(write_spec(tmp_path / "job.json"), batch, tmp_path / "out", "--quiet")
    assert (answer.exit_code, answer.output, answer.errors) == (0, "", "")


def test_inspect_shows_slices_roles_hosts_and_quality(tmp_path: Path) -> None:
    late = flow(event_start="2025-03-01T11:20:00Z", event_end=None)
    batch = write_batch(tmp_path / "in", [[flow(), flow(), late, "bad"]])
    run(write_spec(tmp_path / "job.json"), batch, tmp_path / "out")
    found = ndr("inspect", tmp_path / "out", "--json").json()
    slices = [
        (row["dt"], row["hh"], row["mm"], row["role"], row["hosts"], row["sessions_cnt"])
        for row in found["slices"]
    ]
    assert slices == [
        ("2025-03-01", "10", "00", "inbound", 1, 2),
        ("2025-03-01", "10", "00", "outbound", 1, 2),
        ("2025-03-01", "11", "15", "inbound", 1, 1),
        ("2025-03-01", "11", "15", "outbound", 1, 1),
    ]
    assert [(row["role"], row["sessions_cnt"]) for row in found["roles"]] == [
        ("inbound", 3),
        ("outbound", 3),
    ]
    assert found["busiest_hosts"][0]["host_ip"] == "10.0.0.1"
    assert found["quality"][0]["rejected malformed_record"] == 1
    shown = ndr("inspect", tmp_path / "out", "--slices")
    assert shown.exit_code == 0
    assert "11:15" in shown.output


def test_late_early_and_missed_records_are_shown_and_in_the_json(tmp_path: Path) -> None:
    times = ("2025-03-01T09:59:59Z", "2025-03-01T10:15:00Z", "2025-02-01T10:00:00Z")
    outside = [flow(event_start=time, event_end=None) for time in times]
    batch = write_batch(tmp_path / "in", [[flow(), *outside]])
    spec, output = write_spec(tmp_path / "job.json"), tmp_path / "out"

    shown = run(spec, batch, output, *SLICE).output
    found = run(spec, batch, output, *SLICE, "--json").json()["report"]
    (looked_at,) = ndr("inspect", output, "--json").json()["quality"]

    assert (found["late"], found["early"], found["kept"]) == (1, 1, 3)
    assert found["rejected_by_detail"] == {"out_of_slice: too_late": 1}
    for told in ("kept, late", "kept, early", "out_of_slice: too_late"):
        assert told in shown
    assert looked_at["kept, late"] == looked_at["kept, early"] == 1
    assert looked_at["rejected out_of_slice: too_late"] == 1


def test_a_bound_within_a_slice_is_wrong_usage(tmp_path: Path) -> None:
    batch = write_batch(tmp_path / "in", [[flow()]])
    bounds = ("--slice-start", "2025-03-01T10:00:00Z", "--slice-end", "2025-03-01T10:10:00Z")

    answer = run(write_spec(tmp_path / "job.json"), batch, tmp_path / "out", *bounds)

    assert answer.exit_code == 2
    assert "slice-end: 2025-03-01T10:10:00Z is no border of slices" in answer.errors
    assert not (tmp_path / "out").exists()


def test_inspect_of_a_folder_that_is_no_output_is_wrong_usage(tmp_path: Path) -> None:
    answer = ndr("inspect", tmp_path)
    assert (answer.exit_code, answer.errors) == (2, f"ndr: {tmp_path}: holds no published run\n")


def test_versions_of_a_spec_with_different_measures_can_be_read_together(tmp_path: Path) -> None:
    batch = write_batch(tmp_path / "in", [[flow()]])
    later = write_batch(tmp_path / "later", [[flow(event_start="2025-03-01T12:00:00Z")]])
    run(write_spec(tmp_path / "a.json"), batch, tmp_path / "out")
    few = write_spec(
        tmp_path / "b.json", feature_spec_version="v2", delta={"measures": ["allow_cnt"]}
    )
    assert run(few, later, tmp_path / "out").exit_code == 0
    frame = read_deltas(open_output(tmp_path / "out")).collect()
    assert frame.height == 4
    assert frame["allow_cnt"].null_count() == 0
    assert frame["bytes_sent_p50"].null_count() == 2
    assert read_pairs(open_output(tmp_path / "out")).collect().height == 4
    assert ndr("inspect", tmp_path / "out").exit_code == 0


def test_a_spec_written_by_init_passes_the_check(tmp_path: Path) -> None:
    for preset in ("paloalto", "zeek", "vpcflow"):
        path = tmp_path / f"{preset}.yaml"
        assert ndr("spec", "init", "--preset", preset, "--output", path).exit_code == 0
        checked = ndr("spec", "check", path)
        assert checked.exit_code == 0
        assert checked.errors == f"{path}: valid\n"
        normalised = tmp_path / "normalised.yaml"
        normalised.write_text(checked.output)
        assert JobSpecFile(normalised).load() == JobSpecFile(path).load()
    assert ndr("spec", "init", "--preset", "zeek", "--output", path).exit_code == 2


def test_the_schema_names_every_column(tmp_path: Path) -> None:
    tables = ndr("schema", "--json").json()
    assert {row["field"] for row in tables["Flow record"]} >= {"source_ip", "event_start"}
    columns = {row["column"] for row in tables["Delta table"]}
    assert {"web_sessions_cnt", "peer_ip_entropy", "bytes_sent_hist", "dt"} <= columns
    spec = write_spec(tmp_path / "job.json", enrichment={"port_sets": {"vnc": ["5900-5910"]}})
    own = ndr("schema", "--spec", spec, "--json").json()
    assert "vnc_sessions_cnt" in {row["column"] for row in own["Delta table"]}
    assert "event_ts" in ndr("schema").output


def test_the_same_seed_generates_the_same_bytes(tmp_path: Path) -> None:
    def generate(name: str, *more: object) -> dict[str, bytes]:
        folder = tmp_path / name
        made = ndr("generate", "--records", 3000, "--output", folder, "--bad-fraction", 0.1, *more)
        assert made.exit_code == 0, made.errors
        return snapshot(folder)

    assert generate("a") == generate("b") != generate("c", "--seed", 1)
    assert len(generate("d", "--files", 3)) == 3


def test_batches_of_one_network_have_their_peers_in_common() -> None:
    def peers(batch: SyntheticBatch) -> set[str]:
        return {json.loads(line)["destination_ip"] for line in batch.lines()}

    of_a_network = [peers(SyntheticBatch(2000, seed, peers=50, network=7)) for seed in (1, 2)]
    others = [peers(SyntheticBatch(2000, seed, peers=50)) for seed in (1, 2)]

    assert of_a_network[0] == of_a_network[1]
    assert others[0] != others[1]


def test_generated_batches_hold_bad_records_of_every_kind(tmp_path: Path) -> None:
    ndr("generate", "--records", 2000, "--output", tmp_path / "in", "--bad-fraction", 0.2)
    keys = ["source_ip", "source_port", "event_start", "event_end"]
    spec = write_spec(tmp_path / "job.json", quality={"deduplicate_on": keys})
    report = run(spec, tmp_path / "in", tmp_path / "out", *SLICE, "--json").json()["report"]
    assert report["read"] == 2000
    rejected, repaired = report["rejected"], report["repaired"]
    # A firewall does not tell the bytes of IP packets, which bound the others.
    assert repaired.pop("implausible_bytes") == 0
    assert all(rejected.values())
    assert all(repaired.values())
    assert 0.15 < (sum(rejected.values()) + sum(repaired.values())) / 2000 < 0.25


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--bad-fraction", "1.5", "bad-fraction: 1.5 does not lie between 0 and 1"),
        ("--files", "0", "files: 0 is below 1"),
        ("--hosts", "0", "hosts: 0 is below 1"),
        ("--slice-start", "noon", "slice-start: 'noon' is no ISO-8601 time"),
    ],
)
def test_what_can_not_be_generated_is_wrong_usage(
    option: str, value: str, message: str, tmp_path: Path
) -> None:
    answer = ndr("generate", "--records", 1, "--output", tmp_path / "x", option, value)
    assert answer.exit_code == 2
    assert message in answer.errors


@only_in_soak
def test_the_real_zeek_day_gives_the_same_rows_on_all_engines(
    zeek_day: Path, tmp_path: Path
) -> None:
    spec = write_spec(tmp_path / "job.json", input={"preset": "zeek"})
    for engine in ("polars", "spark", "spark-sql"):
        done = run(spec, zeek_day, tmp_path / engine, "--json", engine=engine).json()
        assert done["report"]["read"] == done["report"]["kept"] == 31_367
    assert rows(tmp_path / "polars") == rows(tmp_path / "spark") == rows(tmp_path / "spark-sql")
    found = ndr("inspect", tmp_path / "polars", "--json").json()["slices"]
    assert len({(row["hh"], row["mm"]) for row in found if row["dt"] == "2024-04-19"}) == 96
    # Two of this day's connections ended in the last minute of the day before.
    before = [row for row in found if row["dt"] != "2024-04-19"]
    assert [row["role"] for row in before] == ["inbound", "outbound"]
    for row in before:
        assert (row["dt"], row["hh"], row["mm"]) == ("2024-04-18", "23", "45")
        assert row["sessions_cnt"] == 2


def test_a_run_outside_a_terminal_logs_plain_lines(tmp_path: Path) -> None:
    batch = write_batch(tmp_path / "in", [[flow()]])
    spec = write_spec(tmp_path / "job.json")
    command = [sys.executable, "-m", "ndr_entrypoints.cli"]
    done = subprocess.run(
        [*command, "run", "--spec", spec, "--input", batch, "--output", tmp_path / "out"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "building deltas: read 1, kept 1, rows 4 in" in done.stderr
    assert "\x1b" not in done.stderr + done.stdout
    wrong = subprocess.run([*command, "run"], capture_output=True, text=True, check=False)
    assert (wrong.returncode, "Missing option" in wrong.stderr) == (2, True)


def test_help_and_the_core_load_no_engine() -> None:
    code = (
        "import sys, ndr_core, ndr_entrypoints.cli\n"
        "ndr_entrypoints.cli.main(['--help'], standalone_mode=False)\n"
        "heavy = {'polars', 'pyspark', 'py4j', 'rich', 'yaml', 'boto3'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_library_is_typed() -> None:
    import ndr_core
    from ndr_adapters.polars.engine import PolarsEngine

    assert PolarsEngine().name == "polars"
    for package in ("ndr_core", "ndr_adapters", "ndr_entrypoints"):
        assert (Path(ndr_core.__file__).parents[1] / package / "py.typed").is_file()
    assert isinstance(read_pairs(open_output(Path("nowhere"))), pl.LazyFrame)
