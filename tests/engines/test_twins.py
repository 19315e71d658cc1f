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
        "clock": "Spark SQL reads no other format than JSON, which its reader takes by type",
        "delimited": "Spark SQL reads no other format than JSON",
        "feed": "Polars takes lines from Python, Spark reads files itself",
        "headed": "Spark SQL reads no format with headers",
        "lookup": "Spark's own expressions have no step between two passes over a block of lines",
        "object_rows": "carefully, Polars calls the core, Spark SQL reads by itself",
        "parquet": "Spark SQL reads no other format than JSON",
        "instants": "Spark SQL reads no other format than JSON",
        "row_texts": "Spark SQL reads no other format than JSON",
        "texts": "of JSON there is one text, which Spark SQL makes as it reads",
        "typed": "Spark SQL reads no other format than JSON",
        "distinct": "Spark's own expressions have no step between two passes over a block of lines",
        "derive": "a host is one number in Polars' views, and rows that were merged are finished alike",
        "cell_counts": "hosts are built by several queries, each in bounded memory",
        "compact": "a day is compacted on one machine, a slice at a time",
        "contributions": "clusters merge what they read by the fan-out",
        "histograms": "expressions of Polars for users; SQL has its own in the manual",
        "merge": "clusters merge by the fan-out, with these functions",
        "table_files": "clusters merge what they read by the fan-out",
        "scan": "Spark takes the columns of all files by itself",
        "windows": "clusters merge by the fan-out",
        "outcome": "Spark SQL counts in rows of its own; the engine and the fan-out count alike",
        "overflow": "Spark SQL looks for overflow in rows of its own; the engine and the fan-out alike",
        "partial": "Spark SQL adds up by itself; the fan-out has tasks that make parts, and tasks that add them up",
        "moments": "what lands in a folder is built on one machine: no cluster watches one",
        "keys": "rows of Spark are grouped by columns as they are",
        "marks": "rows of Spark have no numbers by which they lie in order",
        "runs": "rows of Spark lie in no order",
        "inspection": "people look at an output on one machine: no cluster needs it",
        "pair_timing": "Spark SQL counts cells of pairs by two aggregates, within `aggregate.pair_table`",
        "pairing": "Spark SQL refuses to pair one-way records; the fan-out pairs with these functions",
        "pieces": "Spark's JSON reader takes lines as they come; Polars reads even lines faster without one",
        "plain_pattern": "only Polars' reader fails a whole query on a malformed line, and needs a pattern before it",
        "spool": "Spark holds what several queries read in the files of its shuffle",
        "durations": "pieces lack what no line of a template has; SQL has a case for each field",
        "recipe": "see `pieces`",
        "selection": "pieces are looked at once for each distinct text; SQL looks at columns",
        "template": "see `pieces`",
        "time_spelling": "see `pieces`",
        "token": "see `plain_pattern`",
        "value_map": "pieces look rows up by numbers of distinct texts; SQL compares texts",
        "values": "see `pieces`",
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
        "aggregate.added_pairs": "the fan-out adds up what its tasks made; Spark SQL adds up by itself",
        "aggregate.added_sums": "the fan-out adds up what its tasks made; Spark SQL adds up by itself",
        "aggregate.cells_of": "the fan-out adds up what its tasks made; Spark SQL adds up by itself",
        "aggregate.pair_parts": "the fan-out adds up what its tasks made; Spark SQL adds up by itself",
        "aggregate.summarized": "the fan-out adds up what its tasks made; Spark SQL adds up by itself",
        "lines.line_feed": "Polars takes lines from Python, Spark reads files itself",
        "plain.sources_of": "SQL names what is inside a struct",
        "lines.lines_frame": "a task of the fan-out has blocks of lines",
        "quality.added_counts": "the fan-out adds up what its tasks counted",
        "quality.may_be_duplicate": "the fan-out brings records with one key together",
        "write.write_named": "a task of the fan-out has rows in memory, and a name for its files",
        "aggregate.joined": "pairs are built in shares, so that few are in memory at once",
        "aggregate.merge_cells": "pairs are built in shares, so that few are in memory at once",
        "aggregate.name_hosts": "a host is one number in Polars' views",
        "engine.PolarsEngine": "an engine's name",
        "engine.failures_named": "a feed brings lines from Python; Spark reads files itself",
        "engine.record_feed": "Spark reads files itself, Polars takes lines from Python",
        "time_text.can_be": "a method of how Spark reads a field plainly",
        "fields.columns_of": "a frame needs the types of columns that no line has",
        "fields.doubts": "a method of how Spark reads a field plainly",
        "fields.first_that_fits": "texts of the formats that Spark SQL does not read have times, too",
        "fields.took_of": "texts of the formats that Spark SQL does not read have times, too",
        "fields.without": "a method of how Spark reads a field plainly",
        "published.read_deltas": "the fan-out merges what several runs contributed",
        "published.read_pairs": "the fan-out merges what several runs contributed",
        "views.Form": "a value is held once for all roles in Polars' views, as narrow as it can be",
        "views.RoleViews": "a value is held once for all roles in Polars' views, as narrow as it can be",
        "views.form_of": "a value is held once for all roles in Polars' views, as narrow as it can be",
        "views.host_columns": "a host is one number in Polars' views",
        "views.needed_columns": "Spark leaves out by itself what nothing reads",
        "views.numbered": "a host is one number in Polars' views",
        "write.FileLayout": "only files of frames that the fan-out has in memory are laid out by it",
        "write.StagingRoot": "Polars takes the options of S3 with each call, Spark with the session",
    },
    SPARK: {
        "write.rejected_files": "Spark names the files that it writes",
        "aggregate.host_rows": "hosts are joined where they lie, by one query",
        "engine.SparkSqlEngine": "an engine's name",
        "expr.Sql": "text needs a type to be known for SQL; Polars has expressions",
        "expr.matches": "Polars' patterns match as Python's do",
        "expr.quoted": "text needs quotes around names; Polars has expressions",
        "fields.bad_times": "carefully, Polars calls the core",
        "fields.condition_column": "SQL names what a condition looks at",
        "time_text.number_us": "a number has a type of its own in Polars' readers",
        "fields.Reading": "a frozen value that both ways of reading share; carefully, Polars calls the core",
        "fields.readings_of": "both ways of reading share it; carefully, Polars calls the core",
        "ip_address.is_plain_ip": "the pattern of plain lines sees to that for Polars",
        "lines.read_lines": "Spark reads files itself, Polars takes lines from Python",
        "published.read_files": "what the fan-out has merged is read, too",
        "published.reading_session": "settings belong to a session, not to a call",
        "quality.dropped": "what is not kept is held once, for the quarantine and for counting",
        "quality.dropped_counts": "what is not kept is held once, for the quarantine and for counting",
        "views.role_name": "a role is a number in Spark's views",
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
