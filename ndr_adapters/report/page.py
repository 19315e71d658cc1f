"""Writes a report as one page: text and tables by Jinja2, plots by Vega-Lite, whose code is in the page."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any, Final

import vl_convert
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from ndr_adapters.report.charts import CHARTS
from ndr_core.errors import printable
from ndr_core.report.content import BEACONS, PEERS, STARTS, Report
from ndr_core.report.fit import as_json, fitting
from ndr_core.report.listing import Column, Kind, Listing, shown_as
from ndr_core.report.quality import CHANGED, REJECTED, UNKNOWN
from ndr_core.report.span import seconds
from ndr_core.report.usual import BAND, MARKED_Z
from ndr_core.times import iso_text

MOST_BYTES: Final = 7_900_000
"""Of a page: hosts whose details do not fit are left out, the last ones first."""
MOST_HEAT_HOSTS: Final = 25
"""Rows of the heat map: those of the first hosts."""
VEGA_LITE: Final = "6.4"
"""Its version: the newest one that the package has, by name, so that another one changes no page unseen."""

_QUALITY: Final = (
    (REJECTED, "Rejected records, by rule and field"),
    (CHANGED, "Records that were kept, but repaired, or late or early"),
    (UNKNOWN, "Kept records with values that no measure knows"),
)


def render(report: Report) -> str:
    """Write the page of a report. The same report gives the same page, whatever the time."""
    vega = _vega()
    style, script = _asset("page.css"), _asset("page.js")
    without_hosts = _page(report, vega, style, script, {})
    details = ((one.chosen.host, one.to_plain()) for one in report.details)
    fitted = fitting(details, MOST_BYTES - len(without_hosts.encode()))
    return _page(report, vega, style, script, fitted)


def _page(report: Report, vega: str, style: str, script: str, hosts: dict[str, Any]) -> str:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["printable"] = printable
    environment.globals.update(shown_as=shown_as, Kind=Kind, iso_text=iso_text, seconds=seconds)
    template = environment.from_string(_asset("page.html.j2"))
    return template.render(
        report=report,
        hosts=hosts,
        figures=_figures(report),
        marked=f"{MARKED_Z:g}",
        left_out=report.hosts - len(hosts),
        policy=_policy(style, vega, script),
        data=_script_json(_data(report, hosts)),
        # The project's own files, and code of the package: they are no data.
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        vega=Markup(vega),  # noqa: S704
    )


def _figures(report: Report) -> list[tuple[str, str]]:
    """Names and titles of the plots of quality that have something to show."""
    seen = {row[2] for row in report.quality.over_time.rows}
    return [(what, title) for what, title in _QUALITY if what in seen]


def _data(report: Report, hosts: dict[str, Any]) -> dict[str, Any]:
    """What the page's script draws."""
    shown = set(list(hosts)[:MOST_HEAT_HOSTS])
    hours = Listing(
        report.hours.columns, tuple(row for row in report.hours.rows if row[0] in shown)
    )
    return {
        "charts": CHARTS,
        "marked": MARKED_Z,
        "band": BAND,
        "quality": report.quality.over_time.to_plain(),
        "slices": report.slices.to_plain(),
        "hours": hours.to_plain(),
        "hosts": hosts,
        "columns": {
            "peers": _columns(PEERS),
            "beacons": _columns(BEACONS),
            "starts": _columns(STARTS),
        },
        "window_minutes": report.window_minutes,
    }


def _columns(columns: tuple[Column, ...]) -> Any:
    return Listing.of(columns, ()).to_plain()["columns"]


def _script_json(data: Any) -> Markup:
    """Give data as JSON that stands in a script: no text of it can end the script or begin another."""
    text = as_json(data)
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)  # noqa: S704 - nothing is left in it that means something in HTML


def _policy(style: str, *scripts: str) -> str:
    """Allow the page's own style and scripts, and nothing else: no request, no script out of a log."""
    allowed = " ".join(map(_hashed, scripts))
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_hashed(style)}; base-uri 'none'; "
        "form-action 'none'"
    )


def _hashed(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


@cache
def _vega() -> str:
    """The code that draws plots, with the one name that the page's script calls."""
    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", VEGA_LITE)


def _asset(name: str) -> str:
    return (files("ndr_adapters.report") / name).read_text(encoding="utf-8")
