"""Which dialects there are, and a page of SQL in one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from attrs import frozen

from ndr_core.ddl.athena import athena
from ndr_core.ddl.clickhouse import clickhouse
from ndr_core.ddl.duckdb import duckdb
from ndr_core.ddl.query_table import QueryTable
from ndr_core.ddl.spark import spark
from ndr_core.errors import NdrError, shown

_MOST_NAMED: Final = 5

_CONTRIBUTIONS: Final = (
    "-- A row of a table with mini_batch_id is what one mini-batch adds: counts, sums and histograms add over them,",
    "-- distinct counts, entropies and percentiles don't.",
)
_FILES: Final = (
    "-- Names the files that count now: print it again when a run has published, after `ndr compact` and `ndr prune`.",
)
_FOLDERS: Final = (
    "-- Reads whole folders, of which all files counted when this was printed. While a run publishes that replaces",
    "-- another, or until the next run removes what a killed one left, rows of both are read: see `ndr verify`.",
)


@frozen
class Dialect:
    """A kind of SQL."""

    statement: Callable[[QueryTable], str]
    """Gives the statements that make a table queryable."""
    reads_folders: bool
    """Whether it reads all files of a folder: then no file may lie there that does not count."""
    notes: tuple[str, ...]
    """What whoever runs it has to know, as comments."""


DIALECTS: Final[Mapping[str, Dialect]] = {
    "athena": Dialect(
        athena,
        reads_folders=True,
        notes=(
            "-- Athena takes one statement at a time. A table that is there already: DROP TABLE it first, which leaves",
            "-- its files. Print it again for days before the first one, and for another feature_spec_version.",
        ),
    ),
    "duckdb": Dialect(
        duckdb,
        reads_folders=False,
        notes=(
            "-- For S3 first: INSTALL httpfs; LOAD httpfs; CREATE SECRET (TYPE s3, PROVIDER credential_chain);",
        ),
    ),
    "spark": Dialect(
        spark,
        reads_folders=True,
        notes=(
            "-- Run MSCK REPAIR TABLE again for what is published later. One that is there already: DROP TABLE first,",
            "-- which leaves its files. Times are shown in spark.sql.session.timeZone.",
        ),
    ),
    "clickhouse": Dialect(
        clickhouse,
        reads_folders=False,
        notes=(
            "-- Of a folder: a server reads below its user_files_path only. A null list is empty.",
        ),
    ),
}


def page(name: str, root: str, tables: Iterable[QueryTable]) -> str:
    """Write the SQL of a dialect, one of DIALECTS, for the tables of an output. Raises as the dialect's statement."""
    dialect = DIALECTS[name]
    notes = (
        f"-- Tables of {shown(root, len(root) * 10)} for {name}",
        *(_FOLDERS if dialect.reads_folders else _FILES),
        *_CONTRIBUTIONS,
        *dialect.notes,
    )
    return "\n\n".join(["\n".join(notes), *map(dialect.statement, tables)]) + "\n"


def looked_at(path: str, tables: Iterable[str]) -> bool:
    """Whether engines that read whole folders read a file, named below the root: hidden ones they leave out."""
    top, *_, name = path.split("/")
    return top in tables and not name.startswith(("_", "."))


def refuse_uncounted(name: str, root: str, paths: Iterable[str]) -> None:
    """Raise NdrError where files that do not count lie in folders that a dialect reads whole.

    `paths`: those files, named below the root.
    """
    found = sorted(paths)
    if found and DIALECTS[name].reads_folders:
        more = f" and {len(found) - _MOST_NAMED:,} more files" if len(found) > _MOST_NAMED else ""
        raise NdrError(
            f"{root}: {name} would read what does not count: {', '.join(found[:_MOST_NAMED])}{more}; try again when "
            "no run is at work (the next run removes what a killed one left), finish `ndr prune`, or remove files "
            "that no run has made"
        )
