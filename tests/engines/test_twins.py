"""The twins: `polars/` and `spark/sql/` have the same files, with the same public functions and classes in them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import ndr_adapters

ROOT = Path(ndr_adapters.__file__).parent
POLARS, SPARK = "polars", "spark/sql"

FILES_OF_ONE: dict[str, dict[str, str]] = {
    POLARS: {
        "addresses": "numbers of one process; executors of Spark share none",
        "inspection": "people look at an output on one machine: no cluster needs it",
        "partial": "what tasks of the fan-out make of some records; Spark SQL adds up where it shuffles",
        "plain_pattern": "only Polars' reader fails a whole query on a malformed line, and needs a pattern before it",
        "spool": "Spark holds what several queries read in the files of its shuffle",
        "s3": "Spark is set up to reach S3 where it runs: `spark/runtime/s3`",
    },
    SPARK: {
        "flags": "Spark counts bits of one number, Polars a column per counter",
        "shuffled": "one machine shuffles nothing",
        "skew": "one machine has no task that waits for another",
        "tasks": "one machine cuts its work by itself",
    },
}

NAMES_OF_ONE: dict[str, dict[str, str]] = {
    POLARS: {
        "aggregate.cells_of": "tasks of the fan-out send them on; Spark SQL has them within a query",
        "aggregate.finish_histogram": "hosts are built by several queries, each in bounded memory",
        "aggregate.fitted": "tasks of the fan-out send sums on that are wider; Spark SQL has them within a query",
        "aggregate.histogram_cells": "hosts are built by several queries, each in bounded memory",
        "aggregate.merge_cells": "pairs are built in shares, so that few are in memory at once",
        "aggregate.number_hosts": "a number for a host takes less memory than its keys",
        "aggregate.numbered_cells": "hosts are built by several queries, each in bounded memory",
        "aggregate.overflows": "tasks of the fan-out find them, and the driver refuses them",
        "aggregate.refuse_overflow": "tasks of the fan-out find them, and the driver refuses them",
        "aggregate.summed_cells": "the fan-out adds up cells of several tasks; Spark SQL has them within a query",
        "aggregate.wide_host_sums": "tasks of the fan-out send them on; Spark SQL has them within a query",
        "engine.PolarsEngine": "an engine's name",
        "fields.columns_of": "a frame needs the types of columns that no line has",
        "fields.doubts": "a method of how Spark reads a field plainly",
        "lines.LineFeed": "Polars takes lines from Python, Spark reads files itself",
        "lines.lines_frame": "Polars takes lines from Python, Spark reads files itself",
        "quality.duplicate_keys": "the fan-out shares records by them; Spark SQL does so within a query",
        "quality.engine_result": "Polars and the fan-out have the same frame of counts",
        "quality.may_be_duplicate": "the fan-out compares these only; Spark SQL does so within a query",
        "quality.no_counts": "a run of the fan-out in which no task had a record has no frame of counts",
        "quality.rejected_records": "Polars names its one file of rejected records by the counts",
        "views.host_columns": "a host is one number in Polars' views",
        "views.numbered": "a host is one number in Polars' views",
        "write.StagingRoot": "Polars takes the options of S3 with each call, Spark with the session",
        "write.write_named": "tasks of the fan-out name the files that they write; Spark names its own",
    },
    SPARK: {
        "aggregate.host_rows": "hosts are joined where they lie, by one query",
        "engine.SparkSqlEngine": "an engine's name",
        "expr.Sql": "text needs a type to be known for SQL; Polars has expressions",
        "expr.matches": "Polars' patterns match as Python's do",
        "expr.quoted": "text needs quotes around names; Polars has expressions",
        "fields.Reading": "a frozen value that both ways of reading share; carefully, Polars calls the core",
        "fields.iso_us": "both ways of reading share it; carefully, Polars calls the core",
        "fields.readings_of": "both ways of reading share it; carefully, Polars calls the core",
        "ip_address.is_plain_ip": "the pattern of plain lines sees to that for Polars",
        "lines.read_lines": "Spark reads files itself, Polars takes lines from Python",
        "quality.dropped": "what is not kept is held once, for the quarantine and for counting",
        "views.role_name": "a role is a number in Spark's views",
        "write.rejected_files": "Spark names the file that it writes; Polars is given a name",
    },
}


def public_names(folder: str) -> dict[str, set[str]]:
    """File -> names of the public functions, classes and types that it defines."""
    return {
        path.stem: {name for node in ast.parse(path.read_text()).body for name in _names(node)}
        for path in (ROOT / folder).glob("*.py")
        if path.stem != "__init__"
    }


def _names(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [] if name.startswith("_") else [name]
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="NewType"))):
            return [name]
    return []


def differences(one: dict[str, set[str]], other: dict[str, set[str]]) -> tuple[set[str], set[str]]:
    """Files of `one` that `other` lacks, and `file.name` of what a file of both has in `one` only."""
    shared = one.keys() & other.keys()
    names = {f"{file}.{name}" for file in shared for name in one[file] - other[file]}
    return one.keys() - shared, names


@pytest.mark.parametrize(("side", "twin"), [(POLARS, SPARK), (SPARK, POLARS)])
def test_each_file_and_each_public_name_has_its_twin_or_a_reason_to_have_none(
    side: str, twin: str
) -> None:
    files, names = differences(public_names(side), public_names(twin))

    assert files == set(FILES_OF_ONE[side])
    assert names == set(NAMES_OF_ONE[side])


def test_a_function_that_is_added_to_one_side_only_is_found() -> None:
    ours, theirs = public_names(POLARS), public_names(SPARK)
    before = differences(ours, theirs)[1]

    ours["quality"].add("weigh")

    assert differences(ours, theirs)[1] - before == {"quality.weigh"}


def test_most_of_what_the_twins_have_is_found_by_one_name() -> None:
    ours, theirs = public_names(POLARS), public_names(SPARK)

    same = {f"{file}.{name}" for file in ours for name in ours[file] & theirs.get(file, set())}

    assert len(same) > max(len(NAMES_OF_ONE[POLARS]), len(NAMES_OF_ONE[SPARK]))
