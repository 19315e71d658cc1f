"""All that is written to S3 is encrypted by the key of KMS that the JobSpec names, whoever writes it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pyspark.sql import SparkSession

from ndr_adapters.aws.clients import s3_client
from ndr_adapters.polars.s3 import polars_options
from ndr_adapters.spark.runtime.internals import jvm_of
from ndr_adapters.spark.runtime.s3 import hadoop_settings, refuse_other_key
from ndr_core.deltas.spec import JobSpec
from ndr_core.errors import ThresholdError, UsageError
from tests.certificate import own_certificate
from tests.kms import KEY, asked_key, keys_of_objects, made_without_key, makes_object, other_keys
from tests.makers import make_spec
from tests.soak import only_in_soak
from tests.stand_in import Proxy, proxy
from tests.storages.s3_run import DELTA, batch, publish, rows
from tests.support import spark_session

UNCHECKED = "com.amazonaws.sdk.disableCertChecking"
"""Java's property by which the connector takes the certificate of a stand-in, for which nobody speaks."""


def spec_with_key(**parts: Any) -> JobSpec:
    return make_spec(delta=DELTA, storage={"kms_key": KEY}, **parts)


@pytest.fixture
def recorded(aws: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The stand-in, which notes what it is asked."""
    with proxy(aws, lambda _: None) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        yield server


def spark_set_up(settings: Mapping[str, str]) -> SparkSession:
    """A session of its own that reaches S3 by these settings."""
    session = spark_session().newSession()
    for name, value in settings.items():
        session.conf.set(name, value)
    return session


def all_encrypted(server: Proxy, bucket: str) -> bool:
    """Whether all of a run is encrypted by the key: what is staged, claims, what is published of each folder."""
    made = [request for request in server.requests if makes_object(request)]
    assert any("/_staging/" in one.path and ".parquet" in one.path for one in made)
    folders = {key.split("/")[1] for key in keys_of_objects(bucket, "out/")}
    assert folders == {"_manifests", "delta", "pair", "quality", "quarantine"}
    return made_without_key(server.requests) == [] == other_keys(bucket, "out/")


@pytest.fixture
def recorded_over_https(
    aws: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Proxy]:
    """The same over HTTPS: Spark's connector sends the name of no key without."""
    certificate = own_certificate(tmp_path / "certificate.pem")
    java = jvm_of(spark_session()).System
    java.setProperty(UNCHECKED, "true")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    with proxy(aws, lambda _: None, certificate) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        yield server
    java.clearProperty(UNCHECKED)


@pytest.mark.parametrize("engine", ["reference", "polars", "spark"])
def test_each_object_of_a_run_is_encrypted_by_the_key(
    engine: str, tmp_path: Path, bucket: str, recorded: Proxy
) -> None:
    source = batch(tmp_path, bucket)
    recorded.requests.clear()

    publish(source, f"s3://{bucket}/out", engine=engine, spec=spec_with_key())

    assert all_encrypted(recorded, bucket)
    assert len(rows(f"s3://{bucket}/out")[0]) == 2


@only_in_soak
def test_each_object_of_a_run_by_spark_sql_is_encrypted_by_the_key(
    tmp_path: Path, bucket: str, recorded_over_https: Proxy
) -> None:
    source = batch(tmp_path, bucket)
    recorded_over_https.requests.clear()

    done = publish(source, f"s3://{bucket}/out", engine="spark-sql", spec=spec_with_key())

    assert all_encrypted(recorded_over_https, bucket)
    assert sum(done.manifest.rows("delta").values()) == 2


def test_without_a_key_no_request_names_one(tmp_path: Path, bucket: str, recorded: Proxy) -> None:
    publish(batch(tmp_path, bucket), f"s3://{bucket}/out")

    assert {asked_key(request) for request in recorded.requests} == {None}
    assert set(keys_of_objects(bucket, "out/").values()) == {(None, None)}


def test_what_a_stopped_run_leaves_and_a_large_unreadable_file_are_encrypted(
    tmp_path: Path, bucket: str, recorded: Proxy
) -> None:
    """Copies of more than 8 MiB are made in parts."""
    source, target = batch(tmp_path, bucket), f"s3://{bucket}/out"
    large = b"\x1f\x8b" + random.Random(1).randbytes(9 << 20)
    s3_client().put_object(Bucket=bucket, Key="in/mb/broken.json.gz", Body=large)
    quality = {"on_unreadable_file": "quarantine", "max_rejected_fraction": 0.01}
    recorded.requests.clear()

    with pytest.raises(ThresholdError):
        publish(source, target, spec=spec_with_key(quality=quality))

    in_parts = [one for one in recorded.requests if "uploads" in one.path]
    assert {one.path.rpartition("/")[2].partition("?")[0] for one in in_parts} == {
        "unreadable-00000-broken.json.gz"
    }
    assert made_without_key(recorded.requests) == []
    assert any(key.startswith("out/failed/") for key in keys_of_objects(bucket, "out/"))
    assert other_keys(bucket, "out/") == []


def test_an_upload_of_polars_in_parts_is_encrypted(
    bucket: str, recorded: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLARS_UPLOAD_CHUNK_SIZE", str(5 << 20))
    options = polars_options(s3_client(kms_key=KEY))
    numbers = random.Random(1)
    column = [numbers.getrandbits(60) for _ in range(1_500_000)]

    pl.LazyFrame({"x": column}).sink_parquet(
        f"s3://{bucket}/out/large.parquet", storage_options=options
    )

    assert [one.path for one in recorded.requests if "partNumber" in one.path]
    assert made_without_key(recorded.requests) == []
    assert other_keys(bucket, "out/") == []


def test_an_upload_of_spark_in_parts_is_encrypted(bucket: str, recorded_over_https: Proxy) -> None:
    settings = hadoop_settings(s3_client(kms_key=KEY)) | {"fs.s3a.multipart.size": "5M"}

    numbers = spark_set_up(settings).range(1_500_000, numPartitions=1).selectExpr("rand(1) as x")
    numbers.write.parquet(f"s3a://{bucket}/out")

    assert [one.path for one in recorded_over_https.requests if "partNumber" in one.path]
    assert made_without_key(recorded_over_https.requests) == []
    assert other_keys(bucket, "out/") == []


@pytest.mark.usefixtures("aws")
def test_spark_sql_refuses_a_key_once_its_process_has_reached_the_bucket_without_it(
    bucket: str,
) -> None:
    address, settings = f"s3a://{bucket}/out", hadoop_settings(s3_client(kms_key=KEY))
    spark_set_up(hadoop_settings(s3_client())).range(1).write.parquet(address)
    session = spark_set_up(settings)

    refuse_other_key(session, "/an/output/in/a/folder", settings)
    with pytest.raises(UsageError, match=r"^fs\.s3a\.encryption\.key: .* in one process$"):
        refuse_other_key(session, address, settings)
