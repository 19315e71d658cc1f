"""Bad input: a message that says what and where, the right exit code, and nothing published is touched."""

from __future__ import annotations

import bz2
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cli import SLICE, Answer, ndr, run, snapshot, write_spec
from tests.makers import flow, write_batch
from tests.soak import by_engines

ENGINES = ["reference", "polars", "spark", "spark-sql"]
GOOD = gzip.compress(b"".join(json.dumps(flow()).encode() + b"\n" for _ in range(5000)))


def _corrupt(data: bytes) -> bytes:
    """The same with a wrong checksum at its end."""
    return data[:-8] + bytes([data[-8] ^ 0xFF]) + data[-7:]


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """An output that holds a good run."""
    output = tmp_path / "out"
    batch = write_batch(tmp_path / "good", [[flow(source_bytes=7)]])
    assert run(write_spec(tmp_path / "good.json"), batch, output, *SLICE).exit_code == 0
    return output


def refuses(
    published: Path, attempt: Callable[[Path], Answer], exit_code: int, *messages: str
) -> None:
    before = snapshot(published)
    answer = attempt(published)
    assert answer.exit_code == exit_code, answer.errors
    for message in messages:
        assert message in answer.errors
    assert "Traceback" not in answer.errors
    after = snapshot(published)  # readers do not look into `failed`
    assert {path: after[path] for path in after if not path.startswith("failed/")} == before


BROKEN = {
    "truncated": GOOD[: len(GOOD) // 2],
    "cut in its trailer": GOOD[:-4],
    "failing its checksum": _corrupt(GOOD),
    "not UTF-8 and truncated": gzip.compress(b"\xff\n" * 100_000)[:-50],
    "garbage after the gzip header": GOOD[:10] + bytes(range(256)) * 40,
    "garbage behind its end": GOOD + b"garbage",
    "UTF-16": json.dumps(flow()).encode("utf-16"),
    "UTF-16 without a mark, packed": gzip.compress(json.dumps(flow()).encode("utf-16-le")),
    "Parquet": b"PAR1" + bytes(100),
    "bzip2": bz2.compress(json.dumps(flow()).encode()),
}


@pytest.mark.parametrize(("engine", "kind"), by_engines(BROKEN, "truncated"))
def test_a_broken_file_fails_the_run_and_is_named(
    engine: str, kind: str, published: Path, tmp_path: Path
) -> None:
    batch = write_batch(tmp_path / "in", [[flow()], [flow()]])
    (batch / "part-009.json.gz").write_bytes(BROKEN[kind])
    spec = write_spec(tmp_path / "job.json")
    refuses(
        published,
        lambda output: run(spec, batch, output, *SLICE, engine=engine),
        1,
        "part-009.json.gz",
        "nothing was published",
        "on_unreadable_file",
    )


@pytest.mark.parametrize(
    ("engine", "kind"), by_engines(["truncated", "failing its checksum", "UTF-16"], "truncated")
)
def test_a_broken_file_can_be_kept_in_quarantine_instead(
    engine: str, kind: str, tmp_path: Path
) -> None:
    batch = write_batch(tmp_path / "in", [[flow()], [flow()]])
    (batch / "part-009.json.gz").write_bytes(BROKEN[kind])
    spec = write_spec(tmp_path / "job.json", quality={"on_unreadable_file": "quarantine"})
    output = tmp_path / "out"
    done = run(spec, batch, output, *SLICE, "--json", engine=engine).json()
    assert done["report"]["kept"] == 2
    assert list(done["report"]["unreadable_files"]) == [str(batch / "part-009.json.gz")]
    (kept,) = output.glob("quarantine/**/unreadable-*")
    assert kept.read_bytes() == BROKEN[kind]


@pytest.mark.parametrize(("engine", "kind"), by_engines(["truncated", "UTF-16"]))
def test_a_batch_of_broken_files_only_is_one_without_records(
    engine: str, kind: str, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "part-009.json.gz").write_bytes(BROKEN[kind])
    spec = write_spec(tmp_path / "job.json", quality={"on_unreadable_file": "quarantine"})

    done = run(spec, tmp_path / "in", tmp_path / "out", *SLICE, "--json", engine=engine).json()

    assert (done["report"]["read"], len(done["report"]["unreadable_files"])) == (0, 1)
    assert done["rows"] == {"delta": {}, "pair": {}}


@pytest.mark.parametrize("kind", ["UTF-16", "UTF-16 without a mark, packed", "Parquet", "bzip2"])
def test_a_file_of_another_format_is_told_by_what_it_is(kind: str, tmp_path: Path) -> None:
    batch = write_batch(tmp_path / "in", [[flow()]])
    (batch / "other.json").write_bytes(BROKEN[kind])

    answer = run(write_spec(tmp_path / "job.json"), batch, tmp_path / "out")

    assert answer.exit_code == 1
    assert f"other.json: is {kind.split()[0]}" in answer.errors


@pytest.mark.parametrize("engine", ENGINES)
def test_binary_garbage_inside_good_gzip_is_malformed_records(engine: str, tmp_path: Path) -> None:
    batch = write_batch(
        tmp_path / "in", [[flow(), flow(), b"\x00\xff\xfe", b"PK\x03\x04" + bytes(200)]]
    )
    done = run(write_spec(tmp_path / "job.json"), batch, tmp_path / "out", "--json", engine=engine)
    assert done.json()["report"]["rejected"]["malformed_record"] == 2


UNUSABLE = {
    "one JSON array": b"[" + json.dumps(flow()).encode() + b"]",
    "several JSON objects on a line": json.dumps(flow()).encode() * 3,
    "a log of Zeek with values parted by tabs": b"#separator \\x09\n#fields\tts\tuid\n1\tC1\n",
}


@pytest.mark.parametrize(("engine", "kind"), by_engines(UNUSABLE, "one JSON array"))
def test_a_batch_of_another_format_fails_says_what_it_is_and_changes_nothing(
    engine: str, kind: str, published: Path, tmp_path: Path
) -> None:
    batch = write_batch(tmp_path / "in", [[UNUSABLE[kind]]])
    spec = write_spec(tmp_path / "job.json", quality={"max_rejected_fraction": 1.0})
    refuses(
        published,
        lambda output: run(spec, batch, output, *SLICE, engine=engine),
        1,
        "records can be used",
        f"The input looks like {kind}",
        "nothing was published",
    )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("files", [[[]], [["", ""]]])
def test_empty_input_gives_a_valid_empty_output(
    engine: str, files: list[list[bytes | str | dict[str, Any]]], tmp_path: Path
) -> None:
    batch = write_batch(tmp_path / "in", files)
    output = tmp_path / "out"
    done = run(write_spec(tmp_path / "job.json"), batch, output, *SLICE, "--json", engine=engine)
    report = done.json()["report"]
    assert (report["read"], report["kept"]) == (0, 0)
    assert done.json()["rows"] == {"delta": {}, "pair": {}}
    assert list(output.rglob("*.parquet")) == []
    assert ndr("inspect", output).exit_code == 0
    without = run(write_spec(tmp_path / "job.json"), batch, tmp_path / "out2", engine=engine)
    assert without.exit_code == 0
    assert ndr("inspect", tmp_path / "out2").exit_code == 0


def test_empty_input_fails_where_the_spec_wants_records(published: Path, tmp_path: Path) -> None:
    batch = write_batch(tmp_path / "in", [[]])
    spec = write_spec(tmp_path / "job.json", quality={"min_records": 1})
    refuses(
        published,
        lambda output: run(spec, batch, output, *SLICE),
        1,
        "quality.min_records: 0 records kept, at least 1 expected",
        "nothing was published",
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_too_many_rejects_fail_the_run(engine: str, published: Path, tmp_path: Path) -> None:
    batch = write_batch(tmp_path / "in", [[flow(), "bad", flow(source_ip="bad")]])
    spec = write_spec(tmp_path / "job.json", quality={"max_rejected_fraction": 0.5})
    refuses(
        published,
        lambda output: run(spec, batch, output, *SLICE, engine=engine),
        1,
        "quality.max_rejected_fraction: 0.6667 of 3 records rejected",
        "malformed_record 1, malformed_ip: source_ip 1",
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_an_overflowing_sum_publishes_nothing(engine: str, published: Path, tmp_path: Path) -> None:
    batch = write_batch(tmp_path / "in", [[flow(source_bytes=1 << 62)] * 2])
    spec = write_spec(tmp_path / "job.json")
    refuses(
        published,
        lambda output: run(spec, batch, output, *SLICE, engine=engine),
        1,
        "bytes_sent_sum: the sum leaves the range of int64",
    )


def test_a_missing_input_is_wrong_usage(published: Path, tmp_path: Path) -> None:
    spec = write_spec(tmp_path / "job.json")
    refuses(
        published,
        lambda output: run(spec, tmp_path / "nowhere", output),
        2,
        f"input {tmp_path / 'nowhere'}: no such file or folder",
    )


def test_a_folder_without_any_file_is_wrong_usage(published: Path, tmp_path: Path) -> None:
    batch = write_batch(tmp_path / "in", [])
    (batch / "_SUCCESS").write_text("")
    spec = write_spec(tmp_path / "job.json")
    refuses(
        published,
        lambda output: run(spec, batch, output),
        2,
        f"input {batch}: no files there; check the folder",
    )


def test_a_file_of_any_name_is_read_by_what_it_is(tmp_path: Path) -> None:
    batch = write_batch(tmp_path / "in", [[flow()]])
    (batch / "notes.txt").write_text("x")
    (batch / "conn.2025-03-01").write_text(json.dumps(flow()))

    done = run(write_spec(tmp_path / "job.json"), batch, tmp_path / "out", "--json")

    report = done.json()["report"]
    assert (report["kept"], report["rejected"]["malformed_record"]) == (2, 1)


def test_a_column_that_no_record_has_is_wrong_configuration(
    published: Path, tmp_path: Path
) -> None:
    records = [{("client" if k == "source_ip" else k): v for k, v in flow().items()}] * 300
    batch = write_batch(tmp_path / "in", [records])
    spec = write_spec(tmp_path / "job.json")
    refuses(
        published,
        lambda output: run(spec, batch, output),
        2,
        "input.fields.source_ip.any_of: no record of the input has any of 'source_ip', 'src'",
        "optional: true",
    )


def test_a_column_that_comes_late_is_found(tmp_path: Path) -> None:
    late = {k: v for k, v in flow().items() if k != "event_name"}
    batch = write_batch(tmp_path / "in", [[late] * 1000 + [flow()]])
    done = run(write_spec(tmp_path / "job.json"), batch, tmp_path / "out", "--json").json()
    assert done["report"]["kept"] == 1001


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"qualty": {}}, "unknown key 'qualty', did you mean 'quality'?"),
        ({"delta": {"measures": ["nope"]}}, "unknown measure 'nope'"),
        ({"delta": {"measures": ["vpn_sessions_cnt"]}}, "no port set 'vpn'"),
    ],
)
def test_a_wrong_spec_is_wrong_configuration(
    parts: dict[str, Any], message: str, published: Path, tmp_path: Path
) -> None:
    batch = write_batch(tmp_path / "in", [[flow()]])
    spec = write_spec(tmp_path / "job.json", **parts)
    refuses(published, lambda output: run(spec, batch, output), 2, str(spec), message)
    refuses(published, lambda _: ndr("spec", "check", spec), 2, message)


def test_unknown_fields_and_nested_extras_do_no_harm(tmp_path: Path) -> None:
    lines = [flow(extra={"a": [1, {"b": "}"}]}), flow(other="\\u0000"), flow(source_port={})]
    batch = write_batch(tmp_path / "in", [lines])
    done = run(write_spec(tmp_path / "job.json"), batch, tmp_path / "out", "--json").json()
    assert done["report"]["rejected_by_detail"] == {"bad_value: source_port": 1}
    assert done["report"]["kept"] == 2


def test_an_output_that_can_not_be_written_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    batch = write_batch(tmp_path / "in", [[flow()]])
    answer = run(write_spec(tmp_path / "job.json"), batch, tmp_path / "file" / "out")
    assert answer.exit_code == 2
    assert "can't be written" in answer.errors


def test_other_places_than_folders_are_refused_for_now(tmp_path: Path) -> None:
    answer = run(write_spec(tmp_path / "job.json"), Path("s3://bucket/prefix"), tmp_path / "out")
    assert answer.exit_code == 2
    assert "input s3:" in answer.errors
