"""Files as people have them: however packed and named, behind links, or no files at all."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from tests.e2e.cli import Answer, run, write_spec
from tests.makers import flow, write_batch
from tests.soak import by_engines, only_in_soak

ENGINES = ["reference", "polars", "spark", "spark-sql"]
RECORDS = 1_500
LINES = b"".join(
    json.dumps(flow(source_port=port, note="x" * 3_000)).encode() + b"\n" for port in range(RECORDS)
)
"""More than one piece of those in which files are unpacked, of records that are soon read."""
assert len(LINES) > 4 << 20
LINE = json.dumps(flow()).encode()

PACKED: dict[str, bytes] = {
    "nothing.json.gz": b"",
    "plain.json.gz": LINES,
    "gzip.json": gzip.compress(LINES),
    "gzip-of-parts.json.gz": b"".join(
        gzip.compress(part) for part in (LINES[:1000], b"", LINES[1000:])
    ),
    "gzip-padded-between.json.gz": gzip.compress(LINES[:1000])
    + b"\0"
    + gzip.compress(LINES[1000:]),
    "gzip-padded.json.gz": gzip.compress(LINES) + bytes(700_000),
    "zlib.json": zlib.compress(LINES),
    "zlib.gz": zlib.compress(LINES, 1),
    "packed.zlib": zlib.compress(LINES),
    "plain.bz2": LINES,
    "plain.snappy": LINES,
    "plain.csv": LINES,
    "zstd.json": zstd.compress(LINES),
    "zstd-of-parts.json.zst": zstd.compress(LINES[:1000]) + zstd.compress(LINES[1000:]),
}
SPARK_SQL_READS = {"nothing.json.gz", "gzip-of-parts.json.gz", "plain.csv"}


def report(answer: Answer) -> dict[str, Any]:
    found: dict[str, Any] = answer.json()["report"]
    return found


@pytest.mark.parametrize(
    ("engine", "name"), by_engines(PACKED, "zstd.json", "gzip-of-parts.json.gz")
)
def test_how_a_file_is_packed_is_told_by_its_content_whatever_its_name(
    engine: str, name: str, tmp_path: Path
) -> None:
    batch = write_batch(tmp_path / "in", [[flow()]])
    (batch / name).write_bytes(PACKED[name])
    spec = write_spec(tmp_path / "job.json", delta={"measures": ["sessions_cnt"]})

    answer = run(spec, batch, tmp_path / "out", "--json", engine=engine)

    if engine != "spark-sql" or name in SPARK_SQL_READS:
        assert report(answer)["kept"] == (1 if name.startswith("nothing") else RECORDS + 1)
    else:
        assert answer.exit_code == 1
        assert f"{name}: " in answer.errors
        assert ("take --engine polars" in answer.errors) or "not a gzip file" in answer.errors
        assert "quality.on_unreadable_file: quarantine" in answer.errors


def test_spark_sql_reads_what_spark_itself_can_and_sets_the_rest_aside(tmp_path: Path) -> None:
    batch = write_batch(tmp_path / "in", [[flow()]])
    for name, content in PACKED.items():
        (batch / name).write_bytes(content)
    spec = write_spec(
        tmp_path / "job.json",
        delta={"measures": ["sessions_cnt"]},
        quality={"on_unreadable_file": "quarantine"},
    )

    answer = run(spec, batch, tmp_path / "out", "--json", engine="spark-sql")

    assert report(answer)["kept"] == 1 + 2 * RECORDS
    aside = {Path(file).name for file in report(answer)["unreadable_files"]}
    assert aside == PACKED.keys() - SPARK_SQL_READS


@pytest.mark.parametrize("engine", ENGINES)
def test_an_input_may_be_given_relative_to_where_one_is(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_batch(tmp_path / "in", [[flow()]])
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    spec = write_spec(tmp_path / "job.json", delta={"measures": ["sessions_cnt"]})

    answer = run(spec, Path("../in"), Path("../out"), "--json", engine=engine)

    assert report(answer)["kept"] == 1


@pytest.mark.parametrize("cut", [1, 5, 5000])
@pytest.mark.parametrize("name", ["gzip.json", "zlib.json", "zstd.json"])
def test_a_packed_file_that_ends_too_early_is_unreadable(
    name: str, cut: int, tmp_path: Path
) -> None:
    batch = write_batch(tmp_path / "in", [[flow()]])
    (batch / name).write_bytes(PACKED[name][:-cut])

    answer = run(write_spec(tmp_path / "job.json"), batch, tmp_path / "out")

    assert answer.exit_code == 1
    assert f"{name}: can't be read to its end" in answer.errors


STARTS = [b"x\x01", b"x^", b"\x28\xb5", b"\x1f", b"(\xb5/\xfd"[:3]]


@pytest.mark.parametrize(
    ("engine", "start"),
    [*product(["reference", "polars", "spark"], STARTS), ("spark-sql", STARTS[0])],
)
def test_a_text_that_begins_as_packed_data_do_is_text(
    engine: str, start: bytes, tmp_path: Path
) -> None:
    batch = write_batch(tmp_path / "in", [[flow(), flow(), flow()]])
    (batch / "text.json").write_bytes(start + b" is no JSON\n" + LINE + b"\n" + start)
    spec = write_spec(tmp_path / "job.json", delta={"measures": ["sessions_cnt"]})

    answer = run(spec, batch, tmp_path / "out", "--json", engine=engine)

    assert report(answer)["rejected"]["malformed_record"] >= 2
    assert report(answer)["kept"] >= 2


def test_links_to_folders_and_files_are_followed(tmp_path: Path) -> None:
    write_batch(tmp_path / "elsewhere" / "deep", [[flow()], [flow()]])
    batch = write_batch(tmp_path / "in", [[flow()]])
    (batch / "link").symlink_to(tmp_path / "elsewhere")
    (write_batch(tmp_path / "other", [[flow()]]) / "part-000.json.gz").rename(tmp_path / "one.json")
    (batch / "file.json").symlink_to(tmp_path / "one.json")

    answer = run(write_spec(tmp_path / "job.json"), batch, tmp_path / "out", "--json")

    assert report(answer)["read"] == 4


def test_what_several_links_lead_to_is_read_once_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    batch = write_batch(tmp_path / "in", [[flow()]])
    inner = write_batch(batch / "inner", [[flow()], [flow()]])
    (batch / "again.json.gz").symlink_to(batch / "part-000.json.gz")
    (batch / "current").symlink_to(inner)
    (inner / "up").symlink_to(batch)

    answer = run(write_spec(tmp_path / "job.json"), batch, tmp_path / "out")

    assert answer.exit_code == 0, answer.errors
    assert "read 3, kept 3" in caplog.text
    assert "again.json.gz, which is read there" in caplog.text
    assert "in/current, which is read there" in caplog.text
    assert "up: leads back to a folder that it lies in; it is not followed" in caplog.text


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def _to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def _socket(path: Path) -> None:
    import socket

    here = Path.cwd()
    os.chdir(path.parent)  # a socket's address is short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


ODD: dict[str, tuple[Callable[[Path], Any], str]] = {
    "dangling": (_dangling, "is a link to 'nowhere': No such file or directory"),
    "to itself": (_to_itself, "Too many levels of symbolic links"),
    "fifo": (os.mkfifo, "is a FIFO, no file of data"),
    "socket": (_socket, "is a socket, no file of data"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "is a device, no file of data"),
}


@pytest.mark.parametrize("kind", list(ODD))
@pytest.mark.parametrize("name", ["odd", "odd.json"])
def test_what_is_no_file_is_named_and_can_be_set_aside(
    kind: str, name: str, tmp_path: Path
) -> None:
    make, message = ODD[kind]
    batch = write_batch(tmp_path / "in", [[flow()]])
    make(batch / name)
    aside = write_spec(tmp_path / "aside.json", quality={"on_unreadable_file": "quarantine"})

    refused = run(write_spec(tmp_path / "job.json"), batch, tmp_path / "out")
    answer = run(aside, batch, tmp_path / "out", "--json")

    assert refused.exit_code == 1
    assert f"in/{name}: " in refused.errors
    assert message in refused.errors
    assert report(answer)["kept"] == 1
    assert message in report(answer)["unreadable_files"][str(batch / name)]


ODD_NAMES = [
    b"caf\xe9.json",
    b"tab\t.json",
    b"line\nfeed.json",
    b"x" * 240 + b".json",
    b"\xff" * 80 + b".log",
]


@pytest.mark.parametrize(
    "engine", ["reference", "polars", pytest.param("spark", marks=only_in_soak)]
)
@pytest.mark.parametrize("name", ODD_NAMES, ids=repr)
def test_a_file_may_have_any_name(engine: str, name: bytes, tmp_path: Path) -> None:
    batch = write_batch(tmp_path / "in", [[flow()]])
    (batch / os.fsdecode(name)).write_bytes(LINE)

    answer = run(
        write_spec(tmp_path / "job.json"), batch, tmp_path / "out", "--json", engine=engine
    )

    assert report(answer)["kept"] == 2


@pytest.mark.parametrize("name", ODD_NAMES, ids=repr)
def test_an_unreadable_file_of_any_name_is_kept_in_the_quarantine(
    name: bytes, tmp_path: Path
) -> None:
    batch = write_batch(tmp_path / "in", [[flow()]])
    broken = gzip.compress(LINES)[:-9]
    (batch / os.fsdecode(name)).write_bytes(broken)
    spec = write_spec(tmp_path / "job.json", quality={"on_unreadable_file": "quarantine"})

    answer = run(spec, batch, tmp_path / "out", "--json")

    assert report(answer)["kept"] == 1
    (kept,) = (tmp_path / "out").glob("quarantine/**/unreadable-*")
    assert kept.read_bytes() == broken
    assert len(report(answer)["unreadable_files"]) == 1


def test_a_file_that_is_changed_while_it_is_read_fails_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ndr_adapters.polars.engine import PolarsEngine

    batch = write_batch(tmp_path / "in", [[flow()], [flow()]])
    build = PolarsEngine.build

    def build_meanwhile(*arguments: Any) -> Any:
        result = build(*arguments)
        write_batch(tmp_path / "in", [[flow(), flow(), flow()]])
        return result

    monkeypatch.setattr(PolarsEngine, "build", build_meanwhile)

    answer = run(write_spec(tmp_path / "job.json"), batch, tmp_path / "out")

    assert answer.exit_code == 1
    assert "part-000.json.gz: was changed while it was read; nothing was published" in answer.errors


def test_a_file_of_another_format_among_many_is_named_and_its_lines_are_counted(
    tmp_path: Path,
) -> None:
    batch = write_batch(tmp_path / "in", [[flow()] * 9])
    (batch / "conn.log").write_bytes(b"#separator \\x09\n#fields\tts\tuid\n1\tC1\n")

    answer = run(write_spec(tmp_path / "job.json"), batch, tmp_path / "out", "--json")

    assert f"note: {batch}/conn.log: looks like a log of Zeek" in answer.errors
    assert report(answer)["rejected"]["malformed_record"] == 3


def test_a_selection_that_fits_no_record_is_told_with_what_records_have(tmp_path: Path) -> None:
    only = {"preset": "paloalto", "only": {"event_name": ["TRAFIC"]}}
    batch = write_batch(tmp_path / "in", [[flow()] * 9])

    answer = run(write_spec(tmp_path / "job.json", input=only), batch, tmp_path / "out", "--json")

    assert report(answer)["skipped"] == 9
    assert (
        "input.only.event_name: no record of the input fits, they have 'TRAFFIC' there"
        in answer.errors
    )
