"""Hosts are chosen in turn from all rankings, those that were asked for first."""

from __future__ import annotations

from ndr_core.report.choice import ASKED, Chosen, choose_hosts

RANKINGS = {"scan_score": ["a", "b", "c"], "sessions": ["d", "a"]}


def test_the_first_of_each_ranking_come_before_the_second_ones() -> None:
    chosen = choose_hosts((), RANKINGS)

    assert [one.host for one in chosen] == ["a", "d", "b", "c"]


def test_a_host_comes_once_and_says_where_it_stands() -> None:
    first = choose_hosts((), RANKINGS)[0]

    assert first == Chosen("a", ("1. of scan_score", "2. of sessions"))


def test_hosts_that_were_asked_for_come_first_and_beside_the_most() -> None:
    chosen = choose_hosts(("x", "b", "x"), RANKINGS, most=1)

    assert [one.host for one in chosen] == ["x", "b", "a"]
    assert chosen[0].reasons == (ASKED,)
    assert chosen[1].reasons == (ASKED, "2. of scan_score")


def test_without_rankings_nobody_is_chosen() -> None:
    assert choose_hosts((), {}) == ()
    assert choose_hosts((), {"scan_score": []}) == ()
