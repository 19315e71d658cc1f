"""What a run of a day knows."""

from __future__ import annotations

from attrs import evolve

from ndr_core.features.days import date_of
from ndr_core.features.networks import Hosts
from ndr_core.history.plan import compile_history_plan, row_place
from ndr_core.history.spec import PairHistorySpec, PairInputs
from tests.makers import us

DAY = 20_148
"""2025-03-01: 55 years of 365 days, 13 leap days (1972 to 2020, 2024 makes 14), and 31 + 28 days."""
SPEC = PairHistorySpec("acme", feature_spec_version="v2")
PLAN = compile_history_plan(SPEC, DAY, us("2025-03-02T00:10:00Z"))


def test_the_day_is_a_utc_day() -> None:
    assert DAY == 55 * 365 + 14 + 31 + 28
    assert PLAN.start == us("2025-03-01T00:00:00Z")
    assert date_of(DAY) == "2025-03-01"


def test_the_30_days_end_with_the_day() -> None:
    assert PLAN.leaving_day == DAY - 30
    assert PLAN.earlier_days == tuple(range(DAY - 29, DAY))


def test_pair_slices_are_those_of_the_same_version_unless_another_is_named() -> None:
    other = evolve(SPEC, inputs=PairInputs("v1"))

    assert PLAN.deltas_version == "v2"
    assert compile_history_plan(other, DAY, 0).deltas_version == "v1"


def test_internal_hosts_have_rows_and_others_where_all_are_asked_for() -> None:
    of_all = compile_history_plan(evolve(SPEC, hosts=Hosts.ALL), DAY, 0)

    assert [PLAN.has_rows(ip) for ip in ("10.0.0.1", "192.0.2.1", "239.0.0.1")] == [
        True,
        False,
        False,
    ]
    assert of_all.has_rows("192.0.2.1")


def test_rows_of_a_run_share_day_moment_and_version() -> None:
    assert PLAN.constants() == {
        "day_ts": us("2025-03-01T00:00:00Z"),
        "published_at": us("2025-03-02T00:10:00Z"),
        "feature_spec_version": "v2",
        "dt": "2025-03-01",
    }


def test_errors_say_where() -> None:
    assert str(PLAN.misfit("10.0.0.1")) == (
        "pair_history: the history of 2025-02-28 was not made from the pair tile of 2025-01-30 as it is now "
        "(host 10.0.0.1); build the history of 2025-02-28 again"
    )
    assert row_place("pair_tile", DAY, "inbound", "10.0.0.1") == (
        "host 10.0.0.1 (inbound, pair_tile of 2025-03-01)"
    )
