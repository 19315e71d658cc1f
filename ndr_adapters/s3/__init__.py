"""S3: reading mini-batches, publishing outputs."""

from ndr_adapters.s3.sink import S3Writer
from ndr_adapters.s3.source import S3Reader

__all__ = ["S3Reader", "S3Writer"]
