"""What a spec of windows says of its windows and ports."""

from __future__ import annotations

import pytest

from ndr_core.deltas.settings import DEFAULT_PORT_SETS
from ndr_core.times import Duration, parse_duration
from ndr_core.windows.labels import DEFAULT_LABELS, WindowLabel
from ndr_core.windows.settings import DetectionPorts, Windows


def every(text: str) -> Duration:
    return parse_duration(text)


def test_the_default_windows_are_those_of_the_contract() -> None:
    assert Windows().window_labels == DEFAULT_LABELS
    assert Windows().problems() == []


def test_windows_are_sorted_by_their_length() -> None:
    windows = Windows({"w_1h": every("1h"), "w_15m": every("15m")})

    assert windows.window_labels == (WindowLabel(15, 15), WindowLabel(60, 60))


@pytest.mark.parametrize(
    ("windows", "problem"),
    [
        (Windows({}), "labels: needs at least one window, such as w_15m: 15m"),
        (
            Windows({"w_15": every("15m")}),
            "labels.w_15: 'w_15' is no window such as w_15m or w_8h",
        ),
        (
            Windows({"w_15m": every("7m")}),
            "labels.w_15m: must be whole minutes of which a day is a multiple, such as 15m or 1h",
        ),
        (
            Windows({"w_15m": every("90s")}),
            "labels.w_15m: must be whole minutes of which a day is a multiple, such as 15m or 1h",
        ),
        (
            Windows({"w_15m": every("0m")}),
            "labels.w_15m: must be whole minutes of which a day is a multiple, such as 15m or 1h",
        ),
        (
            Windows({f"w_{minutes}m": every("15m") for minutes in range(1, 34)}),
            "labels: has 33 entries; at most 32 are possible",
        ),
        (
            Windows(sources=("a/b",)),
            "sources: 'a/b' is no name of a job: it may hold letters, digits, '.', '_' and '-' only, 128 at most, "
            "a letter or digit first, as it becomes part of paths",
        ),
        (Windows(sources=("a",) * 257), "sources: has 257 entries; at most 256 are possible"),
    ],
)
def test_what_is_wrong_is_named_with_its_key(windows: Windows, problem: str) -> None:
    assert list(map(str, windows.problems())) == [problem]


def test_the_default_ports_are_those_of_the_deltas_and_of_services_with_passwords() -> None:
    ports = DetectionPorts()

    assert ports.lateral == (
        DEFAULT_PORT_SETS["admin"] | DEFAULT_PORT_SETS["fileshare"] | DEFAULT_PORT_SETS["directory"]
    )
    assert ports.auth == {21, 22, 23, 389, 445, 1433, 3306, 3389, 5432, 5900, 5985}
    assert ports.problems() == []


def test_ports_that_can_not_be_are_named() -> None:
    assert list(map(str, DetectionPorts(auth=frozenset({65536})).problems())) == [
        "auth: ports lie between 0 and 65535"
    ]
