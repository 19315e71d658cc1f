"""How many of the internal hosts contact a peer."""

from __future__ import annotations

from ndr_core.features.networks import Networks
from ndr_core.history.masks import day_bit, shifted
from ndr_core.history.prevalence import OF_DAY, OF_WINDOW, prevalence_of

NETWORKS = Networks()


def test_each_internal_host_counts_once_for_a_peer() -> None:
    contacts = [
        ("10.0.0.1", "192.0.2.7", 1),
        ("10.0.0.1", "192.0.2.7", 2),  # by another port
        ("10.0.0.2", "192.0.2.7", 1),
        ("10.0.0.2", "192.0.2.8", 1),
        ("10.0.0.3", "192.0.2.9", 1),
        ("198.51.100.1", "192.0.2.7", 1),  # an external host
    ]

    found = prevalence_of(contacts, OF_DAY, NETWORKS)

    assert found.hosts_cnt == {"192.0.2.7": 2, "192.0.2.8": 1, "192.0.2.9": 1}
    assert found.hosts_seen_cnt == 3
    assert found.of("192.0.2.7") == 2 / 3
    assert found.of("192.0.2.1") == 0.0


def test_where_no_internal_host_was_seen_there_is_none() -> None:
    found = prevalence_of([("198.51.100.1", "192.0.2.7", 1)], OF_DAY, NETWORKS)

    assert found.hosts_seen_cnt == 0
    assert found.of("192.0.2.7") is None


def test_the_day_and_the_6_days_before_count_for_a_day() -> None:
    def hosts(days_before: int) -> int:
        contacts = [("10.0.0.1", "192.0.2.7", day_bit(days_before))]
        return prevalence_of(contacts, OF_DAY, NETWORKS).hosts_seen_cnt

    assert [hosts(days_before) for days_before in range(9)] == [1, 1, 1, 1, 1, 1, 1, 0, 0]


def test_a_window_counts_the_same_days_as_the_day_before_and_never_its_own() -> None:
    for days_before in range(30):
        mask = day_bit(days_before)
        of_day = prevalence_of([("10.0.0.1", "192.0.2.7", mask)], OF_DAY, NETWORKS)
        later = shifted(mask, 1) | day_bit(0)

        of_window = prevalence_of([("10.0.0.1", "192.0.2.7", later)], OF_WINDOW, NETWORKS)

        assert of_window == of_day
