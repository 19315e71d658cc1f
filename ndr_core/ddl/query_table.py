"""A published table as the dialects see it: its columns, what its paths spell, the files that count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from math import gcd

from attrs import frozen

from ndr_core.errors import NdrError, shown
from ndr_core.publishing.location import is_s3
from ndr_core.publishing.manifest import OutputFile
from ndr_core.publishing.published import PublishedFiles
from ndr_core.tables.columns import ColumnType
from ndr_core.tables.slices import SLICE_MINUTES_KEY


@frozen
class QueryTable:
    """What there is to say of a table in SQL."""

    root: str
    """Address of the output, without a slash at its end; of a folder its absolute path."""
    name: str
    columns: Mapping[str, ColumnType]
    """All columns that readers see, in order: those of the files first."""
    levels: tuple[str, ...]
    """The columns that paths spell, outermost first; none where there are no files."""
    files: tuple[OutputFile, ...]
    """The files that count, sorted by path."""
    slice_minutes: int
    """Minutes at which slices begin are multiples of it."""
    today: date
    """The UTC day of asking."""

    @property
    def folder(self) -> str:
        """Address of the table's folder."""
        return f"{self.root}/{self.name}"

    @property
    def addresses(self) -> Iterator[str]:
        """The addresses of its files."""
        return (f"{self.root}/{file.path}" for file in self.files)

    @property
    def in_s3(self) -> bool:
        return is_s3(self.root)

    @property
    def file_columns(self) -> dict[str, ColumnType]:
        """The columns that its files hold."""
        return {name: kind for name, kind in self.columns.items() if name not in self.levels}

    def values(self, level: str) -> list[str]:
        """What the paths of its files spell for a level, sorted."""
        return sorted({file.partition[level] for file in self.files})

    def place(self, level: str) -> int:
        """Give the place of a level's folder among the parts of a file's path, counted from the end: -1 is the file."""
        return self.levels.index(level) - len(self.levels) - 1


def query_table(found: PublishedFiles, today: date) -> QueryTable:
    """Make a table of its live files and of what manifests say of its columns.

    Raises NdrError for a column of a type that this version does not know, and for files in folders of differing
    levels.
    """
    files = found.files
    levels = _levels(files[0]) if files else ()
    for file in files:
        if _levels(file) != levels:
            raise NdrError(
                f"{found.root}/{file.path}: does not lie in folders of {', '.join(levels)}, as other files of "
                f"{found.table} do; run its mini-batch again by this version"
            )
    columns = {name: _type(found, name, kind) for name, kind in found.columns.items()}
    in_files = {name: kind for name, kind in columns.items() if name not in levels}
    in_paths = dict.fromkeys(levels, ColumnType.STRING)
    minutes = (meaning.get(SLICE_MINUTES_KEY) for meaning in found.meanings)
    known = [one if isinstance(one, int) and one > 0 else 1 for one in minutes]
    return QueryTable(
        found.root,
        found.table,
        {**in_files, **in_paths},
        levels,
        tuple(files),
        gcd(*known) or 1,
        today,
    )


def _levels(file: OutputFile) -> tuple[str, ...]:
    return tuple(folder.partition("=")[0] for folder in file.path.split("/")[1:-1])


def _type(found: PublishedFiles, name: str, kind: str) -> ColumnType:
    try:
        return ColumnType(kind)
    except ValueError:
        raise NdrError(
            f"{found.root}: {found.table}.{name} has the type {shown(kind)}, which this version does not know; "
            "use the version that wrote it"
        ) from None
