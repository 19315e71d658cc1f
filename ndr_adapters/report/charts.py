"""The plots of a report, as Vega-Lite says plots. Colours are named by style: the page knows its theme.

Each plot reads rows under the names of a listing's columns; `NAME_text` is the value as the tables have it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Spec = Mapping[str, Any]

_SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v6.json"
_CLOCK: Final = {
    "year": "%Y",
    "quarter": "%b %Y",
    "month": "%b %Y",
    "week": "%d %b",
    "date": "%d %b",
    "day": "%d %b",
    "hours": "%H:%M",
    "minutes": "%H:%M",
    "seconds": "%H:%M:%S",
    "milliseconds": "%H:%M:%S",
}
"""How axes spell a time, by how fine they are."""
_TIME: Final = {
    "type": "temporal",
    "scale": {"type": "utc"},
    "title": None,
    "axis": {"format": _CLOCK},
}
_SI: Final = {"labelExpr": "format(datum.value, '~s')"}
"""Amounts as 20k or 3M, each by itself: Vega would put one unit behind all, as in 0M."""
_WHOLE: Final = {"labelExpr": "datum.value % 1 ? '' : format(datum.value, '~s')"}
"""The same of what is counted: halves of it have no label."""


def _chart(height: Any, *needs: str, **parts: Any) -> Spec:
    """`needs`: columns of which one has to be known in some row, else there is nothing to draw."""
    return {
        "$schema": _SCHEMA,
        "width": "container",
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "usermeta": {"needs": list(needs)},
        **parts,
    }


def _tooltip(**titles: str) -> list[Spec]:
    """`titles`: column -> what is said before its value."""
    return [
        {"field": f"{name}_text", "type": "nominal", "title": title}
        for name, title in titles.items()
    ]


def _of_time(name: str) -> dict[str, Any]:
    return {"field": name, **_TIME}


def _amount(name: str, title: str | None, **more: Any) -> dict[str, Any]:
    return {
        "field": name,
        "type": "quantitative",
        "title": title,
        "axis": _WHOLE,
        **more,
    }


def _row_each(name: str, label_limit: int) -> Spec:
    """A row for each value of a column, in the order in which they come. `label_limit`: pixels of its name."""
    return {
        "field": name,
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"labelLimit": label_limit, "ticks": False, "domain": False},
    }


QUALITY: Final = _chart(
    180,
    "records",
    transform=[
        {"stack": "records", "groupby": ["start"], "sort": [{"field": "label"}], "as": ["y0", "y1"]}
    ],
    mark={"type": "rect", "stroke": None},
    encoding={
        "x": _of_time("start"),
        "x2": {"field": "end"},
        "y": _amount("y1", "records"),
        "y2": {"field": "y0"},
        "color": {
            "field": "label",
            "type": "nominal",
            "title": None,
            "legend": {"orient": "bottom", "columns": 2, "labelLimit": 260},
        },
        "tooltip": _tooltip(
            start="from (UTC)",
            end="to (UTC)",
            label="rule",
            records="records",
            permille="of 1,000 read",
        ),
    },
)
"""Records by time, stacked by rule and field."""

SESSIONS: Final = _chart(
    170,
    "sessions",
    mark={"type": "rect", "style": "value"},
    encoding={
        "x": _of_time("start"),
        "x2": {"field": "end"},
        "y": _amount("sessions", "sessions"),
        "y2": {"datum": 0},
        "tooltip": _tooltip(start="from (UTC)", end="to (UTC)", sessions="sessions"),
    },
)

BYTES: Final = _chart(
    170,
    "sent",
    "received",
    transform=[
        {"fold": ["sent", "received"], "as": ["direction", "bytes"]},
    ],
    mark={"type": "line", "interpolate": "step-after", "point": False},
    encoding={
        "x": _of_time("start"),
        "y": _amount("bytes", "bytes"),
        "color": {
            "field": "direction",
            "type": "nominal",
            "title": None,
            "scale": {"domain": ["sent", "received"]},
            "legend": {"orient": "top"},
        },
        "strokeDash": {
            "field": "direction",
            "type": "nominal",
            "title": None,
            "scale": {"domain": ["sent", "received"], "range": [[1, 0], [4, 2]]},
        },
        "tooltip": _tooltip(start="from (UTC)", sent="sent", received="received"),
    },
)


def heat(name: str, title: str, *, is_score: bool) -> Spec:
    """Give the heat map of a column of hosts by hours. `is_score`: whether its values are from 0 to 1."""
    scale: dict[str, Any] = {"domain": [0, 1]} if is_score else {"type": "symlog", "domainMin": 0}
    return _chart(
        {"step": 17},
        name,
        mark={"type": "rect", "stroke": None},
        encoding={
            "x": _of_time("start"),
            "x2": {"field": "end"},
            "y": _row_each("host", 130),
            "color": {
                "field": name,
                "type": "quantitative",
                "title": title,
                "scale": scale,
                "legend": {
                    "orient": "top",
                    "gradientLength": 240,
                    "tickCount": 4,
                    "labelOverlap": "greedy",
                    **_SI,
                },
            },
            "tooltip": _tooltip(
                host="host",
                start="hour (UTC)",
                sessions="sessions",
                sent="bytes sent",
                anomaly="anomaly_strength",
            ),
        },
    )


HEAT: Final = {
    "sessions": heat("sessions", "sessions", is_score=False),
    "sent": heat("sent", "bytes sent", is_score=False),
    "anomaly": heat("anomaly", "anomaly_strength", is_score=True),
}


def _layer(mark: Spec, **fields: str) -> Spec:
    """A layer over the time of a window. `fields`: channel -> column; it is drawn where some row has all of them."""
    return {
        "mark": mark,
        "encoding": {channel: {"field": name} for channel, name in fields.items()},
        "usermeta": {"needs": sorted(fields.values())},
    }


WINDOWS: Final = _chart(
    120,
    "value",
    encoding={
        "x": _of_time("start"),
        "y": _amount("value", None, scale={"zero": True, "nice": True}),
        "tooltip": _tooltip(
            end="until (UTC)",
            value="value",
            median="median",
            p25="quarter",
            p75="three quarters",
            p99="99th percentile",
            z="upper_z",
            scope="baseline of",
        ),
    },
    layer=[
        _layer({"type": "rect", "style": "band"}, x2="end", y="p25", y2="p75"),
        _layer({"type": "rule", "style": "limit", "strokeDash": [3, 2]}, x2="end", y="p99"),
        _layer({"type": "rule", "style": "median"}, x2="end", y="median"),
        {
            "mark": {"type": "point", "filled": True, "opacity": 1},
            "encoding": {
                "x": {"field": "middle"},
                "color": {
                    "field": "is_marked",
                    "type": "nominal",
                    "scale": {"domain": [False, True]},
                    "legend": None,
                },
                "shape": {
                    "condition": {"test": "datum.is_marked", "value": "triangle-up"},
                    "value": "circle",
                },
                "size": {"condition": {"test": "datum.is_marked", "value": 90}, "value": 20},
            },
            "usermeta": {"needs": []},
        },
    ],
)
"""Windows of a host, with the band of what is usual, and those that stand out."""

STARTS: Final = _chart(
    {"step": 30},
    "sessions",
    mark={"type": "tick", "style": "value", "thickness": 1.5, "bandSize": 20, "opacity": 0.7},
    encoding={
        "x": _of_time("minute"),
        "y": _row_each("pair", 190),
        "tooltip": _tooltip(pair="pair", minute="minute (UTC)", sessions="sessions that began"),
    },
)
"""A strip of starts for each pair."""

CHARTS: Final[Mapping[str, Spec]] = {
    "quality": QUALITY,
    "sessions": SESSIONS,
    "bytes": BYTES,
    **{f"heat-{name}": spec for name, spec in HEAT.items()},
    "windows": WINDOWS,
    "starts": STARTS,
}
"""Name, as the page asks for it -> plot."""
