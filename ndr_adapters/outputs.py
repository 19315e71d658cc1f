"""Outputs by the address that a user gives."""

from __future__ import annotations

from pathlib import Path

from ndr_adapters.home import with_home
from ndr_adapters.local.upkeep import FolderUpkeep
from ndr_core.publishing.location import S3Address, is_s3
from ndr_core.publishing.published import WholeOutput
from ndr_core.publishing.upkeep import Upkeep


def open_output(address: Path | str) -> WholeOutput:
    """Open an output to read: a folder (`~` is the home folder) or an address `s3://..`.

    Raises UsageError for what is no address, or where S3 is not set up. Nothing is read yet.
    """
    return keep_output(address).tables


def keep_output(address: Path | str, kms_key: str | None = None) -> Upkeep:
    """Open an output to look after it. Else as `open_output`.

    `kms_key`: the key of KMS by which what is written to S3 is encrypted; default: as the bucket says.
    """
    if not (isinstance(address, str) and is_s3(address)):
        return FolderUpkeep(with_home(address))
    # Only who has an output in S3 needs boto3.
    from ndr_adapters.s3.upkeep import S3Upkeep

    return S3Upkeep.open(S3Address.parse(address, "output"), kms_key)
