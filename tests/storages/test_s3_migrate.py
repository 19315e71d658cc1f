"""`ndr migrate` in S3: an output of the version before is taken over, whenever it dies."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from ndr_adapters.aws.clients import s3_client
from ndr_adapters.s3.claims import ClaimLog
from ndr_adapters.s3.migrate import FORMER, migrate_output
from ndr_core.errors import NdrError, UsageError
from ndr_core.publishing.manifest import Manifest
from tests.e2e.cli import ndr
from tests.kms import KEY, other_keys
from tests.soak import SOAK
from tests.storages.s3_compaction import (
    Output,
    client_that_dies_before_write,
    dies,
    put_batches,
)
from tests.storages.s3_run import Rows, rows
from tests.storages.test_migrate import columns_of, in_former_format

WITHOUT_SPARK = True


@pytest.fixture
def known(tmp_path: Path, bucket: str) -> tuple[Output, Rows]:
    """Two runs in the former format, one with two slices, and what readers saw of them; one that was not published."""
    put_batches(tmp_path, bucket)
    output = Output(bucket)
    manifests = [output.publish("first"), output.publish("second again", "second")]
    before = rows(output.target)
    content = {
        path: found
        for path, found in output.content().items()
        if not path.startswith("_manifests/")
    }
    for number, manifest in enumerate(manifests, 1):
        content[_former_key(manifest, number)] = _claim(manifest, number, "published")
    content[_former_key(manifests[0], 3)] = _claim(manifests[0], 3, "aborted")
    output.reset(content)
    return output, before


def _former_key(manifest: Manifest, number: int) -> str:
    facts, slices = manifest.facts, [_label(place) for place in manifest.slices()]
    return (
        f"_manifests/feature_spec_version={facts.feature_spec_version}/{slices[0]}_{slices[-1]}/"
        f"{number:012}-{manifest.token}-{facts.mini_batch_id}.json"
    )


def _label(place: str) -> str:
    day, hour, minute = (level.partition("=")[2] for level in place.split("/"))
    return f"{day}T{hour}{minute}"


def _claim(manifest: Manifest, number: int, state: str) -> bytes:
    return json.dumps({"state": state, "manifest": in_former_format(manifest, number)}).encode()


def migrate(output: Output) -> None:
    migrate_output(ClaimLog(output.client or s3_client(), output.address), columns_of)


def test_rows_are_those_of_the_former_runs(known: tuple[Output, Rows]) -> None:
    output, before = known
    assert ndr("inspect", output.target).exit_code == 2

    answer = ndr("migrate", output.target)

    assert answer.exit_code == 0, answer.errors
    assert "3 slices are now those of 4 mini-batches" in answer.output
    assert "its run was not published (aborted)" in answer.errors
    assert rows(output.target) == before
    assert ndr("verify", output.target).exit_code == 0
    assert len([path for path in output.content() if path.startswith(FORMER)]) == 3


def test_what_is_written_is_encrypted_by_the_key_that_is_named(known: tuple[Output, Rows]) -> None:
    output, _ = known

    answer = ndr("migrate", output.target, "--kms-key", KEY)

    assert answer.exit_code == 0, answer.errors
    prefix = output.address.key
    assert other_keys(output.bucket, f"{prefix}/_manifests/") == []
    assert other_keys(output.bucket, f"{prefix}/{FORMER}/") == []


def test_what_holds_nothing_of_the_version_before_is_refused(known: tuple[Output, Rows]) -> None:
    migrate(known[0])

    with pytest.raises(UsageError, match="holds nothing of the version before"):
        migrate(known[0])


def test_a_former_claim_that_is_broken_is_named(known: tuple[Output, Rows]) -> None:
    output, _ = known
    (path, *_) = [path for path in output.content() if path.startswith("_manifests/")]
    output.put({path: b"{"})

    with pytest.raises(NdrError, match=f"{path.rpartition('/')[2]}: is no manifest of a run"):
        migrate(output)


def test_a_migration_that_is_killed_before_any_write_is_done_by_the_next_one(
    known: tuple[Output, Rows],
) -> None:
    output, _ = known
    content = output.content()
    migrate(output)
    whole = output.content()
    died = True
    for step in range(0, 100, 1 if SOAK else 2):
        output.reset(content)
        killed = output.by(client_that_dies_before_write(step))
        died = dies(partial(migrate, killed))
        if output.content() != whole:
            with pytest.raises(UsageError, match="ndr migrate"):
                output.manifests()
            migrate(output)
        assert output.content() == whole
        if not died:
            break
    assert (died, step > 5) == (False, True)
