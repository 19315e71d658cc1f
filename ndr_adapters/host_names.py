"""The names of hosts from CSV in a folder, a file or S3."""

from __future__ import annotations

from collections.abc import Callable

from ndr_core.baselines.names import HostNames, parse_host_names
from ndr_core.errors import UnreadableFileError, UsageError
from ndr_core.flows.source import FlowSource, InputFile


def read_host_names(source: FlowSource, notice: Callable[[str], None]) -> HostNames:
    """Read a table of names: all files of a source together, each with a header, packed or not.

    `notice` takes what a user should know though the run goes on. Raises UsageError, naming the file, for what is
    missing, can't be read or is no such table.
    """
    tables = [_read(source, file) for file in source.files(notice)]
    return HostNames(tuple(row for table in tables for row in table.rows))


def _read(source: FlowSource, file: InputFile) -> HostNames:
    origin = f"names {file.uri}"
    try:
        text = b"".join(source.blocks(file)).decode()
    except UnreadableFileError as error:
        raise UsageError(f"{origin}: {error}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{origin}: is no text in UTF-8: {error}") from error
    return parse_host_names(text, origin)
