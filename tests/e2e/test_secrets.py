"""No message holds credentials, wherever a user has put them. `tests/conftest.py` looks at all that tests say."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tests.credentials import CREDENTIALS, PLANTED
from tests.e2e.cli import ndr, write_spec
from tests.makers import flow, write_batch
from tests.planted_secrets import objects_with_secrets, processes_watched, secrets_in

WITHOUT_SPARK = True

ROOT = Path(__file__).parents[2]
KEYS = f"{CREDENTIALS['AWS_ACCESS_KEY_ID']}:{CREDENTIALS['AWS_SECRET_ACCESS_KEY']}"
NO_ONE = "127.0.0.1:9"
"""No server listens there."""


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (f"s3://{KEYS}@bucket/x", "s3://***@bucket/x': an address holds no credentials"),
        (f"s3a://{KEYS}@bucket/x", "an address holds no credentials"),
        (f"https://{KEYS}@host/x", "https://***@host/x: https:// is not supported"),
        (
            f"https://host/x?X-Amz-Signature={PLANTED[1]}&X-Amz-Credential={PLANTED[0]}",
            "X-Amz-Signature=***&X-Amz-Credential=***: https:// is not supported",
        ),
    ],
)
@pytest.mark.parametrize("option", ["input", "output"])
def test_an_address_with_credentials_is_refused_without_saying_them(
    option: str, place: str, told: str, tmp_path: Path
) -> None:
    batch = write_batch(tmp_path / "in", [[flow()]])
    places = {"input": batch, "output": tmp_path / "out"} | {option: place}
    spec = write_spec(tmp_path / "job.json")

    answer = ndr(
        *("run", "--spec", spec, "--engine", "polars", "--json"),
        *("--input", places["input"], "--output", places["output"]),
    )

    assert answer.exit_code == 2
    assert told in answer.errors
    assert not secrets_in(answer.errors + answer.output)
    assert not (tmp_path / "out").exists()


def test_a_spec_whose_places_hold_credentials_is_refused_without_saying_them(
    tmp_path: Path,
) -> None:
    places = {"input_prefix": f"https://{KEYS}@host/x", "output_prefix": f"s3://{KEYS}@bucket/x"}
    spec = write_spec(tmp_path / "job.json", storage=places)

    answer = ndr("spec", "check", spec)

    assert answer.exit_code == 2
    assert "storage.input_prefix: 'https://***@host/x' is no address in S3" in answer.errors
    assert "storage.output_prefix: 's3://***@bucket/x': an address holds no" in answer.errors


@pytest.mark.parametrize("debug", [[], ["--debug"]])
def test_an_endpoint_with_credentials_that_is_not_there_is_named_without_them(
    debug: list[str],
) -> None:
    command = [sys.executable, "-m", "ndr_entrypoints", *debug, "inspect", "s3://bucket/x"]
    # Not read by what watches the others: this test says itself what must not be there.
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "AWS_ENDPOINT_URL": f"http://{KEYS.replace('/', '-')}@{NO_ONE}"},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        said = process.stderr.read()

    assert f"http://***@{NO_ONE}/bucket" in said
    assert KEYS.partition(":")[0] not in said
    assert ("Traceback" in said) == bool(debug)


def test_a_mirror_with_credentials_is_named_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NDR_JARS", str(tmp_path / "jars"))
    monkeypatch.setenv("NDR_MAVEN_URL", f"http://{KEYS}@{NO_ONE}/maven")

    answer = ndr("aws", "jars")

    assert answer.exit_code == 2
    assert f"fetching http://***@{NO_ONE}/maven/org/" in answer.output + answer.errors
    assert "let NDR_MAVEN_URL name a mirror without a password" in answer.errors
    assert "planted" not in answer.errors + answer.output


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_process_of_a_test_that_says_a_credential_fails_the_test(stream: str) -> None:
    says = f"import os, sys; print(os.environ['AWS_SECRET_ACCESS_KEY'], file=sys.{stream})"

    with processes_watched(), pytest.raises(AssertionError, match="what it says holds"):
        subprocess.run([sys.executable, "-c", says], capture_output=True, check=True)


def test_a_test_whose_own_process_says_a_credential_fails(tmp_path: Path) -> None:
    says = "import os\n\n\ndef test_it():\n    print(os.environ['AWS_ACCESS_KEY_ID'])\n"
    (tmp_path / "test_it.py").write_text(says)

    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "tests.conftest", "-c", os.devnull),
            *("--show-capture=no", str(tmp_path)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1, done.stdout + done.stderr
    assert "Captured stdout call: holds planted credentials" in done.stdout


def test_a_credential_is_found_in_text_in_packed_text_and_in_a_table() -> None:
    table = io.BytesIO()
    words = [f"{number} {PLANTED[1]} {number * number}" for number in range(500)]
    pl.DataFrame({"source": words}).write_parquet(table, statistics=False)
    rejected = gzip.compress(PLANTED[1].encode())

    assert PLANTED[1].encode() not in table.getvalue() + rejected
    assert objects_with_secrets(
        {
            "_manifests/a.json": PLANTED[0].encode(),
            "quality/a.parquet": table.getvalue(),
            "quarantine/a.json.gz": rejected,
            "delta/b.parquet": _table_without(),
        }
    ) == ["_manifests/a.json", "quality/a.parquet", "quarantine/a.json.gz"]


def _table_without() -> bytes:
    table = io.BytesIO()
    pl.DataFrame({"source": ["a", "b"]}).write_parquet(table)
    return table.getvalue()
