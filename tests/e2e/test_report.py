"""`ndr report` writes one page that shows an output, whatever its records say, and nothing of any other place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from markupsafe import escape
from selenium.webdriver.common.keys import Keys

from tests.e2e.browser import Browser, in_browser, started
from tests.e2e.cli import ndr, run, write_spec
from tests.e2e.reported import (
    BEACON_PEER,
    CALLER,
    HOST,
    HOSTILE,
    LEAK_PEER,
    STARTS,
    Place,
    build_deltas,
    build_features,
    session,
)
from tests.makers import write_batch

WITHOUT_SPARK = True

SECTIONS: Final = ("glance", "quality", "traffic", "rankings", "heat", "host")
DATA: Final = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.DOTALL)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Ten days with all features, and their report; `deltas.html` was written before there were features."""
    place = build_deltas(tmp_path_factory.mktemp("reported"))
    place.report(place.folder / "deltas.html")
    build_features(place)
    place.report(place.page)
    place.report(place.folder / "late.html", "--since", "2026-01-01T00:00:00Z")
    return place


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with started() as browser:
        yield browser


def data_of(page: str) -> dict[str, Any]:
    """What a page draws."""
    found = DATA.search(page)
    assert found is not None
    plain: dict[str, Any] = json.loads(found[1])
    return plain


def rows_of(listing: dict[str, Any]) -> list[dict[str, Any]]:
    names = [name for name, *_ in listing["columns"]]
    return [dict(zip(names, row, strict=True)) for row in listing["rows"]]


def test_the_same_output_gives_the_same_bytes(place: Place, tmp_path: Path) -> None:
    again = place.report(tmp_path / "again.html")

    assert again == place.page.read_text()


def test_a_page_has_all_sections_and_asks_for_nothing(place: Place) -> None:
    page = place.page.read_text()

    assert all(f'<section id="{name}">' in page for name in SECTIONS)
    assert "default-src &#39;none&#39;" in page
    outside_scripts = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r"<[^>]*\b(src|srcset|action)=|<link|@import|url\(", outside_scripts)
    assert set(re.findall(r'href="([^"#]*)', outside_scripts)) == {""}


def test_windows_stand_beside_the_baseline_that_they_were_compared_with(place: Place) -> None:
    windows = data_of(place.page.read_text())["hosts"][HOST]["windows"]

    rows = windows["metrics"]["outbound"]["ext_bytes_sent_sum"]
    values = {moment: (value, z) for moment, value, z, _ in rows}
    end = 1_741_881_600  # 2025-03-13T16:00:00Z
    value, z = values[end]
    assert value == 501_000_010
    median, p25, p75, p99, scope = windows["bands"][rows[-1][3]]
    assert (scope, median, p25, p75, p99) == ("host", median, median, median, median)
    assert median == pytest.approx(1_000_000, rel=1e-3)
    assert z == pytest.approx((value - median) / (0.05 * median), abs=0.01)
    compared = [moment for moment, (_, z) in values.items() if z is not None]
    assert compared == [end - 28_800, end, end + 28_800]


def test_hosts_are_ranked_by_score_and_shown_with_its_parts(place: Place) -> None:
    page = place.page.read_text()

    exfil = page.partition("<h3>exfil_score</h3>")[2].partition("<h3>")[0]
    cells = re.findall(r"<td.*?</td>", exfil, re.DOTALL)
    assert f'data-host="{HOST}"' in cells[0]
    assert "501.0 MB" in exfil
    assert "2025-03-13 16:00" in exfil
    reasons = data_of(page)["hosts"][HOST]["reasons"]
    assert "1. of exfil_score" in reasons
    assert "1. of bytes sent" in reasons


def test_a_regular_pair_has_a_strip_of_its_starts(place: Place) -> None:
    data = data_of(place.page.read_text())

    caller = data["hosts"][CALLER]
    (beacon,) = rows_of({"columns": data["columns"]["beacons"], "rows": caller["beacons"]})
    assert (beacon["peer"], beacon["port"], beacon["period"]) == (BEACON_PEER, "443", 3600)
    starts = rows_of({"columns": data["columns"]["starts"], "rows": caller["starts"]})
    minutes = [row["minute"] for row in starts]
    assert minutes == list(range(minutes[0], minutes[0] + STARTS * 3600, 3600))
    assert {row["pair"] for row in starts} == {f"{BEACON_PEER}, port 443"}


def test_sessions_and_hours_add_up_to_what_was_kept(place: Place) -> None:
    page = place.page.read_text()

    data = data_of(page)
    slices = rows_of(data["slices"])
    known = [row["sessions"] for row in slices]
    assert None not in known
    assert sum(known) == 7 * 3 + STARTS + 2
    hours = [row for row in rows_of(data["hours"]) if row["host"] == CALLER]
    assert [row["sessions"] for row in hours] == [1] * 24


def test_quality_is_told_by_rule_with_the_records_of_the_hostile_as_text(place: Place) -> None:
    page = place.page.read_text()

    (rejected,) = (row for row in rows_of(data_of(page)["quality"]) if row["what"] == "rejected")
    assert (rejected["label"], rejected["records"]) == ("malformed_record", 1)
    assert str(escape(HOSTILE)) in page
    assert HOSTILE not in page
    assert page.count("<script") == page.count("</script>") == 3
    assert str(place.output.name) not in page


def test_without_features_the_page_says_what_to_run(place: Place) -> None:
    page = (place.folder / "deltas.html").read_text()

    assert 'id="no-windows"' in page
    assert "ndr features backfill --spec windows.yaml" in page
    data = data_of(page)
    assert data["window_minutes"] is None
    assert data["hosts"][HOST]["peers"]
    assert {row[0] for row in data["hosts"][HOST]["starts"]} == {
        "203.0.113.7, port 443",
        f"{LEAK_PEER}, port 443",
    }


def test_a_time_a_host_and_a_number_of_hosts_can_be_asked_for(place: Place, tmp_path: Path) -> None:
    bounds = ("--since", "2025-03-12T00:00:00Z", "--until", "2025-03-13T00:00:00Z")

    page = place.report(tmp_path / "day.html", *bounds, "--host", LEAK_PEER, "--top", 1)

    data = data_of(page)
    assert next(iter(data["hosts"])) == LEAK_PEER
    assert data["hosts"][LEAK_PEER]["reasons"] == ["asked for"]
    assert sum(row["sessions"] for row in rows_of(data["slices"])) == 3
    assert "2025-03-12 00:00 to 2025-03-13 00:00" in page


def test_a_time_without_slices_and_an_output_without_rows_give_a_page_that_says_so(
    place: Place, tmp_path: Path
) -> None:
    late = (place.folder / "late.html").read_text()
    spec = write_spec(tmp_path / "job.json")
    bounds = ("--slice-start", "2025-03-01T10:00:00Z", "--slice-end", "2025-03-01T10:15:00Z")
    empty = write_batch(tmp_path / "none", [[]])
    assert run(spec, empty, tmp_path / "empty", *bounds).exit_code == 0

    answer = ndr("report", tmp_path / "empty", "-o", tmp_path / "empty.html")

    assert answer.exit_code == 0, answer.errors
    assert "No slice of this output is published in the time" in late
    page = (tmp_path / "empty.html").read_text()
    assert "No host has a row in this output" in page
    assert "2025-03-01T10:00:00Z to 2025-03-01T10:15:00Z" in page


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of deltas that count no bytes, with pairs that have no timing."""
    folder = tmp_path_factory.mktemp("bare")
    batch = write_batch(folder / "batch", [[session(HOST, LEAK_PEER, 13, 8, 0, 1000)]])
    parts = {"delta": {"measures": ["tcp_cnt"]}, "pair": {"timing": False}}
    assert run(write_spec(folder / "job.json", **parts), batch, folder / "out").exit_code == 0
    answer = ndr("report", folder / "out", "-o", folder / "bare.html", "--host", HOST)
    assert answer.exit_code == 0, answer.errors
    return folder / "bare.html"


def test_what_an_output_does_not_count_is_not_known_and_not_0(bare: Path) -> None:
    page = bare.read_text()

    data = data_of(page)
    (row,) = rows_of(data["slices"])
    assert (row["sessions"], row["sent"], row["received"]) == (1, None, None)
    assert "<h3>sessions</h3>" in page
    assert "<h3>bytes sent</h3>" not in page
    host = data["hosts"][HOST]
    assert (host["peers"][0][:4], host["starts"]) == (["outbound", LEAK_PEER, "443", 1], [])
    hours = {row["host"]: (row["sessions"], row["sent"]) for row in rows_of(data["hours"])}
    assert hours == {HOST: (1, None), LEAK_PEER: (1, None)}


@in_browser
def test_numbers_that_are_not_known_are_not_drawn(bare: Path, chromium: Browser) -> None:
    chromium.open(bare, 400)

    plots = chromium.run(
        "return [...document.querySelectorAll('[data-figure]')].map("
        "(one) => [one.dataset.figure, one.querySelector('.plot').firstChild.textContent])"
    )
    assert [name for name, text in plots if text.startswith("Nothing to draw")] == [
        "bytes",
        "starts",
    ]
    assert [name for name, _ in plots] == ["sessions", "bytes", "heat", "starts"]
    assert chromium.told() == []


def test_an_output_in_s3_is_shown_as_one_in_a_folder(
    place: Place, bucket: str, tmp_path: Path
) -> None:
    output, page = f"s3://{bucket}/out", tmp_path / "s3.html"
    sessions = [session(HOST, LEAK_PEER, 13, hour, 0, 1000) for hour in (8, 9)]
    batch = write_batch(tmp_path / "batch", [sessions])
    bounds = ("--slice-start", "2025-03-13T08:00:00Z", "--slice-end", "2025-03-13T16:00:00Z")
    spec = write_spec(tmp_path / "job.json")
    published = ndr("run", "--spec", spec, "-i", batch, "-o", output, *bounds)

    without = ndr("report", output, "-o", page)
    deltas = data_of(page.read_text())
    end = ("--end", "2025-03-13T16:00:00Z", "--label", "w_8h")
    windows = ndr("features", "run", *end, "--spec", place.spec, "-o", output)
    answer = ndr("report", output, "-o", page)

    steps = (published, without, windows, answer)
    assert [step.exit_code for step in steps] == [0] * 4, answer.errors
    assert deltas["hosts"][HOST]["peers"][0][:4] == ["outbound", LEAK_PEER, "443", 2]
    assert deltas["window_minutes"] is None
    outbound = data_of(page.read_text())["hosts"][HOST]["windows"]["metrics"]["outbound"]
    assert [row[1] for row in outbound["sessions_cnt"]] == [2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere", "-o", "r.html"], "nowhere: holds no published run"),
        (
            ["OUT", "-o", "r.html", "--features", "nowhere"],
            "nowhere: holds no published run of features",
        ),
        (["OUT", "-o", "r.html", "--host", "server"], "host: 'server' is no address such as"),
        (["OUT", "-o", "missing/r.html"], "missing/r.html: can't be written"),
        (
            ["OUT", "-o", "r.html", "--since", "2025-03-02", "--until", "2025-03-01"],
            "until: must be later than since",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_can_not_be_reported_is_one_line_and_wrong_usage(
    place: Place,
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    given = [str(place.output) if one == "OUT" else one for one in arguments]

    answer = ndr("report", *given)

    assert answer.exit_code == 2
    assert message in answer.errors


@in_browser
@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_is_drawn_in_silence_and_fits_its_width(
    place: Place, chromium: Browser, width: int, scheme: str
) -> None:
    chromium.open(place.page, width, scheme)

    assert chromium.run("return document.documentElement.scrollWidth") <= width
    drawn = chromium.run(
        "return [...document.querySelectorAll('figure')].filter((one) => !one.querySelector('.plot svg')).length"
    )
    assert drawn == 0
    assert chromium.texts("#windows h4")[:2] == ["sessions_cnt 3 stand out", "bytes_sent_sum "]
    assert chromium.run("return document.title") != "owned"
    assert chromium.told() == []
    assert chromium.requests() == {place.page.as_uri()}


@in_browser
def test_plots_have_the_marks_of_what_they_show(place: Place, chromium: Browser) -> None:
    chromium.open(place.page)

    count = "return document.querySelectorAll(arguments[0]).length"
    days = data_of(place.page.read_text())["slices"]["rows"]
    assert chromium.run(count, '[data-figure="sessions"] .role-mark.mark-rect path') == len(days)
    hours = data_of(place.page.read_text())["hours"]["rows"]
    assert chromium.run(count, '[data-figure="heat"] .role-mark.mark-rect path') == len(hours)
    chromium.run(
        "document.querySelector('button.host[data-host=\"' + arguments[0] + '\"]').click()", HOST
    )
    bytes_sent = "#windows figure:nth-of-type(2)"
    chromium.until(f"return document.querySelector('{bytes_sent} .role-mark.mark-rule') !== null")
    assert chromium.texts(f"{bytes_sent} h4") == ["bytes_sent_sum 1 stands out; by powers of 10"]
    windows = chromium.run(count, f"{bytes_sent} .role-mark.mark-symbol path")
    assert windows == 21
    assert chromium.run(count, f"{bytes_sent} .role-mark.mark-rule line") == 2 * 3


@in_browser
def test_what_is_usual_is_seen_beside_a_value_that_is_500_times_as_large(
    place: Place, chromium: Browser
) -> None:
    chromium.open(place.page)
    chromium.run(
        "document.querySelector('button.host[data-host=\"' + arguments[0] + '\"]').click()", HOST
    )
    bytes_sent = "#windows figure:nth-of-type(2)"
    chromium.until(f"return document.querySelector('{bytes_sent} .role-mark.mark-rule') !== null")

    heights = chromium.run(
        "return [...document.querySelectorAll(arguments[0])].map((one) => one.getBoundingClientRect().top)",
        f"{bytes_sent} .role-mark.mark-symbol path",
    )
    labels = chromium.texts(f"{bytes_sent} .role-axis-label text")

    # 120 pixels high: the usual windows stand a fifth of that above the axis.
    usual, leak = max(heights), min(heights)
    axis = chromium.run(
        "return document.querySelector(arguments[0]).getBoundingClientRect().bottom",
        f"{bytes_sent} .mark-group.role-frame path, {bytes_sent} .background",
    )
    assert usual - leak > 60
    assert axis - usual > 120 / 5
    assert {"0", "1M", "10M", "100M"} <= set(labels)


@in_browser
def test_a_host_is_chosen_by_keyboard_alone(place: Place, chromium: Browser) -> None:
    chromium.open(place.page)
    hosts = chromium.texts("#chosen option")

    chromium.tab_to("chosen")
    outline = chromium.run("return getComputedStyle(document.activeElement).outlineStyle")
    chromium.press(Keys.ARROW_DOWN)
    chromium.until(
        f"return document.querySelector('#reasons').textContent.startsWith('{hosts[1]}:')"
    )

    assert outline == "solid"
    assert chromium.texts("#peers caption") == [f"Peers of {hosts[1]}"]
    assert chromium.told() == []


@in_browser
def test_a_host_of_a_ranking_is_shown_when_enter_is_pressed_on_it(
    place: Place, chromium: Browser
) -> None:
    chromium.open(place.page)

    assert chromium.run("return document.querySelector('#chosen').value") != HOST
    chromium.run(
        "[...document.querySelectorAll('button.host')].find((one) => one.dataset.host === arguments[0]).focus()",
        HOST,
    )
    chromium.press(Keys.ENTER)
    chromium.until(
        f"return document.querySelector('#peers caption').textContent === 'Peers of {HOST}'"
    )

    assert chromium.run("return document.activeElement.id") == "chosen"
    assert chromium.run("return document.activeElement.value") == HOST
    starts = (
        "return document.querySelectorAll('[data-figure=starts] .role-mark.mark-rect path').length"
    )
    minutes = len(data_of(place.page.read_text())["hosts"][HOST]["starts"])
    chromium.until(f"{starts} === {minutes}")
    assert chromium.told() == []


@in_browser
def test_the_theme_follows_the_system_until_someone_chooses(
    place: Place, chromium: Browser
) -> None:
    chromium.open(place.page, scheme="light")
    colour = "return getComputedStyle(document.body).backgroundColor"
    bars = "return document.querySelector('[data-figure=sessions] .role-mark.mark-rect path').getAttribute('fill')"
    light, light_bars = chromium.run(colour), chromium.run(bars)

    chromium.prefer("dark")
    chromium.until(f"{bars} !== '{light_bars}'")
    dark, dark_bars = chromium.run(colour), chromium.run(bars)
    chromium.tab_to("theme")
    chromium.press(Keys.ENTER)
    chromium.until(f"{bars} === '{light_bars}'")

    assert dark != light
    assert chromium.run(colour) == light
    assert dark_bars != light_bars
    assert chromium.texts("#theme") == ["Dark theme"]


@in_browser
def test_the_table_of_a_plot_has_its_numbers(place: Place, chromium: Browser) -> None:
    chromium.open(place.page)

    chromium.run("document.querySelector('[data-figure=sessions] summary').focus()")
    chromium.press(Keys.ENTER)
    chromium.until("return document.querySelector('[data-figure=sessions] tbody tr') !== null")

    rows = chromium.texts("[data-figure=sessions] tbody tr")
    assert len(rows) == len(data_of(place.page.read_text())["slices"]["rows"])
    assert rows[0].startswith("2025-03-07 00:00")


@in_browser
@pytest.mark.parametrize("page", ["deltas.html", "late.html"])
def test_a_page_with_less_to_show_is_silent_too(place: Place, chromium: Browser, page: str) -> None:
    chromium.open(place.folder / page, 400)

    assert chromium.told() == []
    assert chromium.run("return document.documentElement.scrollWidth") <= 400
