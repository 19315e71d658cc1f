"""Input that somebody made to stop a run: it costs little, and what it holds is judged like any other."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from tests.e2e.cli import Answer, run, write_spec
from tests.e2e.cost import cost_of
from tests.makers import differences, flow, make_plan, write_batch
from tests.soak import only_in_soak
from tests.support import ENGINES as ALL_ENGINES
from tests.support import run_engine, run_reference

ENGINES = ["reference", "polars", "spark", "spark-sql"]


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def report(answer: Answer) -> dict[str, Any]:
    found: dict[str, Any] = answer.json()["report"]
    return found


def test_a_line_of_very_many_keys_is_a_line_like_others(tmp_path: Path, engine_name: str) -> None:
    wide = flow() | {f"unknown_{number}": number for number in range(5000)}
    batch = write_batch(tmp_path / "in", [[wide, flow(), wide]])

    answer = run(
        write_spec(tmp_path / "job.json"), batch, tmp_path / "out", "--json", engine=engine_name
    )

    assert report(answer)["kept"] == 3


def test_lines_that_have_no_key_in_common_are_read(tmp_path: Path, engine_name: str) -> None:
    lines = [flow() | {f"k{line}.{key}": 0 for key in range(60)} for line in range(300)]
    batch = write_batch(tmp_path / "in", [lines])

    answer = run(
        write_spec(tmp_path / "job.json"), batch, tmp_path / "out", "--json", engine=engine_name
    )

    assert report(answer)["kept"] == 300


def test_a_message_names_some_of_very_many_columns_only(tmp_path: Path) -> None:
    record = {f"{'long' * 50}{number}": 0 for number in range(3000)}
    batch = write_batch(tmp_path / "in", [[record]])

    answer = run(write_spec(tmp_path / "job.json"), batch, tmp_path / "out")

    assert answer.exit_code == 2
    assert "no record of the input has any of 'source_ip', 'src', 'SourceAddress'" in answer.errors
    assert len(answer.errors) < 5000


def test_an_integer_that_no_double_holds_is_no_time(tmp_path: Path, engine_name: str) -> None:
    start = {"column": "event_start", "format": "epoch_s"}
    spec = write_spec(
        tmp_path / "job.json", input={"preset": "paloalto", "fields": {"event_start": start}}
    )
    lines = [flow(event_start=value) for value in (1740823200, 1740823201, 10**309, -(10**400))]
    batch = write_batch(tmp_path / "in", [[json.dumps(line) for line in lines]])

    answer = run(spec, batch, tmp_path / "out", "--json", engine=engine_name)

    assert (report(answer)["kept"], report(answer)["rejected"]["bad_value"]) == (2, 2)


@pytest.mark.parametrize("engine", ["reference", "polars"])
@pytest.mark.parametrize("name", ["bomb.json.gz", "bomb.json.zst"])
def test_a_line_without_end_takes_little_memory_and_is_malformed(
    engine: str, name: str, tmp_path: Path
) -> None:
    spec = write_spec(tmp_path / "job.json")
    batch = write_batch(tmp_path / "in", [[flow()]])
    places = ("--spec", spec, "--input", batch, "--engine", engine)
    usual = cost_of("run", *places, "--output", tmp_path / "usual")
    packer = zlib.compressobj(6, wbits=31) if name.endswith(".gz") else zstd.ZstdCompressor()
    gibibyte = b"".join(packer.compress(b" " * (1 << 20)) for _ in range(1024))
    (batch / name).write_bytes(gibibyte + packer.flush())

    cost = cost_of("run", *places, "--output", tmp_path / "out")

    assert (usual.exit_code, cost.exit_code) == (0, 0)
    assert cost.mib - usual.mib < 256
    (report_file,) = (tmp_path / "out").glob("quality/**/*.json")
    found = json.loads(report_file.read_text())
    assert (found["kept"], found["rejected"]["malformed_record"]) == (1, 1)


def test_spark_sql_refuses_a_file_with_a_line_that_it_would_pass_over(tmp_path: Path) -> None:
    batch = write_batch(tmp_path / "in", [[flow()]])
    line = b" " * (65 << 20)
    (batch / "long.json").write_bytes(json.dumps(flow()).encode() + b"\n" + line)

    answer = run(write_spec(tmp_path / "job.json"), batch, tmp_path / "out", engine="spark-sql")

    assert answer.exit_code == 1
    assert "long.json: holds a line of more than 1,048,576 bytes; take --engine" in answer.errors


@pytest.mark.parametrize(
    "length",
    [(1 << 20) + 1, *(pytest.param(length, marks=only_in_soak) for length in (1 << 20, 3 << 20))],
)
@pytest.mark.parametrize("filled_with", [b" ", b"\xff", "é".encode(), b"x"])
def test_a_long_line_is_judged_alike_by_all_engines(
    length: int, filled_with: bytes, tmp_path: Path
) -> None:
    line = (filled_with * length)[: length - 3] + "é".encode() + b"}"
    lines: list[bytes | str | dict[str, Any]] = [line, b" " * length, flow()]
    batch = write_batch(tmp_path / "in", [lines])
    plan = make_plan()

    expected = run_reference(plan, batch)

    assert expected.report.kept == 1
    for name, engine in ALL_ENGINES.items():
        actual = run_engine(engine(), plan, batch, tmp_path / name)
        assert differences(expected, actual) == [], name
