"""The lifecycle rules of an output: S3 takes them, and they take nothing that counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ndr_adapters.aws.clients import s3_client
from tests.storages.s3_compaction import Output, put_batches
from tests.template import properties

WITHOUT_SPARK = True

ROOT = Path(__file__).parents[2]


def rules(prefix: str) -> list[dict[str, Any]]:
    text = (ROOT / "deploy" / "lifecycle.json").read_text()
    for name, value in {"DeltasPrefix": prefix, "FeaturesPrefix": f"{prefix}/features"}.items():
        text = text.replace("${" + name + "}", value)
    found: list[dict[str, Any]] = json.loads(text)["Rules"]
    return found


def test_a_bucket_takes_the_rules_and_gives_them_back(bucket: str) -> None:
    client = s3_client()
    wanted = rules("out")

    client.put_bucket_lifecycle_configuration(
        Bucket=bucket,
        LifecycleConfiguration={"Rules": wanted},  # type: ignore[typeddict-item]
    )

    found = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert sorted(found, key=lambda rule: rule["ID"]) == sorted(
        wanted, key=lambda rule: str(rule["ID"])
    )


def test_what_is_there_expires_in_the_staging_places_only(tmp_path: Path, bucket: str) -> None:
    put_batches(tmp_path, bucket)
    output = Output(bucket)
    staging = output.writer.open_staging("dead", (), print)
    output.publish("first")
    output.compact()

    expiring = [
        rule["Filter"]["Prefix"] for rule in rules("out") if "Days" in rule.get("Expiration", {})
    ]

    keys = [f"out/{path}" for path in output.content()]
    taken = [key for key in keys if key.startswith(tuple(expiring))]
    assert staging.root.endswith(taken[0].rpartition("/")[0])
    assert len(taken) == 1
    assert len(keys) > 10


def as_the_api_takes_it(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule of a template, in the form of `put-bucket-lifecycle-configuration`."""
    expiration = {
        "Days": rule.get("ExpirationInDays"),
        "ExpiredObjectDeleteMarker": rule.get("ExpiredObjectDeleteMarker"),
    }
    made = {
        "ID": rule["Id"],
        "Status": rule["Status"],
        "Filter": {"Prefix": rule["Prefix"]},
        "Expiration": {name: value for name, value in expiration.items() if value is not None},
        **{name: rule[name] for name in rule if name.startswith(("Abort", "Noncurrent"))},
    }
    return {name: value for name, value in made.items() if value}


def test_a_bucket_that_the_template_makes_has_the_rules_that_one_that_exists_is_given() -> None:
    places = {"DeltasPrefix": "out", "FeaturesPrefix": "out/features"}

    made = properties("Deltas", **places)["LifecycleConfiguration"]["Rules"]

    assert [as_the_api_takes_it(rule) for rule in made] == rules("out")
