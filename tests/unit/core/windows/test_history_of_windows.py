"""The history that windows see of published days: new, rare and known pairs, day by day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.history.masks import active_days
from ndr_core.history.prevalence import OF_DAY, OF_WINDOW, Prevalence, prevalence_of
from ndr_core.tables.merge import Row
from ndr_core.times import DAY_US, MINUTE_US, day_start
from ndr_core.windows.history_source import HistorySource, history_source
from ndr_core.windows.novelty import HostHistory, histories, novelty
from tests.unit.core.history.days import HOST, NETWORKS, PEER, anew, in_order, pair

Days = Mapping[int, Sequence[Row]]


def seen(days: Days, start: int, available: set[int]) -> Mapping[tuple[str, str], HostHistory]:
    """The histories of a window that starts at a moment, where these days have history rows."""
    source = history_source(start, available, day_start(min(days)))
    return of_source(days, source)


def of_source(days: Days, source: HistorySource) -> Mapping[tuple[str, str], HostHistory]:
    assert source.is_known
    base = [] if source.base is None else anew(days, source.base)["pair_history"]
    return histories(source, base, [row for of_day in days.values() for row in of_day])


def history_at_noon(days: Days, day: int) -> HostHistory:
    """The history of the host, as a window sees it that starts at noon of a day."""
    found = seen(days, day_start(day) + DAY_US // 2, {day - 1})
    return found.get((HOST, "outbound"), HostHistory())


def active(days: Days, day: int) -> int:
    """On how many days of its history a window of noon sees the pair."""
    return active_days(history_at_noon(days, day).of_pair(PEER, 443))


def judged(days: Days, day: int) -> str:
    """What a window of noon that holds a session of the pair says of it."""
    found = novelty([pair(day, quarter=52)], history_at_noon(days, day), NETWORKS)
    counts = (found["novelty:new_pairs"], found["novelty:rare_pairs"])
    return {(1, 0): "new", (0, 1): "rare", (0, 0): "known"}[counts]


def test_a_pair_is_new_then_rare_until_its_third_day_and_then_known() -> None:
    # One session a day, at 13:00, from day 100 on; another pair shows that there were days before.
    days = {
        day: [pair(day, peer="192.0.2.99"), *([pair(day, quarter=52)] if day >= 100 else [])]
        for day in range(90, 105)
    }

    # A window of noon does not see the session that follows it.
    assert [active(days, day) for day in range(100, 105)] == [0, 1, 2, 3, 4]
    assert [judged(days, day) for day in range(100, 104)] == ["new", "rare", "rare", "known"]


def test_the_sessions_of_the_day_itself_before_the_window_count_as_one_day() -> None:
    days = {99: [pair(99, peer="192.0.2.99")], 100: [pair(100, quarter=2), pair(100, quarter=9)]}

    assert active(days, 100) == 1


def test_a_pair_is_known_on_the_29th_silent_day_and_new_again_on_the_30th() -> None:
    days = {day: [pair(day, peer="192.0.2.99")] for day in range(90, 140)}
    days[100] = [*days[100], pair(100)]

    assert [active(days, 100 + silent) for silent in (1, 28, 29, 30, 31)] == [1, 1, 1, 0, 0]
    assert [judged(days, 100 + silent) for silent in (29, 30)] == ["rare", "new"]


def test_a_day_in_the_middle_of_the_30_that_is_built_again_changes_what_later_windows_see() -> None:
    days = {day: [pair(day, peer="192.0.2.99")] for day in range(90, 130)}
    late = {**days, 110: [*days[110], pair(110)]}

    in_the_end = in_order(late, 90, 129)[129]["pair_history"]

    assert [active(days, day) for day in (110, 111, 129)] == [0, 0, 0]
    assert [active(late, day) for day in (110, 111, 129)] == [1, 1, 1]
    assert in_the_end == anew(late, 129)["pair_history"]


AGES = st.sampled_from([0, 1, 1, 2, 2, 3, 7, 8, 9, 28, 29, 30, 31])
PAIRS = st.lists(
    st.builds(
        lambda age, host, peer, port, quarter: pair(200 - age, host, peer, port, quarter=quarter),
        AGES,
        st.sampled_from([HOST, "10.0.0.2", "10.0.0.3"]),
        st.sampled_from([PEER, "192.0.2.9"]),
        st.sampled_from([None, 443]),
        st.integers(0, 95),
    ),
    max_size=15,
)


@settings(max_examples=60, deadline=None)
@given(PAIRS, st.integers(0, 95))
def test_without_the_row_of_the_day_before_its_slices_give_the_same(
    pairs: list[Row], quarter: int
) -> None:
    days: dict[int, list[Row]] = {100: [pair(100)]}
    for row in pairs:
        days.setdefault(row["slice_start_ts"] // DAY_US, []).append(row)
    start = day_start(200) + quarter * 15 * MINUTE_US

    of_yesterday = seen(days, start, {199})
    of_the_day_before = seen(days, start, {198})

    assert of_the_day_before == of_yesterday
    assert prevalence(of_the_day_before) == prevalence(of_yesterday) == of_table(days)


def prevalence(known: Mapping[tuple[str, str], HostHistory]) -> Prevalence:
    contacts = (
        (host, peer, mask)
        for (host, _), history in known.items()
        for (peer, _), mask in history.pairs.items()
    )
    return prevalence_of(contacts, OF_WINDOW, NETWORKS)


def of_table(days: Days) -> Prevalence:
    """What the table of prevalence of the day before says."""
    tables = anew(days, 199)
    rows = tables["prevalence"]
    found = Prevalence(
        {row["peer_ip"]: row["hosts_cnt"] for row in rows},
        rows[0]["hosts_seen_cnt"] if rows else 0,
    )
    masks = ((row["host_ip"], row["peer_ip"], row["days_mask"]) for row in tables["pair_history"])
    assert prevalence_of(masks, OF_DAY, NETWORKS) == found
    return found
