"""The engine is chosen by what one machine can hold, and where the job is started."""

from __future__ import annotations

import pytest

from ndr_core.errors import Problem, UsageError
from ndr_core.jobs.choice import (
    EngineSettings,
    Machine,
    choose,
    choose_for_features,
    refuse_unable,
)
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


@pytest.mark.parametrize("beyond", ["input.format: delimited", "input.pairing: biflow"])
def test_an_engine_that_can_not_do_what_is_asked_for_is_refused_with_those_that_can(
    beyond: str,
) -> None:
    with pytest.raises(UsageError, match=rf"^{beyond}: the engine spark-sql can't; take --engine"):
        refuse_unable("spark-sql", beyond)
    for engine, asked in (("spark-sql", None), ("spark", beyond), ("polars", beyond)):
        refuse_unable(engine, asked)


def test_a_spec_that_needs_polars_is_refused_where_there_is_none() -> None:
    spec = make_spec("vpcflow")
    bare = Machine(GIB, has_cluster=True, has_polars=False)

    with pytest.raises(
        UsageError, match=r"^input.pairing: biflow: Polars does it, and there is no"
    ):
        spec.choose_engine(1, bare)
    assert make_spec().choose_engine(1, bare).engine == "spark-sql"


@pytest.mark.parametrize(
    ("keys", "engine"), [([], "polars"), (["source_ip", "destination_ip"], "spark")]
)
def test_a_spec_that_deduplicates_leaves_less_to_one_machine(keys: list[str], engine: str) -> None:
    spec = make_spec(quality={"deduplicate_on": keys})

    assert spec.choose_engine(GIB, DRIVER).engine == engine


@pytest.mark.parametrize(
    ("size", "settings", "has_cluster", "engine"),
    [
        (500, EngineSettings(one_machine_bytes=500), True, "polars"),
        (501, EngineSettings(one_machine_bytes=500), True, "spark"),
        (501, EngineSettings(one_machine_bytes=500), False, "polars"),
        (1 << 40, AS_IS, True, "polars"),
    ],
)
def test_features_are_built_on_a_cluster_where_the_spec_says_that_one_machine_is_not_for_them(
    size: int, settings: EngineSettings, has_cluster: bool, engine: str
) -> None:
    assert choose_for_features(size, settings, has_cluster=has_cluster).engine == engine
