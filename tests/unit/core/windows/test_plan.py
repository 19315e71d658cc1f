"""The plan of windows, and what it refuses before any work."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import asdict

from ndr_core.deltas.roles import INBOUND, OUTBOUND
from ndr_core.errors import SpecError
from ndr_core.features.networks import Hosts, Networks
from ndr_core.measures.kinds import Measure
from ndr_core.windows.calendar import Calendar
from ndr_core.windows.history_source import HistorySource
from ndr_core.windows.labels import DEFAULT_LABELS, WindowLabel
from ndr_core.windows.plan import WindowPlan, compile_window_plan
from ndr_core.windows.settings import DetectionPorts
from tests.makers import make_plan, make_spec, us
from tests.window_cases import DAY, DELTA_PLAN, ELEVENTH, HOUR, TWELFTH, window_plan

TEN = us("2025-03-12T10:00:00Z")
KNOWN = HistorySource(TWELFTH, ELEVENTH, ())


def compiled(**changes: Any) -> WindowPlan:
    parts: dict[str, Any] = {
        "measures": DELTA_PLAN.measures,
        "roles": [asdict(OUTBOUND), asdict(INBOUND)],
        "slice_minutes": 15,
        "labels": DEFAULT_LABELS,
        "networks": Networks(),
        "ports": DetectionPorts(),
        "calendar": Calendar(),
        "hosts": Hosts.INTERNAL,
        "feature_spec_version": "v1",
        "published_at": 0,
    }
    return compile_window_plan(**(parts | changes))


def without(*names: str) -> tuple[Measure, ...]:
    return tuple(measure for measure in DELTA_PLAN.measures if measure.name not in names)


def test_a_plan_knows_which_windows_end_at_an_anchor() -> None:
    plan = compiled()

    assert [label.name for label in plan.due(TEN)] == ["w_15m", "w_30m", "w_1h", "w_8h", "w_24h"]
    assert plan.due(TEN + 60_000_000) == ()
    assert [table.name for table in plan.tables] == ["fg_a", "beacon"]


def test_windows_that_slices_can_not_make_are_refused() -> None:
    with pytest.raises(SpecError, match=r"^windows\.labels\.w_15m: its windows of 15 min"):
        compiled(slice_minutes=10, labels=[WindowLabel(15, 10)])


@pytest.mark.parametrize(
    "roles",
    [
        [asdict(OUTBOUND)],
        [],
        [asdict(OUTBOUND), asdict(INBOUND) | {"peer": "destination_ip"}],
        [asdict(OUTBOUND), asdict(INBOUND), asdict(INBOUND) | {"name": "third"}],
    ],
)
def test_roles_that_are_no_mirror_of_each_other_are_refused(roles: list[dict[str, str]]) -> None:
    with pytest.raises(SpecError, match=r"^roles: the deltas have .*; windows need the roles"):
        compiled(roles=roles)


def test_a_measure_that_a_column_needs_and_the_deltas_lack_is_refused_by_name() -> None:
    with pytest.raises(SpecError) as error:
        compiled(measures=without("drop_cnt", "high_risk_sessions_cnt", "alert_cnt"))

    assert str(error.value).splitlines() == [
        "drop_cnt: the deltas do not have this measure, and the column drop_ratio is made from it; build them "
        "with it (delta.measures, enrichment.port_sets)",
        "high_risk_sessions_cnt: the deltas do not have this measure, and the column has_high_risk is made from it; "
        "build them with it (delta.measures, enrichment.port_sets)",
    ]


def test_measures_that_no_column_needs_may_be_absent() -> None:
    plan = compiled(measures=without("alert_cnt", "bytes_recv_quantiles"))

    names = {column.name for column in plan.fg_a.columns}
    assert not names & {"alert_cnt", "bytes_recv_p50"}


def test_a_counter_with_the_name_of_a_column_of_windows_is_refused() -> None:
    spec = make_spec(delta={"counters": {"new_peer_cnt": {"peer_port": [25]}}})

    with pytest.raises(SpecError, match=r"^delta\.counters\.new_peer_cnt: a column of the table"):
        compiled(measures=make_plan(spec).measures)


def test_only_internal_hosts_have_rows_but_where_all_are_asked_for() -> None:
    assert compiled().has_rows("10.0.0.1")
    assert not compiled().has_rows("192.0.2.7")
    assert not compiled().has_rows("224.0.0.1")
    assert compiled(hosts=Hosts.ALL).has_rows("192.0.2.7")


@pytest.mark.parametrize(
    ("coverage", "history", "is_partial"),
    [
        (4, KNOWN, 0),
        (3, KNOWN, 1),
        (4, HistorySource(TWELFTH, None, (), is_known=False), 1),
    ],
)
def test_a_window_is_partial_where_slices_or_history_are_missing(
    coverage: int, history: HistorySource, is_partial: int
) -> None:
    constants = compiled().constants(HOUR, TEN, coverage, history)

    assert (constants["coverage_slices"], constants["is_partial"]) == (coverage, is_partial)


def test_the_columns_that_all_rows_of_a_window_share_are_those_of_the_table() -> None:
    plan = window_plan()

    constants = plan.constants(DAY, us("2025-03-15T00:00:00Z"), 96, KNOWN)

    assert set(constants) < {column.name for column in plan.fg_a.columns}
    assert constants["is_holiday"] == 0  # in Berlin it is the 15th
    assert constants["is_weekend"] == 1
    assert (constants["dt"], constants["hh"], constants["mm"]) == ("2025-03-15", "00", "00")
    assert plan.constants(HOUR, us("2025-03-14T10:00:00Z"), 4, KNOWN)["is_holiday"] == 1
