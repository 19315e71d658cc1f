"""Addresses of objects in S3, as pure text."""

from __future__ import annotations

import re

from attrs import frozen

from ndr_core.errors import UsageError, shown, without_credentials

_SCHEMES = ("s3://", "s3a://")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"[A-Za-z0-9!_.'()=/ -]*")


def is_s3(address: str) -> bool:
    """Whether an address names a place in S3, under either scheme."""
    return address.startswith(_SCHEMES)


@frozen
class S3Address:
    """A bucket and a key or prefix in it, without slashes at its ends."""

    bucket: str
    key: str

    @staticmethod
    def problem(address: str) -> str | None:
        """Say what is wrong with an address, None where nothing is.

        The prefix may not hold empty, `.` or `..` segments, nor characters that globs or URLs give a meaning.
        """
        if not is_s3(address):
            return f"{shown(address)} is no address in S3; give s3://BUCKET/PREFIX"
        bucket, key = _split(address)
        if without_credentials(address) != address:
            return (
                f"{shown(address)}: an address holds no credentials; AWS takes them from the environment, "
                "a profile or a role"
            )
        if not _BUCKET.fullmatch(bucket):
            return f"{shown(address)}: {shown(bucket)} is no name of a bucket"
        if address.endswith("//") or (key and not {"", ".", ".."}.isdisjoint(key.split("/"))):
            return f"{shown(address)}: has an empty, '.' or '..' segment"
        if not _PREFIX.fullmatch(key):
            return f"{shown(address)}: a prefix may hold letters, digits, spaces and !_.'()=/- only"
        return None

    @classmethod
    def parse(cls, address: str, what: str) -> S3Address:
        """Read `s3://bucket/some/prefix` or `s3a://...`; raise UsageError, naming `what`, for anything else."""
        problem = cls.problem(address)
        if problem is not None:
            raise UsageError(f"{what}: {problem}")
        return cls(*_split(address))

    @classmethod
    def of_object(cls, uri: str) -> S3Address:
        """The place of an object as `str` spells it; its key may be any text."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return cls(bucket, key)

    def __truediv__(self, name: str) -> S3Address:
        return S3Address(self.bucket, f"{self.key}/{name}" if self.key else name)

    def holds(self, other: object) -> bool:
        """Whether `other` is this place or lies below it."""
        if not isinstance(other, S3Address) or self.bucket != other.bucket:
            return False
        return not self.key or other.key == self.key or other.key.startswith(self.below)

    @property
    def below(self) -> str:
        """Prefix of the keys below this place."""
        return f"{self.key}/" if self.key else ""

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def _split(address: str) -> tuple[str, str]:
    """Bucket and key of an address in S3."""
    bucket, _, key = address.partition("://")[2].partition("/")
    return bucket, key.removesuffix("/")
