"""Looking after an output in S3."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from ndr_adapters.aws.clients import s3_client
from ndr_adapters.s3.claims import ClaimLog
from ndr_adapters.s3.migrate import migrate_output
from ndr_adapters.s3.prune import prune_output
from ndr_adapters.s3.published import S3Tables
from ndr_core.publishing.location import S3Address
from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.pruning import Removed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@frozen
class S3Upkeep:
    """The output below a prefix."""

    client: S3Client
    output: S3Address

    @classmethod
    def open(cls, output: S3Address, kms_key: str | None = None) -> S3Upkeep:
        """Open an output with a client of its own, whose writes are encrypted by a key of KMS, if one is given.

        Raises UsageError where S3 is not set up.
        """
        return cls(s3_client(kms_key=kms_key), output)

    @property
    def tables(self) -> S3Tables:
        return S3Tables(self.client, self.output)

    def prune(
        self, before: int, notice: Callable[[str], None], *, dry_run: bool = False
    ) -> Removed:
        return prune_output(ClaimLog(self.client, self.output, notice), before, dry_run=dry_run)

    def migrate(
        self, columns_of: Callable[[str], Mapping[str, str]], notice: Callable[[str], None]
    ) -> Sequence[Manifest]:
        return migrate_output(ClaimLog(self.client, self.output, notice), columns_of)
