"""What a JobSpec says of measures and of the network is refused where it can mean nothing."""

from __future__ import annotations

import math

import pytest

from ndr_core.deltas.counters import Counter
from ndr_core.deltas.settings import DEFAULT_PORT_SETS, Delta, Enrichment, Pair
from ndr_core.errors import Problem
from ndr_core.flows.moment import Moment
from ndr_core.names import COLUMN_NAME_RULE, is_column_name
from ndr_core.times import TIME_LIMIT_US


def test_the_defaults_have_no_problem() -> None:
    assert Delta().problems() == []
    assert Enrichment().problems() == []


def test_by_default_all_measures_are_built_and_a_session_below_one_second_is_short() -> None:
    assert Delta() == Delta(
        measures=None, short_session_seconds=1.0, slice_minutes=15, moment=Moment.EVENT_END
    )


def test_by_default_pairs_have_a_timing() -> None:
    assert Pair() == Pair(timing=True)


@pytest.mark.parametrize("minutes", [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60])
def test_an_hour_is_made_of_whole_slices(minutes: int) -> None:
    assert Delta(slice_minutes=minutes).problems() == []


@pytest.mark.parametrize("minutes", [-15, 0, 7, 45, 61, 120])
def test_slices_that_do_not_fill_an_hour_are_refused_with_those_that_do(minutes: int) -> None:
    assert Delta(slice_minutes=minutes).problems() == [
        Problem(
            "slice_minutes",
            f"{minutes} does not divide 60; one of 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60",
        )
    ]


def test_problems_of_several_keys_are_listed_together() -> None:
    found = Delta(short_session_seconds=-1.0, slice_minutes=7).problems()

    assert [problem.key for problem in found] == ["short_session_seconds", "slice_minutes"]


def test_the_default_port_sets_are_those_of_known_services() -> None:
    assert Enrichment().port_sets == DEFAULT_PORT_SETS
    assert list(DEFAULT_PORT_SETS) == [
        "high_risk",
        "admin",
        "fileshare",
        "directory",
        "db",
        "web",
        "dns",
        "mail",
    ]
    assert DEFAULT_PORT_SETS["web"] == {80, 443, 8000, 8080, 8443}
    assert all(is_column_name(name) for name in DEFAULT_PORT_SETS)


@pytest.mark.parametrize("seconds", [0.0, 0.5, float(TIME_LIMIT_US // 1_000_000)])
def test_a_short_session_lasts_from_no_time_to_all_the_time_that_records_can_have(
    seconds: float,
) -> None:
    assert Delta(short_session_seconds=seconds).problems() == []


@pytest.mark.parametrize("seconds", [1e13, math.inf, math.nan, TIME_LIMIT_US // 1_000_000 + 1.0])
def test_a_longer_one_is_refused_with_the_limit_that_it_breaks(seconds: float) -> None:
    assert Delta(short_session_seconds=seconds).problems() == [
        Problem("short_session_seconds", "at most 4503599627, the time from 1970 to 2112-09-17")
    ]


@pytest.mark.parametrize("seconds", [-0.1, -math.inf])
def test_a_negative_one_is_refused_as_negative(seconds: float) -> None:
    assert Delta(short_session_seconds=seconds).problems() == [
        Problem("short_session_seconds", "must not be negative")
    ]


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none_is_refused_by_its_set(port: int) -> None:
    enrichment = Enrichment({"web": frozenset({80, port}), "all": frozenset({0, 65535})})

    assert enrichment.problems() == [Problem("port_sets.web", "ports lie between 0 and 65535")]


@pytest.mark.parametrize("name", ["Web", "a-b", "", "2x", "x" * 65])
def test_a_set_whose_name_can_be_no_column_is_refused(name: str) -> None:
    assert Enrichment({name: frozenset()}).problems() == [
        Problem(f"port_sets.{name}", f"the name {COLUMN_NAME_RULE}")
    ]


def test_at_most_256_port_sets_are_possible() -> None:
    sets = {f"set{number}": frozenset({number}) for number in range(257)}

    assert Enrichment(sets).problems() == [
        Problem("port_sets", "has 257 entries; at most 256 are possible")
    ]
    del sets["set0"]
    assert Enrichment(sets).problems() == []


DNS = Counter(peer_port=frozenset({53}))


def test_counters_are_named_as_columns_and_counts_are() -> None:
    counters = {"dns_tcp_cnt": DNS, "dns_tcp": DNS, "Dns_cnt": DNS, "x" * 61 + "_cnt": DNS}

    assert Delta(counters=counters).problems() == [
        Problem("counters.dns_tcp", "the name must end in _cnt, as those of all counts do"),
        Problem("counters.Dns_cnt", f"the name {COLUMN_NAME_RULE}"),
        Problem(f"counters.{'x' * 61}_cnt", f"the name {COLUMN_NAME_RULE}"),
    ]


def test_what_is_wrong_with_a_counter_is_told_with_its_name() -> None:
    counters = {"a_cnt": Counter(peer_port=frozenset())}

    assert Delta(counters=counters).problems() == [
        Problem("counters.a_cnt.peer_port", "needs at least one port")
    ]


def test_at_most_256_counters_are_possible() -> None:
    counters = {f"a{number}_cnt": DNS for number in range(257)}

    assert Delta(counters=counters).problems() == [
        Problem("counters", "has 257 entries; at most 256 are possible")
    ]
    del counters["a0_cnt"]
    assert Delta(counters=counters).problems() == []
