"""The engine is chosen by what one machine can hold, and where the job is started."""

from __future__ import annotations

import pytest

from ndr_core.errors import Problem, UsageError
from ndr_core.flows.formats import FileFormat
from ndr_core.jobs.choice import EngineSettings, Machine, choose, refuse_unable
from tests.makers import make_spec

GIB = 1 << 30
DRIVER = Machine(memory_bytes=16 * GIB, has_cluster=True)
AS_IS = EngineSettings()


@pytest.mark.parametrize(("size", "engine"), [(0, "polars"), (GIB, "polars"), (GIB + 1, "spark")])
def test_a_large_machine_builds_up_to_a_gibibyte_by_itself(size: int, engine: str) -> None:
    assert choose(size, AS_IS, DRIVER, compares=False).engine == engine


@pytest.mark.parametrize(("size", "engine"), [(GIB // 4, "polars"), (GIB // 4 + 1, "spark")])
def test_a_small_machine_builds_less(size: int, engine: str) -> None:
    small = Machine(memory_bytes=4 * GIB, has_cluster=True)

    assert choose(size, AS_IS, small, compares=False).engine == engine


@pytest.mark.parametrize(("size", "engine"), [(GIB // 4, "polars"), (GIB // 4 + 1, "spark")])
def test_records_that_are_compared_take_more_memory(size: int, engine: str) -> None:
    assert choose(size, AS_IS, DRIVER, compares=True).engine == engine


@pytest.mark.parametrize(("size", "engine"), [(500, "polars"), (501, "spark")])
def test_the_spec_may_say_how_much_one_machine_builds(size: int, engine: str) -> None:
    choice = choose(size, EngineSettings(one_machine_bytes=500), DRIVER, compares=True)

    assert choice.engine == engine
    assert "engine.one_machine_bytes" in choice.reason


def test_nothing_is_left_to_one_machine_where_the_spec_says_so() -> None:
    assert choose(1, EngineSettings(one_machine_bytes=0), DRIVER, compares=False).engine == "spark"


def test_without_a_cluster_one_machine_builds_all() -> None:
    laptop = Machine(memory_bytes=GIB, has_cluster=False)

    choice = choose(100 * GIB, AS_IS, laptop, compares=True)

    assert (choice.engine, choice.reason) == ("polars", "there is one machine")


def test_without_polars_a_cluster_takes_sql_and_says_what_to_do() -> None:
    bare = Machine(memory_bytes=16 * GIB, has_cluster=True, has_polars=False)

    choice = choose(1, AS_IS, bare, compares=False)

    assert choice.engine == "spark-sql"
    assert "`ndr pipeline package` adds its wheels" in choice.reason


def test_the_reason_names_the_size_and_the_limit() -> None:
    small = choose(10, AS_IS, DRIVER, compares=False).reason
    large = choose(2 * GIB, AS_IS, DRIVER, compares=False).reason

    assert small == (
        "10 packed bytes are at most 1,073,741,824 for one machine (by its memory of 17,179,869,184 bytes)"
    )
    assert large.startswith("2,147,483,648 packed bytes are more than 1,073,741,824 for one")


def test_a_negative_limit_is_a_problem_of_its_key() -> None:
    assert EngineSettings(one_machine_bytes=-1).problems() == [
        Problem("one_machine_bytes", "must not be negative")
    ]
    assert EngineSettings(one_machine_bytes=0).problems() == []


@pytest.mark.parametrize(
    ("keys", "engine"), [([], "polars"), (["source_ip", "destination_ip"], "spark")]
)
def test_a_spec_that_deduplicates_leaves_less_to_one_machine(keys: list[str], engine: str) -> None:
    spec = make_spec(quality={"deduplicate_on": keys})

    assert spec.choose_engine(GIB, DRIVER).engine == engine


@pytest.mark.parametrize("chosen", [FileFormat.DELIMITED, FileFormat.PARQUET])
def test_an_engine_that_can_not_read_a_format_is_refused_in_one_line_that_names_others(
    chosen: FileFormat,
) -> None:
    with pytest.raises(UsageError) as refused:
        refuse_unable("spark-sql", chosen)

    assert str(refused.value) == (
        f"engine: spark-sql reads only JSON, no input.format: {chosen.value}; take --engine spark, "
        "or polars on one machine"
    )
    refuse_unable("spark", chosen)
    refuse_unable("spark-sql", FileFormat.JSON)


def test_no_engine_is_chosen_that_would_refuse_the_format() -> None:
    spec = make_spec(input={"preset": "paloalto", "format": "parquet"})
    bare = Machine(memory_bytes=16 * GIB, has_cluster=True, has_polars=False)

    assert spec.choose_engine(1, DRIVER).engine == "polars"
    with pytest.raises(
        UsageError, match=r"input\.format: parquet is read by Polars, and there is no"
    ):
        spec.choose_engine(1, bare)
