"""Reading a mini-batch from S3: which objects, and what becomes of broken reads and broken files."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pytest

from ndr_adapters.aws.clients import s3_client
from ndr_adapters.aws.errors import AwsError
from ndr_adapters.local.manifests import read_manifests
from ndr_adapters.s3.source import S3Reader
from ndr_core.errors import InputChangedError, UnreadableFileError, UsageError
from ndr_core.flows.file_format import Compression, Head
from ndr_core.flows.line_blocks import lines_of
from ndr_core.flows.source import InputFile
from ndr_core.publishing.location import S3Address
from tests.makers import flow, make_spec
from tests.stand_in import Request, proxy, put_behind_the_server
from tests.storages.s3_run import publish


def reader(bucket: str, prefix: str = "in/mb") -> S3Reader:
    return S3Reader(s3_client(), S3Address(bucket, prefix))


def put(bucket: str, key: str, content: bytes) -> None:
    s3_client().put_object(Bucket=bucket, Key=key, Body=content)


def test_all_of_ten_thousand_objects_are_listed_in_order(bucket: str) -> None:
    names = [f"in/mb/part-{number:05}.json.gz" for number in range(10_000)]
    put_behind_the_server(bucket, names)
    files = reader(bucket).files(print)
    assert [file.uri for file in files] == [f"s3://{bucket}/{name}" for name in names]
    assert {file.size_bytes for file in files} == {1}


def test_siblings_hidden_names_and_folder_markers_are_no_data(bucket: str) -> None:
    for key in ("in/mb/a.json", "in/mb/sub/b.json", "in/mb/", "in/mb/_done", "in/mb/.x/c.json"):
        put(bucket, key, b"")
    for key in ("in/mb2/d.json", "in/mb.json"):
        put(bucket, key, b"")
    found = [file.uri for file in reader(bucket).files(print)]
    assert found == [f"s3://{bucket}/in/mb/a.json", f"s3://{bucket}/in/mb/sub/b.json"]


def test_a_prefix_may_be_one_object(bucket: str) -> None:
    put(bucket, "in/mb.json", b"{}\n")
    assert [file.size_bytes for file in reader(bucket, "in/mb.json").files(print)] == [3]


def test_any_name_is_one_of_data(bucket: str) -> None:
    names = ["in/mb/a.parquet", "in/mb/b", "in/mb/c.csv"]
    for key in names:
        put(bucket, key, b"")

    assert [file.uri for file in reader(bucket).files(print)] == [
        f"s3://{bucket}/{name}" for name in names
    ]


def test_an_empty_prefix_is_wrong_usage(bucket: str) -> None:
    with pytest.raises(UsageError, match="no files there"):
        reader(bucket).files(print)


@pytest.mark.usefixtures("aws")
def test_a_missing_bucket_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="no such bucket"):
        reader("no-such-bucket-here").files(print)


def test_how_a_file_is_packed_is_told_by_its_content(bucket: str) -> None:
    long = b"{}\n" * 5000
    put(bucket, "in/mb/good.json.gz", gzip.compress(long))
    put(bucket, "in/mb/plain.json.gz", b"{}\n")
    put(bucket, "in/mb/empty.json.gz", b"")
    put(bucket, "in/mb/packed.json", gzip.compress(random.Random(0).randbytes(9000)))
    put(bucket, "in/mb/wide.json", "{}\n".encode("utf-16"))

    files = reader(bucket).files(print)
    heads = reader(bucket).heads(files)

    named = {file.uri.rpartition("/")[2]: head for file, head in heads.items()}
    assert named == {
        "good.json.gz": Head(Compression.GZIP, len(long), "JSON Lines"),
        "plain.json.gz": Head(Compression.NONE, 3, "JSON Lines"),
        "empty.json.gz": Head(Compression.NONE, 0),
        "packed.json": Head(Compression.GZIP, 9000),
        "wide.json": Head(Compression.NONE, 8, "UTF-16 text", is_text=False),
    }


LINES = [b"%d" % number * 20 for number in range(200_000)]


def big_file(bucket: str) -> InputFile:
    """Several ranges long, even when packed."""
    put(bucket, "in/mb/big.json", b"\n".join(LINES) + b"\n")
    (file,) = reader(bucket).files(print)
    assert file.size_bytes > 20 << 20
    return file


def test_a_file_is_read_in_ranges(bucket: str) -> None:
    assert list(lines_of(reader(bucket).blocks(big_file(bucket)))) == LINES


def test_reading_goes_on_where_a_connection_broke(
    bucket: str, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = big_file(bucket)

    def cut_every_other(request: Request) -> str | None:
        return "cut" if request.number % 2 == 0 else None

    with proxy(aws, cut_every_other) as broken:
        monkeypatch.setenv("AWS_ENDPOINT_URL", broken.address)
        assert list(lines_of(reader(bucket).blocks(file))) == LINES
        assert len(broken.faults) > 3


def test_a_file_that_can_not_be_fetched_is_not_called_broken(
    bucket: str, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(bucket, "in/mb/a.json.gz", gzip.compress(b"{}\n" * 1000))
    (file,) = reader(bucket).files(print)
    with proxy(aws, lambda _: "cut") as broken:
        monkeypatch.setenv("AWS_ENDPOINT_URL", broken.address)
        with pytest.raises(AwsError, match="reading broke off"):
            list(lines_of(reader(bucket).blocks(file)))


def test_a_server_that_does_not_answer_in_time_is_asked_again(
    bucket: str, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(bucket, "in/mb/a.json", b"{}\n")
    (file,) = reader(bucket).files(print)
    # The answer that comes may be late, too, on a busy machine: it is the lines and the faults that count.
    monkeypatch.setattr("ndr_adapters.aws.limits.READ_SECONDS", 0.3)
    with proxy(aws, lambda request: "slow" if request.number < 2 else None) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        assert list(lines_of(reader(bucket).blocks(file))) == [b"{}"]
        assert len(server.faults) == 2


def test_a_truncated_file_is_unreadable(bucket: str) -> None:
    put(bucket, "in/mb/a.json.gz", gzip.compress(b"{}\n" * 1000)[:-10])
    (file,) = reader(bucket).files(print)
    with pytest.raises(UnreadableFileError, match="can't be read to its end"):
        list(lines_of(reader(bucket).blocks(file)))


ODD_KEYS = [
    *("in/mb//twice.json", "in/mb/tab\there.json"),
    *("in/mb/bell\x07.json", "in/mb/ä ß%20+&=?#.json", "in/mb/é.json"),
    "in/mb/" + "x" * 240 + ".json",
]


def test_an_object_may_have_any_key(bucket: str, tmp_path: Path) -> None:
    for number, key in enumerate(ODD_KEYS):
        put(bucket, key, json.dumps(flow(source_port=number)).encode())

    for engine in ("polars", "reference", "spark"):
        done = publish(f"s3://{bucket}/in/mb", str(tmp_path / engine), engine=engine)
        assert done.report.kept == len(ODD_KEYS)


@pytest.mark.parametrize("key", ODD_KEYS[:3], ids=repr)
def test_spark_sql_names_an_object_that_it_can_not_reach_and_goes_on_without_it(
    key: str, bucket: str, tmp_path: Path
) -> None:
    put(bucket, key, json.dumps(flow()).encode())
    put(bucket, "in/mb/good.json", json.dumps(flow()).encode())
    aside = make_spec(
        delta={"measures": ["sessions_cnt"]}, quality={"on_unreadable_file": "quarantine"}
    )

    with pytest.raises(
        UnreadableFileError, match="that Hadoop's file systems can't name; take --engine"
    ):
        publish(f"s3://{bucket}/in/mb", str(tmp_path / "out"), engine="spark-sql")
    done = publish(f"s3://{bucket}/in/mb", str(tmp_path / "out"), engine="spark-sql", spec=aside)

    assert done.report.kept == 1
    assert len(done.report.unreadable_files) == 1


@pytest.mark.parametrize("engine", ["polars", "reference", "spark", "spark-sql"])
def test_an_object_that_is_overwritten_while_it_is_read_fails_the_run(
    engine: str, bucket: str, tmp_path: Path, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As soon as its content is asked for the first time, another version is there."""
    put(bucket, "in/mb/a.json", json.dumps(flow()).encode() + b"\n")

    def overwrite(request: Request) -> None:
        if request.method == "GET" and request.path.startswith(f"/{bucket}/in/mb/a.json"):
            monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
            put(bucket, "in/mb/a.json", json.dumps(flow(source_port=1)).encode() + b"\n")

    with proxy(aws, overwrite) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        with pytest.raises(
            InputChangedError, match=r"in/mb/a\.json: was changed while it was read"
        ):
            publish(f"s3://{bucket}/in/mb", str(tmp_path / "out"), engine=engine)
    assert read_manifests(tmp_path / "out") == []
