"""The markers of what was pruned of an output in S3: empty objects, whose names tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ndr_adapters.aws.errors import aws_errors_named
from ndr_adapters.s3.objects import delete_objects, list_objects
from ndr_core.publishing.location import S3Address
from ndr_core.publishing.pruned import PRUNED, Pruned, marker_name, pruned_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def read_pruned(client: S3Client, output: S3Address) -> Pruned:
    """Read up to where an output was pruned, by one listing. Raises as `pruned_of`."""
    return pruned_of(_names(client, output))


def write_pruned(client: S3Client, output: S3Address, former: Pruned, pruned: Pruned) -> None:
    """Move the markers forward: the latest counts, whoever else writes one meanwhile."""
    spent: list[str] = []
    for version, first in pruned.firsts.items():
        before = former.firsts.get(version)
        if first != before:
            place = output / PRUNED / marker_name(version, first)
            with aws_errors_named(str(place)):
                client.put_object(Bucket=place.bucket, Key=place.key, Body=b"")
    for name in _names(client, output):
        version, first = next(iter(pruned_of([name]).firsts.items()))
        if first < pruned.firsts.get(version, 0):
            spent.append((output / PRUNED / name).key)
    delete_objects(client, output.bucket, spent)


def _names(client: S3Client, output: S3Address) -> list[str]:
    root = output / PRUNED
    names = (item["Key"][len(root.below) :] for item in list_objects(client, root))
    return [name for name in names if name and not name.endswith("/")]
