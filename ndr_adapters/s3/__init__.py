"""S3: reading mini-batches, publishing outputs."""

from ndr_adapters.s3.reader import S3Reader
from ndr_adapters.s3.writer import S3Writer

__all__ = ["S3Reader", "S3Writer"]
