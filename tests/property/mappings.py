"""Hypothesis strategies: input mappings of all kinds, and records that have what these speak of."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import Any

from hypothesis import strategies as st

from tests.property.flows import ADDRESSES, BYTES, HOSTS, PORTS, TEXTS, TIMES

Leaf = tuple[str, ...]
Plain = dict[str, Any]

ADDRESS_LEAVES: list[Leaf] = [("src",), ("dst",), ("n", "src"), ("n", "m", "dst"), ("n.src",)]
NUMBER_LEAVES: list[Leaf] = [("p",), ("q",), ("n", "p"), ("n", "m", "q"), ("n.p",)]
TIME_LEAVES: list[Leaf] = [("t",), ("u",), ("n", "t"), ("n", "m", "u")]
TEXT_LEAVES: list[Leaf] = [("x",), ("y",), ("n", "x"), ("n", "m", "y"), ("n.x",)]

_FORMATS: list[Any] = [
    "iso8601",
    "epoch_s",
    "epoch_ms",
    "epoch_us",
    "epoch_ns",
    "%Y/%m/%d %H:%M:%S",
    "%d.%m.%Y %H:%M:%S.%f%z",
    "%S:%M:%H %Y%m%d",
    "%Y%m%d%H%M%S",
    ["iso8601", "epoch_s"],
    ["epoch_ns", "%Y%m%d%H%M%S", "iso8601"],
    ["epoch_ns", "epoch_s"],
    ["epoch_ns", "iso8601", "epoch_s"],
    ["%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "iso8601"],
]
_TIME_VALUES: st.SearchStrategy[Any] = st.one_of(
    TIMES,
    st.integers(0, 899).map(lambda s: f"2025/03/01 10:{s // 60:02}:{s % 60:02}"),
    st.integers(0, 899).map(lambda s: 1740823200 + s),
    st.integers(0, 899_999_999).map(lambda us: (1740823200_000000 + us) * 1000 + 1),
    st.integers(0, 899_999_999).map(lambda us: str((1740823200_000000 + us) * 1000)),
    st.integers(0, 899).map(lambda s: f"20250301100{s // 60:03}"),
    st.sampled_from(
        [
            "01.03.2025 10:03:00.5+0100",
            "01.03.2025 10:03:00.123456789Z",
            "00:03:10 20250301",
            "03/04/2025 10:03:00",
            "13/03/2025 10:03:00",
            "03/13/2025 10:03:00",
            "2025/03/30 02:30:00",
            "2025/10/26 02:30:00",
            "2025-03-01T10:03:00.123456+0000",
            "2025-03-01t10:03:00.5 -05",
            "2025-03-01 10:03:00 UTC",
            "2025-03-01T10:03:00.1234567891Z",
            1740823200123456500,
            9223372036854775807,
            "1740823200.25",
            "1740823200.0",
            1740823200.25,
            2.5,
        ]
    ),
)
_TEXT_VALUES = st.one_of(
    st.sampled_from(
        ["tcp", "udp", "S0", "SF", "flow", "6", 6, 6.0, 6.5, "-", "", True, None, 0, 0.0]
    ),
    TEXTS,
)
_NUMBER_VALUES = st.one_of(
    PORTS, BYTES, st.integers(0, 5000).map(str), st.sampled_from([4503599627, -1740823201])
)
_VALUES: dict[Leaf, st.SearchStrategy[Any]] = {
    **dict.fromkeys(ADDRESS_LEAVES, ADDRESSES),
    **dict.fromkeys(NUMBER_LEAVES, _NUMBER_VALUES),
    **dict.fromkeys(TIME_LEAVES, _TIME_VALUES),
    **dict.fromkeys(TEXT_LEAVES, _TEXT_VALUES),
}
_USUAL: dict[Leaf, st.SearchStrategy[Any]] = {
    **dict.fromkeys(ADDRESS_LEAVES, st.sampled_from(HOSTS)),
    **dict.fromkeys(NUMBER_LEAVES, st.integers(0, 5000)),
    **dict.fromkeys(TIME_LEAVES, _TIME_VALUES),
    **dict.fromkeys(TEXT_LEAVES, st.sampled_from(["tcp", "udp", "S0", "SF", "flow"])),
}


def _place(leaf: Leaf) -> Any:
    return leaf[0] if len(leaf) == 1 else list(leaf)


def _one(leaf: Leaf) -> Plain:
    return {"column": leaf[0]} if len(leaf) == 1 else {"path": list(leaf)}


def _sources(leaves: list[Leaf]) -> st.SearchStrategy[Plain]:
    """Where one value may lie."""
    chosen = st.lists(st.sampled_from(leaves), min_size=1, max_size=3, unique=True)
    return st.one_of(
        st.sampled_from(leaves).map(_one),
        chosen.map(lambda some: {"any_of": list(map(_place, some))}),
    )


_CELLS = st.sampled_from(["tcp", "udp", "S0", "SF", "flow", "6", "true", "*"])
_RESULTS = st.sampled_from(["allow", "Deny", "drop", "TRAFFIC", "UDP", None])
_DEFAULTS = st.sampled_from([{}, {"default": None}, {"default": "Other"}])


def _rows(width: int) -> st.SearchStrategy[list[list[Any]]]:
    row = st.tuples(*[_CELLS] * width, _RESULTS).map(list)
    return st.lists(row, max_size=5)


_ONE_COLUMN_MAPS: st.SearchStrategy[Plain] = st.builds(
    lambda rows, default: {"map": {"values": rows, **default}}, _rows(1), _DEFAULTS
)
_WIDE_MAPS: st.SearchStrategy[Plain] = st.integers(1, 3).flatmap(
    lambda width: st.builds(
        lambda columns, rows, default: {
            "map": {"columns": list(map(_place, columns)), "values": rows, **default}
        },
        st.lists(st.sampled_from(TEXT_LEAVES), min_size=width, max_size=width, unique=True),
        _rows(width),
        _DEFAULTS,
    )
)
_TEXT_SOURCES: st.SearchStrategy[Plain] = st.one_of(
    _sources(TEXT_LEAVES),
    st.builds(lambda source, found: source | found, _sources(TEXT_LEAVES), _ONE_COLUMN_MAPS),
    _WIDE_MAPS,
    st.just({"constant": "TRAFFIC"}),
)


def _times(formats: list[Any]) -> st.SearchStrategy[Plain]:
    return st.builds(
        lambda source, form: {**source, "format": form},
        _sources(TIME_LEAVES),
        st.sampled_from(formats),
    )


_DURATIONS: st.SearchStrategy[Plain] = st.builds(
    lambda source, unit: {**source, "format": f"duration_{unit}"},
    _sources(NUMBER_LEAVES),
    st.sampled_from(["s", "ms", "us", "ns"]),
)
_START_AND_END: st.SearchStrategy[Plain] = st.one_of(
    st.builds(lambda start: {"event_start": start}, _times(_FORMATS)),
    *(
        st.builds(lambda start, end: {"event_start": start, "event_end": end}, start, end)
        for start, end in (
            (_times(_FORMATS), _times(_FORMATS)),
            (_times(_FORMATS), _DURATIONS),
            (_DURATIONS, _times(_FORMATS)),
        )
    ),
)
_CONDITIONS: st.SearchStrategy[Plain] = st.builds(
    lambda leaf, condition: {"path": list(leaf), **condition},
    st.sampled_from([*TEXT_LEAVES, ("n", "p"), ("p",), ("t",)]),
    st.sampled_from([{"values": ["flow", "tcp", 6]}, {"present": True}, {"present": False}]),
)
ZONES: list[str | None] = [None, None]
if find_spec("tzdata") is not None:
    ZONES += ["Europe/Berlin", "America/New_York"]

MAPPINGS: st.SearchStrategy[Plain] = st.builds(
    lambda fields, optional, times, nulls, only, zone: {
        "fields": {**fields, **optional, **times},
        "null_values": nulls,
        **({"only": only} if only else {}),
        **({"timezone": zone} if zone else {}),
    },
    st.fixed_dictionaries(
        {"source_ip": _sources(ADDRESS_LEAVES), "destination_ip": _sources(ADDRESS_LEAVES)}
    ),
    st.fixed_dictionaries(
        {"destination_port": _sources(NUMBER_LEAVES)},
        optional={
            "source_port": _sources(NUMBER_LEAVES),
            "source_bytes": _sources(NUMBER_LEAVES),
            "destination_bytes": _sources(NUMBER_LEAVES),
            "event_action": _TEXT_SOURCES,
            "event_reason": _TEXT_SOURCES,
            "event_name": _TEXT_SOURCES,
            "network_transport": _TEXT_SOURCES,
        },
    ),
    _START_AND_END,
    st.lists(
        st.sampled_from(
            [
                *("-", "", "tcp", "6", "10", "0", "0.0", "true", "1740823200.25"),
                *("2025-03-01T10:00:00Z", "2025/03/01 10:00:00"),
            ]
        ),
        max_size=2,
        unique=True,
    ),
    st.lists(_CONDITIONS, max_size=2),
    st.sampled_from(ZONES),
)
"""What `input` of a JobSpec says."""


def _nested(values: dict[Leaf, Any]) -> Plain:
    record: Plain = {}
    for leaf, value in values.items():
        inner = record
        for name in leaf[:-1]:
            inner = inner.setdefault(name, {})
        inner[leaf[-1]] = value
    return record


_CHANGES: st.SearchStrategy[Plain] = st.one_of(
    st.just({}),
    st.sampled_from([{"n": value} for value in (None, "x", 5, [], {}, [{"p": 1}], {"m": None})]),
    st.sampled_from([{"extra": value} for value in ({"a": {"b": 1}}, [1, "x"], "é", {})]),
)
_STYLES = st.sampled_from([(",", ":"), (",", ":"), (", ", ": "), (",", ": ")])


def _lines(usual: dict[Leaf, Any]) -> st.SearchStrategy[bytes]:
    """A line of records that are alike, but for some of their values."""
    some = st.lists(st.sampled_from(list(_VALUES)), max_size=2, unique=True)
    changed = some.flatmap(
        lambda leaves: st.fixed_dictionaries({leaf: _VALUES[leaf] for leaf in leaves})
    )
    lost = st.lists(st.sampled_from(list(_VALUES)), max_size=1)
    return st.builds(
        lambda changes, without, more, style: json.dumps(
            _nested({k: v for k, v in {**usual, **changes}.items() if k not in without}) | more,
            separators=style,
        ).encode(),
        changed,
        lost,
        _CHANGES,
        _STYLES,
    )


def mapped_batches(most: int = 30) -> st.SearchStrategy[list[bytes]]:
    """Lines of a mini-batch for mappings of `MAPPINGS`."""
    return st.fixed_dictionaries(_USUAL).flatmap(
        lambda usual: st.lists(_lines(usual), max_size=most)
    )
