"""Published outputs in S3, for readers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from attrs import frozen

from ndr_adapters.aws.errors import aws_errors_named
from ndr_adapters.s3.claims import ClaimLog
from ndr_adapters.s3.objects import ObjectStream, list_objects, sizes
from ndr_adapters.s3.pruned import read_pruned
from ndr_core.publishing.layout import holds_published
from ndr_core.publishing.location import S3Address
from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.ownership import live_manifests
from ndr_core.publishing.pruned import Pruned
from ndr_core.publishing.published import entries_of_owners, entries_to_read

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PIECE_BYTES: Final = 1 << 20


@frozen
class S3Tables:
    """The output below a prefix."""

    client: S3Client
    output: S3Address

    @property
    def root(self) -> str:
        return str(self.output).rstrip("/")

    def manifests(self, since: datetime | None, until: datetime | None) -> Sequence[Manifest]:
        """The names of the claims tell which ones may hold a slice of the range: only those are read."""
        counting, pruned = self._counting(since, until)
        return pruned.left(counting)

    def of_owners(self, version: str, owners: Iterable[str]) -> Sequence[Manifest]:
        wanted = tuple(owners)
        claims = ClaimLog(self.client, self.output)
        found = claims.published(lambda known: entries_of_owners(known, version, wanted))
        return self.pruned_up_to().left(live_manifests(found))

    def pruned_up_to(self) -> Pruned:
        return read_pruned(self.client, self.output)

    def counting(self) -> tuple[Sequence[Manifest], Pruned]:
        return self._counting(None, None)

    def _counting(
        self, since: datetime | None, until: datetime | None
    ) -> tuple[list[Manifest], Pruned]:
        claims = ClaimLog(self.client, self.output)
        found = claims.published(lambda known: entries_to_read(known, since, until))
        # The marker last: what goes is marked before.
        return live_manifests(found), read_pruned(self.client, self.output)

    def sizes(self, paths: Iterable[str]) -> Mapping[str, int]:
        return sizes(self.client, self.output, paths)

    def listed(self) -> Iterator[str]:
        root = len(self.output.below)
        for item in list_objects(self.client, self.output):
            path = item["Key"][root:]
            if not path.endswith("/") and holds_published(path.partition("/")[0]):
                yield path

    def content(self, path: str) -> Iterator[bytes]:
        place = self.output / path
        with aws_errors_named(str(place)):
            size = self.client.head_object(Bucket=place.bucket, Key=place.key)["ContentLength"]
        stream = ObjectStream(self.client, place.bucket, place.key, size)
        while piece := stream.read(_PIECE_BYTES):
            yield piece
