"""What `ndr inspect` shows of an output, and what it leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.cli import Answer, ndr, run, write_spec
from tests.makers import flow, write_batch

WITHOUT_SPARK = True

DAYS = 7
SLICES = 4


def at(day: int, quarter: int = 0) -> dict[str, object]:
    start = f"2025-03-{day:02}T{quarter // 4:02}:{quarter % 4 * 15:02}:00Z"
    return flow(event_start=start, event_end=None, destination_ip="2001:db8:1111:2222:3333::77")


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output of a run for each day of a week."""
    folder = tmp_path_factory.mktemp("week")
    spec = write_spec(folder / "job.json")
    for day in range(1, DAYS + 1):
        flows = [at(day, quarter) for quarter in range(SLICES) for _ in range(3)]
        batch = write_batch(folder / f"in-{day}", [[*flows, "bad"]])
        assert run(spec, batch, folder / "out").exit_code == 0
    return folder / "out"


def lines(answer: Answer) -> list[str]:
    assert answer.exit_code == 0, answer.errors
    return answer.output.splitlines()


def test_sessions_are_counted_in_each_role_apart(week: Path) -> None:
    found = ndr("inspect", week, "--json").json()
    assert {row["role"] for row in found["slices"]} == {"outbound", "inbound"}
    assert {row["sessions_cnt"] for row in found["slices"]} == {3}
    assert {row["hosts"] for row in found["slices"]} == {1}
    assert {(row["role"], row["slices"], row["sessions_cnt"]) for row in found["days"]} == {
        ("outbound", SLICES, 3 * SLICES),
        ("inbound", SLICES, 3 * SLICES),
    }


def test_rows_are_those_of_the_merged_table(tmp_path: Path) -> None:
    spec = write_spec(tmp_path / "job.json")
    other = {**at(1), "source_ip": "10.0.0.2"}
    for name, flows in {"one": [at(1), at(1, 1)], "two": [at(1), other]}.items():
        batch = write_batch(tmp_path / name, [flows])
        assert run(spec, batch, tmp_path / "out").exit_code == 0

    found = ndr("inspect", tmp_path / "out", "--json").json()

    outbound = [row for row in found["slices"] if row["role"] == "outbound"]
    assert [(row["hosts"], row["rows"], row["sessions_cnt"]) for row in outbound] == [
        (2, 2, 3),
        (1, 1, 1),
    ]
    counts = {(row["role"], row["hosts"], row["rows"]) for row in found["days"]}
    assert counts == {("inbound", 1, 2), ("outbound", 2, 3)}
    assert {(row["role"], row["hosts"], row["rows"]) for row in found["roles"]} == counts


def test_the_json_is_complete(week: Path) -> None:
    found = ndr("inspect", week, "--json", "--limit", 1).json()
    assert len(found["slices"]) == DAYS * SLICES * 2
    assert len(found["days"]) == DAYS * 2
    assert len(found["quality"]) == DAYS


def test_a_week_is_a_page_of_lines_that_fit_a_terminal(week: Path) -> None:
    shown = lines(ndr("inspect", week))
    assert len(shown) < 60
    assert max(map(len, shown)) <= 80
    days = [line for line in shown if "2025-03-" in line]
    assert len(days) == DAYS * 2
    assert any("2001:db8:1111:2222:3333::77" in line for line in shown)


def test_slices_are_listed_when_they_are_asked_for(week: Path) -> None:
    shown = lines(ndr("inspect", week, "--slices", "--limit", 0))
    assert len([line for line in shown if "2025-03-" in line]) == DAYS * SLICES * 2
    assert any("2025-03-07 00:45" in line for line in shown)


def test_a_limit_shows_the_last_rows_and_says_how_many_there_are(week: Path) -> None:
    shown = lines(ndr("inspect", week, "--slices", "--limit", 3))
    slices = [line for line in shown if "2025-03-" in line]
    assert len(slices) == 3
    assert all("2025-03-07" in line for line in slices)
    assert f"the last 3 of {DAYS * SLICES * 2}; --limit 0 shows all" in " ".join(shown)


def test_a_range_of_time_can_be_chosen(week: Path) -> None:
    bounds = ("--since", "2025-03-02T00:30:00Z", "--until", "2025-03-03T00:15:00Z")
    found = ndr("inspect", week, "--json", *bounds).json()
    slices = [(row["dt"], row["hh"], row["mm"]) for row in found["slices"]]
    assert sorted(set(slices)) == [
        ("2025-03-02", "00", "30"),
        ("2025-03-02", "00", "45"),
        ("2025-03-03", "00", "00"),
    ]
    assert {row["sessions_cnt"] for row in found["roles"]} == {9}
    assert len(found["quality"]) == 2


def test_the_books_of_all_runs_are_added_up(week: Path) -> None:
    shown = " ".join(" ".join(lines(ndr("inspect", week))).split())
    assert f"runs {DAYS}" in shown
    assert f"read {DAYS * (3 * SLICES + 1)}" in shown
    assert f"rejected malformed_record {DAYS}" in shown


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--since", "noon"], "since: 'noon' is no ISO-8601 time"),
        (["--since", "2025-03-02T00:00:00Z", "--until", "2025-03-01T00:00:00Z"], "until"),
    ],
)
def test_a_range_that_is_none_is_wrong_usage(week: Path, options: list[str], message: str) -> None:
    answer = ndr("inspect", week, *options)
    assert answer.exit_code == 2
    assert message in answer.errors
    assert answer.errors.count("\n") == 1


def test_an_output_without_the_sums_can_be_inspected(tmp_path: Path) -> None:
    spec = write_spec(tmp_path / "job.json", delta={"measures": ["allow_cnt"]})
    assert run(spec, write_batch(tmp_path / "in", [[flow()]]), tmp_path / "out").exit_code == 0
    assert ndr("inspect", tmp_path / "out").exit_code == 0
    assert ndr("inspect", tmp_path / "out", "--json").json()["busiest_hosts"][0]["role"]
