"""Outputs by the address that a user gives."""

from __future__ import annotations

from pathlib import Path

from ndr_adapters.home import with_home
from ndr_adapters.local.published import FolderTables
from ndr_core.publishing.location import S3Address, is_s3
from ndr_core.publishing.published import WholeOutput


def open_output(address: Path | str) -> WholeOutput:
    """Open an output to read: a folder (`~` is the home folder) or an address `s3://..`.

    Raises UsageError for what is no address, or where S3 is not set up. Nothing is read yet.
    """
    if not (isinstance(address, str) and is_s3(address)):
        return FolderTables(with_home(address))
    # Only who has an output in S3 needs boto3.
    from ndr_adapters.s3.published import S3Tables

    return S3Tables.open(S3Address.parse(address, "output"))
